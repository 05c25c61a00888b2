"""How are labelling campaigns opened, followed and closed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views.watch_view import rate

Json = Mapping[str, Any]
LEAD = "team_lead"
DESIGNS = {"random": "At random", "stratified": "By bands of the score"}


def draw(answer: Json) -> None:
    """Campaigns with their progress, and the form that opens one."""
    rows = answer["campaigns"]
    st.caption(
        "A campaign puts past payments before people that nobody has said anything of. They are shown blind, and "
        "nothing changes for the payment; every payment's chance of being drawn is kept."
    )
    if not rows:
        frame.empty(
            "No labelling campaign was opened yet.", "A team lead opens one, to build a first training set."
        )
    for row in rows:
        _one(row)
    if frame.role() == LEAD and all(row["closed_at"] for row in rows):
        _open()


def _one(row: Json) -> None:
    result = row["result"]
    with st.container(border=True):
        state = "closed" if row["closed_at"] else "open"
        st.markdown(f"**{words.plain(row['name'])}** · {DESIGNS[row['design']].lower()} · {state}")
        st.progress(result["judged"] / result["drawn"] if result["drawn"] else 0.0)
        st.markdown(words.plain(result["sentence"]))
        facts = [
            ("Fraud among all, estimated", rate(result["estimate"])),
            ("Confirmed by reviewers, naive", rate(result["share_confirmed"])),
            ("Stands for", f"{words.count(row['population'])} payments"),
            ("Labels by now", words.count(sum(result["labels"].values()))),
        ]
        frame.facts(facts, columns=4)
        frame.table([_stratum(each) for each in result["by_stratum"]], height="content")
        st.caption(f"Opened by {words.plain(row['opened_by'])}, {frame.when(row['opened_at'])}.")
        if frame.role() == LEAD and not row["closed_at"]:
            _close(row["campaign_id"])


def _stratum(row: Json) -> dict[str, str]:
    return {
        "Drawn from": "All" if row["stratum"] == "all" else words.capital(row["stratum"]),
        "Payments": words.count(row["drawn"]),
        "Judged": words.count(row["judged"]),
        "Chance of being drawn": words.percent(row["probability"]),
        "Confirmed by reviewers": rate(row["share_confirmed"]),
    }


def _close(campaign_id: str) -> None:
    with st.popover("Close it", icon=":material/check:"):
        reason = st.text_input("Reason", key=f"close_{campaign_id}", max_chars=2000)
        if st.button("Close the campaign", key=f"close_now_{campaign_id}", disabled=len(reason.strip()) < 3):
            with frame.attempt():
                signin.client().watch.close_campaign(campaign_id, reason.strip())
                st.rerun()


def _open() -> None:
    st.subheader("Open a campaign", anchor=False)
    with st.form("campaign_form", border=True):
        name = st.text_input("What for", key="campaign_name", max_chars=200)
        design = st.selectbox("Drawn", list(DESIGNS), format_func=DESIGNS.__getitem__, key="campaign_design")
        wanted = st.number_input("Payments", 1, 2000, 200, key="campaign_wanted")
        days = st.number_input("Days to answer", 1, 365, 30, key="campaign_days")
        if not st.form_submit_button("Draw and open", icon=":material/playlist_add:", key="campaign_open"):
            return
    if len(name.strip()) < 3:
        st.warning("Say what it is for.")
        return
    form = {"name": name.strip(), "design": design, "wanted": int(wanted), "days": int(days)}
    with frame.attempt(), st.spinner("Drawing payments", show_time=True):
        signin.client().watch.open_campaign(form)
        st.rerun()
