"""What hangs together in a case: its payments, notes, files, and other cases?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.task import task_tools, unsent

Json = dict[str, Any]
LEAD = "team_lead"
SHORTEST = 3


def payments(case: Json) -> None:
    """The payments of a case with several, each with what became of it."""
    found = case.get("payments") or []
    if len(found) < 2:
        return
    st.markdown(f"##### {words.plural(len(found), 'payment')} of one case, each judged by itself")
    rows = [
        {
            "Payment": row["transaction_id"],
            "Paid": frame.when(row["occurred_at"]),
            "Amount": words.money(row["amount_minor"], frame.base_currency()),
            "Engine": words.sign_and_word(row.get("outcome"), words.OUTCOMES),
            "Probability": words.percent(row.get("probability")),
            "Joined": frame.when(row["added_at"]),
            "Settled as": words.sign_and_word(row.get("verdict"), words.VERDICTS),
        }
        for row in found
    ]
    right = st.column_config.TextColumn(alignment="right")
    picked = frame.table(rows, height="content", on_select="rerun", selection_mode="single-row", key="case_payments",
                         column_config={"Amount": right, "Probability": right})  # fmt: skip
    for index in picked["selection"]["rows"]:
        st.switch_page("app_pages/decisions.py", query_params={"id": found[index]["transaction_id"]})


def add_note(case_id: str) -> None:
    """Write a note; it appears in the timeline."""
    if frame.role() not in (LEAD, "risk_manager", "analyst"):
        return
    place, key = f"case:{case_id}", f"case_note_{case_id}"
    unsent.restored(place, key)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Add a note", max_chars=4000, placeholder="What should whoever comes next know?", key=key,
                             live="400ms", on_change=unsent.keep, args=(place, key))  # fmt: skip
        if not st.button("Add", icon=":material/add_comment:", key="add_note") or not text.strip():
            return
    with frame.attempt():
        signin.client().work.note(case_id, text)
        unsent.forget(place, key)
        st.rerun()


def files(case: Json) -> None:
    """Attachments, and the way to add one."""
    found = case.get("files") or []
    may = frame.role() in (LEAD, "risk_manager", "analyst")
    if not found and not may:
        return
    st.subheader("Files", anchor=False)
    for file in found:
        task_tools.download(file)
        st.caption(
            f"{words.plain(file['author'])}, {frame.when(file['at'])} · SHA-256 {file['sha256'][:12]}…"
        )
    if may:
        given = st.file_uploader(
            "Attach a file",
            type=task_tools.FILE_KINDS,
            max_upload_size=task_tools.LARGEST_MB,
            key=f"file_{case['case_id']}",
        )
        if given is not None:
            task_tools.attach(f"cases/{case['case_id']}", given)


def arrange(case: Json) -> None:
    """Links to other cases; for a team lead the means to link, merge and split."""
    links = case.get("links") or []
    lead = frame.role() == LEAD
    if not links and not lead:
        return
    st.subheader("Belongs together", anchor=False)
    for link in links:
        st.page_link("app_pages/cases.py", label=f"{link['case_id']}: {words.plain(link['reason'])}",
                     icon=":material/link:", query_params={"id": link["case_id"]})  # fmt: skip
    if lead:
        with st.container(horizontal=True):
            _with_other(case, "Link", ":material/link:")
            if case["status"] == "open":
                _with_other(case, "Merge", ":material/merge:")
                _split(case)


def _with_other(case: Json, what: str, icon: str) -> None:
    told = {
        "Link": "Both cases stay as they are and lead to each other.",
        "Merge": "All payments of the other case, with their tasks and verdicts, move into this one.",
    }
    with st.popover(what, icon=icon):
        st.caption(told[what])
        other = st.text_input("The other case", placeholder="case_…", key=f"{what}_other")
        reason = st.text_input("Reason", key=f"{what}_reason", max_chars=2000)
        if st.button(what, key=f"{what}_do", disabled=not other or len(reason.strip()) < SHORTEST):
            act = signin.client().work.link if what == "Link" else signin.client().work.merge
            with frame.attempt():
                act(case["case_id"], other.strip(), reason.strip())
                st.rerun()


def _split(case: Json) -> None:
    found = [row["transaction_id"] for row in case.get("payments") or []]
    if len(found) < 2:
        return
    with st.popover("Split", icon=":material/call_split:"):
        st.caption("These payments go into a case of their own.")
        chosen = st.multiselect("Payments", found)
        reason = st.text_input("Reason", key="split_reason", max_chars=2000)
        ready = chosen and len(chosen) < len(found) and len(reason.strip()) >= SHORTEST
        if st.button("Split", key="split_do", disabled=not ready):
            with frame.attempt():
                made = signin.client().work.split(case["case_id"], chosen, reason.strip())
                st.switch_page("app_pages/cases.py", query_params={"id": made["case_id"]})
