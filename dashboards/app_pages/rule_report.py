"""What does each rule bring, is any of them behaving oddly, and which could go?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views import rule_report_view

Json = dict[str, Any]
SECTIONS = {"report": "What each rule brings", "review": "What could go"}
PERIODS = {"30": "Last 30 days", "90": "Last 90 days"}
OWNERS = ("risk_manager", "admin")


def show() -> None:
    frame.head("Rule report", "What rules caught, what only they caught, and which of them could go.")
    left, right = st.columns([1.4, 1])
    with left:
        section = frame.choice("Section", "section", SECTIONS, default="report")
    with right:
        period = frame.choice("Period", "period", PERIODS, default="30")
    since = "" if period == "30" else (frame.now() - timedelta(days=int(period))).isoformat()
    if section == "report":
        _report(since)
    else:
        _review(since)


def _report(since: str) -> None:
    with st.spinner("Counting", show_time=True):
        found = signin.client().consequences.rules_report(since=since)
    rows = sorted(found["rules"], key=lambda rule: -rule["hits"])
    if not rows:
        frame.empty("No rules run.", "Propose one on the Rules page.")
        return
    st.markdown(f"##### {words.plain(rule_report_view.finding(found))}")
    rule_report_view.alarms(found)
    picked = rule_report_view.table(rows, found)
    if picked is not None:
        rule_report_view.one(rows[picked], found)
    st.caption(
        "  \n".join(words.sentence(line) for line in (found["maturity"]["sentence"], found["alarm_method"]))
    )


def _review(since: str) -> None:
    with st.spinner("Deciding the past again without each rule", show_time=True):
        found = signin.client().consequences.rules_review(since=since)
    st.markdown(f"##### {words.plain(rule_report_view.review_finding(found))}")
    rule_report_view.review_table(found)
    rule_report_view.pruning(found)
    if found["pruning"]["files"] and frame.role() in OWNERS:
        _propose(found["pruning"]["files"])


def _propose(files: Json) -> None:
    with st.form("propose_pruning", border=True):
        reason = st.text_input("Reason", max_chars=2000, placeholder="Why these rules are not needed")
        sent = st.form_submit_button("Propose to retire them", type="primary", icon=":material/approval:")
    if sent and len(reason.strip()) < 3:
        st.warning("Write a reason; the person who approves reads it.")
    elif sent:
        with frame.attempt():
            made = signin.client().propose(reason.strip(), {"files": files})
            st.success(f"Proposed as {words.plain(made['proposal_id'])}: another person looks at it.")


show()
