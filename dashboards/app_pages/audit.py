"""What is on record of a decision, a day, a person, and was anything altered?"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, paging, words
from dashboards.views import as_of_view, erasure_view, evidence_view, record_view, story_view

Json = dict[str, Any]
PAGE_SIZE = 100
SECTIONS = {
    "search": "Search",
    "decision": "A decision",
    "day": "A day of the past",
    "chain": "The chain",
    "replays": "Replays",
    "evidence": "Evidence",
    "erasures": "Erasures",
}


def show() -> None:
    frame.head(
        "Audit",
        "Every change of anything is an event, chained by hash. This page reads; all that it can change is what an "
        "admin erases.",
    )
    section = frame.choice("Part", "section", SECTIONS, default="search")
    {
        "search": _search,
        "decision": _decision,
        "day": as_of_view.page,
        "chain": record_view.chain,
        "replays": record_view.replays,
        "evidence": evidence_view.page,
        "erasures": erasure_view.page,
    }[section]()


def _decision() -> None:
    wanted = st.query_params.get("id", "")
    with st.form("of_decision", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input("Transaction id", value=wanted, placeholder="tx_00058390", width=420)
        if st.form_submit_button("Tell its story", icon=":material/history_edu:") and typed.strip():
            st.query_params["id"] = wanted = typed.strip()
    if not wanted:
        frame.empty(
            "Which decision?",
            "Type a transaction's id, or find one by entity, outcome and time under Decisions.",
        )
        st.page_link("app_pages/decisions.py", label="Find a decision", icon=":material/search:")
        return
    with frame.attempt():
        story_view.draw(wanted)


def _search() -> None:
    _by_id()
    st.markdown("##### Events, newest first")
    search = _filters()
    walked = paging.cursors("events", search)
    with frame.attempt():
        found = signin.client().record.events(search, before=walked[-1], limit=PAGE_SIZE)
        events = frame.items(found, "events")
        _event_table(events)
        paging.buttons(walked, str(events[-1]["seq"]) if len(events) == PAGE_SIZE else None)


def _by_id() -> None:
    wanted = st.text_input(
        "Any id", key="of", bind="query-params", icon=":material/search:", width=620,
        placeholder="transaction, case, task, verdict, model, set, proposal or person",
    ).strip()  # fmt: skip
    if not wanted:
        return
    with frame.attempt():
        found = frame.items(signin.client().record.found(wanted), "found")
        if not found:
            frame.empty("Nothing has this id", "Check it for a missing letter; ids are matched whole.")
        for row in found:
            _named(row)


def _named(row: Json) -> None:
    """What the id names, and the way on from there."""
    at = f", {frame.when(row['at'])}" if row["at"] else ""
    with st.container(border=True):
        st.markdown(
            f"**{words.capital(row['kind'])}** `{row['id']}`: {words.plain(str(row['about']).replace('_', ' '))}{at}"
        )
        with st.container(horizontal=True):
            for transaction_id in row["transactions"][:6]:
                st.page_link(
                    "app_pages/audit.py",
                    label=f"The story of {transaction_id}",
                    icon=":material/history_edu:",
                    query_params={"section": "decision", "id": transaction_id},
                )
            st.page_link(
                "app_pages/audit.py",
                label="Its events",
                icon=":material/list:",
                query_params={"actor": row["id"]} if row["kind"] == "person" else {"subject": row["subject"]},
            )


def _filters() -> dict[str, str]:
    subject_box, kind_box, who_box, from_box, until_box = st.columns([1.4, 1.1, 1, 1.1, 1.1])
    subject = subject_box.text_input(
        "About", key="subject", bind="query-params", placeholder="case:…, transaction:…, user:…"
    )
    kind = kind_box.text_input("What", key="kind", bind="query-params", placeholder="set.approved")
    who = who_box.text_input("Who", key="actor", bind="query-params", placeholder="analyst-1")
    first = from_box.date_input("From", value=None, key="from", bind="query-params", format="YYYY-MM-DD")
    last = until_box.date_input("To", value=None, key="to", bind="query-params", format="YYYY-MM-DD")
    return {
        "subject": subject.strip(),
        "kind": kind.strip(),
        "actor": who.strip(),
        "since": _midnight(first),
        "until": _midnight(last + timedelta(days=1) if last else None),
    }


def _midnight(day: date | None) -> str:
    """The beginning of a day in the reader's zone, as the API wants it."""
    return frame.midnight(day).isoformat() if day else ""


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
            "What": words.capital(event["kind"].replace(".", " ").replace("_", " ")),
            "About": event["subject"],
            "Hash": event["hash"][:12],
        }
        for event in events
    ]
    picked = frame.table(rows, on_select="rerun", selection_mode="single-row", key="events_table", height=400)
    for index in picked["selection"]["rows"]:
        event = events[index]
        st.markdown(
            f"**Event {event['seq']}** `{event['kind']}`, hash `{event['hash']}`, after `{event['prev_hash'][:12]}…`"
        )
        st.code(json.dumps(event["payload"], indent=2, ensure_ascii=False), language="json", height=260)
        for field, said in (event.get("reasons") or {}).items():
            st.caption(f"{words.capital(field.replace('_', ' '))}, kept apart so that it can be erased")
            st.text(said)


show()
