"""Who is learning, may be called qualified, or could be put in training, and what does the guideline say?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
GUIDELINES = "guidelines.md"


def newcomers(people: list[Json]) -> None:
    """Those in training with what is missing, a signature where nothing is, and a way to begin."""
    if frame.role() != "team_lead":
        return
    found = signin.client().work.newcomers()
    st.subheader("In training", anchor=False)
    if not found:
        st.caption(
            "Nobody. A newcomer works past cases with feedback, and verdicts count once you have signed."
        )
    for person in found:
        with st.container(border=True, gap="xsmall"):
            done = f"{person['done']} of {person['needed']} past cases"
            st.markdown(f"**{words.plain(person['user_id'])}**: {done} · recall {_share(person['recall'])} · "
                        f"honest called fraud {_share(person['false_positive_rate'])}")  # fmt: skip
            if person["lacking"]:
                st.caption(f"Still missing: {words.plain(person['lacking'])}.")
            else:
                _ask(
                    "Sign as qualified",
                    person["user_id"],
                    signin.client().work.qualify,
                    ":material/verified_user:",
                )
    learning = {person["user_id"] for person in found}
    names = [p["user_id"] for p in people if p["role"] == "analyst" and p["user_id"] not in learning]
    if names:
        # Not a popover: this far down the page its button would lie below the screen's edge.
        with st.expander("Put somebody in training", icon=":material/school:"):
            user = st.selectbox("Who", names, key="trainee")
            reason = st.text_input("Why now", max_chars=2000, key="trainee_why")
            st.caption("What he or she holds goes to others.")
            if st.button("Begin", key="begin_training", disabled=len(reason.strip()) < 3):
                with frame.attempt():
                    signin.client().work.begin_training(user, reason)
                    st.rerun()


def _ask(label: str, user: str, act: Any, icon: str) -> None:
    with st.popover(label, icon=icon):
        reason = st.text_input("Reason", max_chars=2000, key=f"why_{label}_{user}")
        if st.button(label, key=f"do_{label}_{user}", disabled=len(reason.strip()) < 3):
            with frame.attempt():
                act(user, reason)
                st.rerun()


def _share(share: Json) -> str:
    if share["value"] is None:
        return words.ABSENT
    return (
        f"{words.percent(share['value'])} ({words.percent(share['low'])} to {words.percent(share['high'])})"
    )


def guideline() -> None:
    """The guideline in force, and a way to propose another; each verdict keeps the version that was on the screen."""
    if frame.role() != "team_lead":
        return
    with st.expander("Guideline for reviewers", icon=":material/menu_book:"):
        current = signin.client().file(GUIDELINES)["text"]
        with st.form("guideline", border=False):
            text = st.text_area("Guideline (Markdown)", current, height=320, key="guideline_text")
            reason = st.text_input("What changes, and why", max_chars=2000)
            st.caption(
                "A second person approves it. From then on new tasks show it, and figures can be split by version."
            )
            sent = st.form_submit_button("Propose this guideline", icon=":material/approval:")
        if not sent:
            return
        if text == current or len(reason.strip()) < 3:
            st.warning("Change the text, and write a reason.")
            return
        with frame.attempt():
            made = signin.client().propose(reason.strip(), {"files": {GUIDELINES: text}})
            st.success(f"Proposed as {words.plain(made['proposal_id'])}: another person looks at it.")
            st.page_link("app_pages/proposals.py", label="To the proposals", icon=":material/approval:")
