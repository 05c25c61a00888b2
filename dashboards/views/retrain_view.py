"""Which retrains ran, how far is the one under way, and how does somebody ask for one or end it?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views import model_view

Json = dict[str, Any]
TRIGGERS = {
    "schedule": "by schedule",
    "labels": "by new labels",
    "drift": "by drift",
    "person": "asked for",
}
LIVE = "2s"


def show(runs: list[Json], *, may_ask: bool) -> None:
    """The run under way, live; then those that have ended, newest first."""
    st.subheader("Retrains", anchor=False)
    under_way = next((run for run in runs if run["result"] == "running"), None)
    if may_ask and under_way is None:
        _ask()
    if not runs:
        frame.empty(
            "No retrain has run yet.",
            "The schedule in the policy starts one once there are enough new labels.",
        )
    if under_way is not None:
        _live(under_way["run_id"], may_ask)
    for run in runs:
        if run["result"] != "running":
            _ended(run)


@frame.part(every=LIVE)
def _live(run_id: str, may_cancel: bool) -> None:
    """How far it is, asked again every two seconds; when it has ended the whole page is drawn anew."""
    with frame.attempt():
        run = signin.client().learning.run(run_id)
        if run["result"] != "running":
            st.rerun()
        with st.container(border=True):
            seconds = f"{run['seconds']:.0f} s"
            st.progress(float(run["share"]), text=f"Training: {words.plain(run['stage'])}, {seconds} so far")
            st.caption(_asked(run))
            if may_cancel:
                _cancel(run_id)


def _cancel(run_id: str) -> None:
    with st.popover("Cancel", icon=":material/cancel:"):
        reason = st.text_input("Reason", key="cancel_reason", max_chars=2000)
        if st.button("End this run", key="cancel_retrain", disabled=len(reason.strip()) < 3):
            signin.client().learning.cancel(run_id, reason.strip())
            st.rerun()


def _ended(run: Json) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{words.badge(run['result'], words.STATUSES)} {words.plain(run.get('sentence') or '')}")
        st.caption(f"{_asked(run)} · challenger {run.get('challenger_id') or words.ABSENT}")
        answers = run.get("gates") or []
        if answers:
            with st.expander(f"{sum(bool(g['passed']) for g in answers)} of {len(answers)} gates passed"):
                model_view.gates(answers)


def _asked(run: Json) -> str:
    by = words.plain(run.get("requested_by") or words.ABSENT)
    why = f": {words.plain(run['reason'])}" if run.get("reason") else ""
    how = TRIGGERS.get(run.get("trigger", ""), words.plain(run.get("trigger", "")))
    return f"{frame.when(run['started_at'])} · started {how}, {by}{why}"


def _ask() -> None:
    with st.popover("Ask for a retrain", icon=":material/model_training:"):
        reason = st.text_input("Reason", key="retrain_reason", max_chars=2000)
        if st.button("Train a challenger", key="retrain", disabled=len(reason.strip()) < 3):
            with frame.attempt():
                signin.client().retrain(reason.strip())
                st.rerun()
