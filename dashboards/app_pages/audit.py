"""Was anything altered, and what happened to whom, when, by whose hand?"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from dashboards import frame, paging, signin, words

Json = dict[str, Any]
PAGE_SIZE = 100


def show() -> None:
    frame.head(
        "Audit",
        "Every change of anything is an event, chained by hash. This page reads; it can change nothing.",
    )
    _approved_set()
    _verification()
    _events()


def _approved_set() -> None:
    with frame.attempt():
        current = signin.client().approved_set()
        with st.container(border=True):
            frame.facts(
                [
                    ("Approved set that decides", f"`{current.get('set_id', '')}`"),
                    ("Approved by", words.plain(str(current.get("approved_by", "")))),
                    ("Approved", frame.when(current.get("approved_at"))),
                    ("Reason", words.plain(str(current.get("reason") or words.ABSENT))),
                ],
                columns=4,
            )


def _verification() -> None:
    st.subheader("Chain of events", anchor=False)
    if st.button(
        "Verify the whole chain", type="primary", shortcut="V", icon=":material/verified:", key="verify"
    ):
        with (
            frame.attempt(),
            st.spinner("Walking the chain; about a second per 100,000 events", show_time=True),
        ):
            st.session_state["verification"] = signin.client().verification()
    report = st.session_state.get("verification")
    if report is None:
        st.caption("Recomputes every hash from the stored bytes, and the digest of every imported chunk.")
    elif report.get("ok"):
        st.success(
            f"{words.plural(report['events'], 'event')} verified; nothing was altered.",
            icon=":material/verified:",
        )
    else:
        st.error(
            f"The chain breaks at event {report.get('first_bad_seq')}: {words.plain(str(report.get('problem')))}"
        )


def _events() -> None:
    st.subheader("Events, newest first", anchor=False)
    subject_box, kind_box = st.columns(2)
    subject = subject_box.text_input(
        "Subject", key="subject", bind="query-params", placeholder="case:…, transaction:…, user:…"
    )
    kind = kind_box.text_input("Kind", key="kind", bind="query-params", placeholder="set.approved")
    search = {"subject": subject.strip(), "kind": kind.strip()}
    walked = paging.cursors("events", search)
    with frame.attempt():
        found = signin.client().events(**search, before=walked[-1], limit=PAGE_SIZE)
        events = frame.items(found, "events")
        _event_table(events)
        paging.buttons(walked, str(events[-1]["seq"]) if len(events) == PAGE_SIZE else None)


def _event_table(events: list[Json]) -> None:
    if not events:
        frame.empty(
            "No event matches.", "Subjects look like `case:…` or `transaction:…`; kinds like `verdict.given`."
        )
        return
    rows = [
        {
            "Event": event["seq"],
            "Time": frame.when(event["recorded_at"], seconds=True),
            "Who": event["actor"],
            "What": event["kind"],
            "About": event["subject"],
            "Hash": event["hash"][:12],
        }
        for event in events
    ]
    picked = frame.table(rows, on_select="rerun", selection_mode="single-row", key="events_table", height=360)
    for index in picked["selection"]["rows"]:
        event = events[index]
        st.markdown(f"**Event {event['seq']}**, hash `{event['hash']}`")
        st.code(json.dumps(event["payload"], indent=2, ensure_ascii=False), language="json", height=260)


show()
