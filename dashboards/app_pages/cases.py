"""Which cases are there, what is the story of one, and what happens to its payment?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, paging, words
from dashboards.task import case_view

Json = dict[str, Any]
PAGE_SIZE = 50
LEADS = ("team_lead", "risk_manager")
BLOCKERS = (*LEADS, "admin")


def show() -> None:
    if case_id := st.query_params.get("id"):
        _one(signin.client().case(case_id))
    else:
        _list()


def _list() -> None:
    frame.head("Cases", "Payments that people look at, newest first.")
    status = frame.choice("Status", "status", words.signed(words.CASE_STATES))
    walked = paging.cursors("cases", {"status": status})
    found = signin.client().cases(status=status, limit=PAGE_SIZE, cursor=walked[-1])
    cases = frame.items(found, "cases")
    if not cases:
        frame.empty(
            "No case here.",
            "A case opens when a payment is worth a person's look, or by hand from a decision.",
        )
        return
    _table(cases)
    paging.buttons(walked, found.get("next_cursor"))


def _table(cases: list[Json]) -> None:
    currency = frame.base_currency()
    rows = [
        {
            "Status": words.sign_and_word(case["status"], words.CASE_STATES),
            "Opened": frame.when(case["opened_at"]),
            "Why": words.title_of(case.get("reason", ""), words.REASONS),
            "What was noticed": _noticed(case),
            "Amount": words.money(case.get("amount_minor"), currency),
            "Due": words.due(case.get("deadline"), frame.now())
            if not case.get("closed_at")
            else words.ABSENT,
            "Verdict": words.sign_and_word(case.get("verdict"), words.VERDICTS),
        }
        for case in cases
    ]
    picked = frame.table(rows, on_select="rerun", selection_mode="single-row", key="cases_table", height=470,
                         column_config={
                             "Amount": st.column_config.TextColumn(alignment="right"),
                             "What was noticed": st.column_config.TextColumn(width=470)})  # fmt: skip
    chosen = picked["selection"]["rows"]
    if chosen:
        st.switch_page("app_pages/cases.py", query_params={"id": cases[chosen[0]]["case_id"]})
    st.caption("Select a row to open it.")


def _why(case: Json) -> str:
    """The sentence of the engine, or of the person who opened it."""
    reason = words.title_of(case.get("reason", ""), words.REASONS)
    detail = case.get("reason_detail", "")
    return f"{reason}: {detail}" if case.get("reason") == "by_hand" else detail or reason


def _noticed(case: Json) -> str:
    """The sentence without the reason it begins with, which stands in a column of its own."""
    detail = str(case.get("reason_detail") or "")
    for known in ("A rule asks for a person: ", "Rule and model disagree. The rule says: "):
        detail = detail.removeprefix(known)
    return words.capital(detail) or words.ABSENT


def _one(case: Json) -> None:
    frame.head("Case", words.plain(_why(case)))
    st.page_link("app_pages/cases.py", label="All cases", icon=":material/arrow_back:")
    _facts(case)
    case_view.payments(case)
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _timeline(case.get("timeline") or [])
        case_view.add_note(case["case_id"])
        _tasks(case.get("tasks") or [])
    with right:
        _verdicts(case.get("verdicts") or [])
        if case.get("verdict") == "confirmed_fraud" and frame.role() in BLOCKERS:
            _list_it(case)
        _dispositions(case)
        case_view.files(case)
        case_view.arrange(case)


def _facts(case: Json) -> None:
    decision = case.get("decision") or {}
    with st.container(border=True):
        frame.facts(
            [
                ("Status", words.badge(case["status"], words.CASE_STATES)),
                ("Amount", f"**{words.money(case.get('amount_minor'), frame.base_currency())}**"),
                ("Engine", words.badge(decision.get("outcome"), words.OUTCOMES)),
                ("Probability", words.percent(decision.get("probability"))),
                ("Settled as", words.badge(case.get("verdict"), words.VERDICTS)),
                ("Closed", frame.when(case["closed_at"]))
                if case.get("closed_at")
                else ("Due", words.due(case.get("deadline"), frame.now())),
            ],
            columns=6,
        )
    if decision.get("transaction_id"):
        st.page_link("app_pages/decisions.py", label=f"The decision on {decision['transaction_id']}",
                     icon=":material/search:", query_params={"id": decision["transaction_id"]})  # fmt: skip


def _timeline(story: list[Json]) -> None:
    st.subheader("What happened", anchor=False)
    for entry in story:
        text = words.plain(_said(str(entry.get("text", ""))))
        st.markdown(
            f":gray[{frame.when(entry['at'], seconds=True)}] **{words.plain(entry['actor'])}** {text}"
        )


def _said(text: str) -> str:
    """The codes of the timeline in the words of the screen."""
    for code, (_, word, _) in words.VERDICTS.items():
        text = text.replace(code, word.lower())
    return text.replace(": verdict: ", ", because the verdict is ")


def _tasks(tasks: list[Json]) -> None:
    if not tasks:
        return
    st.subheader("Tasks", anchor=False)
    rows = [
        {
            "Kind": words.capital(str(task["kind"])),
            "Lane": words.title_of(task.get("lane", ""), words.LANES),
            "Status": words.capital(str(task["status"])),
            "Display": words.title_of(task.get("arm", ""), words.ARMS),
            "Chance of being drawn": words.percent(task.get("probability")),
            "Reviewer": task.get("claimed_by") or words.ABSENT,
        }
        for task in tasks
    ]
    frame.table(rows, height="content")


def _verdicts(verdicts: list[Json]) -> None:
    st.subheader("Verdicts", anchor=False)
    if not verdicts:
        st.caption("None that you can see yet.")
    for verdict in verdicts:
        with st.container(border=True, gap="xsmall"):
            undone = " :gray-badge[undone]" if verdict.get("undone_at") else ""
            st.markdown(
                f"**{words.plain(verdict['reviewer'])}** {words.badge(verdict['value'], words.VERDICTS)}{undone}"
            )
            parts = [
                words.title_of(verdict["typology"], words.TYPOLOGIES) if verdict.get("typology") else "",
                words.title_of(verdict["reason_code"], words.REASON_CODES)
                if verdict.get("reason_code")
                else "",
                f"confidence {verdict['confidence']}" if verdict.get("confidence") else "",
                f"{words.number(verdict.get('seconds'), 0)} s",
                words.title_of(verdict.get("arm", ""), words.ARMS).lower(),
            ]
            st.caption(" · ".join(part for part in parts if part))
            if verdict.get("note"):
                st.markdown(f"“{words.plain(verdict['note'])}”")


def _confirmed(case: Json) -> list[str]:
    """The payments of a case that were confirmed as fraud themselves, the one it was opened on first."""
    lead = (case.get("decision") or {}).get("transaction_id", "")
    found = [
        row["transaction_id"] for row in case.get("payments") or [] if row.get("verdict") == "confirmed_fraud"
    ]
    return sorted(found, key=lambda name: name != lead)


def _list_it(case: Json) -> None:
    """One button for each entity of a payment that was confirmed: on the block list, at once, for a month.

    A case of several payments closes as the worst that was found; the others' customers may be honest.
    """
    found = _confirmed(case)
    if not found:
        return
    st.subheader("Block list", anchor=False)
    payment = found[0]
    if len(found) > 1:
        payment = st.selectbox("Of the confirmed payment", found, key="block_of")
    decision = signin.client().decision(payment)
    with st.container(horizontal=True):
        for entity, value in (decision.get("entities") or {}).items():
            label = f"Block {entity} {words.plain(str(value))}"
            if value and st.button(label, icon=":material/block:", key=f"block_{entity}"):
                with frame.attempt():
                    asked = {"entity": entity, "case_id": case["case_id"], "transaction_id": payment}
                    signin.client().safety.list_value(asked)
                    st.toast(f"{entity} {value} is on the block list for 30 days.")
    st.caption("At once, for 30 days. Lists and snoozes shows what it catches, and ends it.")


def _dispositions(case: Json) -> None:
    st.subheader("The payment", anchor=False)
    steps = case.get("dispositions") or []
    for step in steps:
        reason = words.plain(words.capital(_said(step.get("reason", ""))))
        st.markdown(f"{words.badge(step['value'], words.DISPOSITIONS)} {reason}")
        st.caption(f"{words.plain(step.get('actor', ''))}, {frame.when(step['at'])}")
    if not steps:
        st.caption("Nothing has happened to it yet beyond the engine's answer.")
    if frame.role() in LEADS:
        _dispose(case["case_id"])


def _dispose(case_id: str) -> None:
    with st.form("dispose", border=True):
        value = st.selectbox("What happens to it", list(words.DISPOSITIONS), index=None, placeholder="Choose",
                             format_func=lambda code: words.sign_and_word(code, words.DISPOSITIONS))  # fmt: skip
        reason = st.text_input("Reason", max_chars=2000)
        if not st.form_submit_button("Record", icon=":material/gavel:"):
            return
    if not value or len(reason.strip()) < 3:
        st.warning("Choose what happens and write a reason.")
        return
    with frame.attempt():
        signin.client().dispose(case_id, value, reason.strip())
        st.rerun()


show()
