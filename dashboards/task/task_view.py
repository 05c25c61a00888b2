"""What does the analyst see of one task first: the question, why it is here, amount, score, who?

Everything on the page comes from the task's stored dossier; what stands beside it is stored when first opened.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.pieces import alarm_banner, charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.task import task_tabs, task_tools

Json = dict[str, Any]


def draw(page: Json) -> task_tabs.Later:
    """The whole task, most needed first; returns what takes a moment, to be drawn when the verdict bar stands."""
    _question(page)
    # Alarms are on every other page: whoever judges one payment is told only what changes how all are decided.
    alarm_banner.show(alarm_banner.ask(), frame.now(), alarms=False)
    frame.notice()
    task_tools.escalation_notes(page)
    task_tools.joined(page)
    _key_facts(page)
    if page.get("previous_verdicts"):
        _previous_verdicts(page["previous_verdicts"])
    with st.container(key="task_body"):
        left, right = st.columns([1.65, 1], gap="medium")
        with left:
            later = task_tabs.main(page, blind=is_blind(page))
        with right:
            task_tabs.beside(page, blind=is_blind(page))
    return later


def without_attribute(page: Json, name: str) -> Json:
    """The page without an attribute that no reviewer should judge by, in the payment and in its history."""

    def stripped(payment: Json) -> Json:
        kept = {k: v for k, v in (payment.get("attributes") or {}).items() if k != name}
        return {**payment, "attributes": kept}

    history = [stripped(payment) for payment in page.get("history") or []]
    return {**page, "transaction": stripped(page["transaction"]), "history": history}


def _question(page: Json) -> None:
    left, right = st.columns([3.2, 1], vertical_alignment="center")
    with left, st.container(key="question", gap=None):
        st.header(page.get("question") or "Is this payment fraud?", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        frame.person()
    why = page.get("why") or {}
    reason = words.title_of(why.get("reason", ""), words.REASONS) if why.get("reason") else ""
    lane = words.title_of(page.get("lane_shown", ""), words.LANES)
    marks = [f":blue-badge[{lane}]", *([":violet-badge[Decide first]"] if is_blind(page) else [])]
    if page.get("kind_shown") == "training":
        marks.insert(0, ":green-badge[Training]")
    if page.get("kind_shown") == "adjudication":
        marks = [":violet-badge[⚖ Adjudication]"]
    sentence = words.plain(why.get("sentence") or reason)
    st.markdown(f"{' '.join(marks)} **Why it is here**: {sentence}")


def is_blind(page: Json) -> bool:
    """Whether the reviewer decides before seeing what the engine thinks; once answered, it is shown."""
    return (
        page.get("arm") == "blind_first" and page.get("probability") is None and page.get("status") != "done"
    )


def _key_facts(page: Json) -> None:
    transaction = page["transaction"]
    with st.container(key="key_facts"):
        amount, score, who = st.columns([1.2, 1.3, 1.0], gap="small", border=True)
    with amount:
        finding = words.capital(
            charts.spending_finding(page.get("history") or [], transaction["amount_minor"] or 0)
        )
        amount_text = words.money(transaction["amount_minor"], transaction["currency"])
        frame.figure("Amount", amount_text, f"{finding}.")
        if page.get("history"):
            given = (page["history"], transaction, palette())
            show_chart(charts.small_spending, *given, told=f"{finding}.", key="small_spending")
    with score, st.container(gap="xxsmall"):
        _score(page)
    with who:
        pairs = [
            (name.replace("_", " "), f"**{words.plain(str(value))}**")
            for name, value in transaction["entities"].items()
            if value
        ]
        st.markdown("  \n".join(f":gray[{name}] {value}" for name, value in pairs))
        st.caption(_attributes(transaction) + f"  \n{frame.when(transaction['occurred_at'])}")


def _attributes(transaction: Json) -> str:
    """The first attributes with their names: a country alone does not say whose it is."""
    known = [(k, v) for k, v in (transaction.get("attributes") or {}).items() if v not in (None, "")]
    return " · ".join(f"{words.plain(k.replace('_', ' '))} **{words.plain(str(v))}**" for k, v in known[:4])


def _score(page: Json) -> None:
    probability, thresholds = page.get("probability"), page.get("thresholds")
    if is_blind(page):
        st.markdown(f":material/visibility_off: {words.BLIND}")
        return
    if probability is None:
        frame.figure("Probability of fraud", words.ABSENT, words.NO_MODEL)
        return
    frame.figure("Probability of fraud", words.percent(probability))
    if thresholds and {"review_at", "decline_at"} <= thresholds.keys():
        told = (
            f"Probability {words.percent(probability)}; review from {words.percent(thresholds['review_at'])}, "
            f"decline from {words.percent(thresholds['decline_at'])}."
        )
        show_chart(charts.threshold_strip, probability, thresholds, palette(), told=told, key="strip")
        st.caption(what_decided(probability, thresholds, page.get("rules") or []))


def what_decided(probability: float, thresholds: Json, rules: list[Json]) -> str:
    """Whether score or rules made the engine ask, and what would have changed that."""
    strictness = list(words.OUTCOMES)
    by_score = (
        "decline"
        if probability >= thresholds["decline_at"]
        else "review"
        if probability >= thresholds["review_at"]
        else "approve"
    )
    floors = [r["floor"] for r in rules if r.get("state") == "hit" and r.get("floor") in strictness]
    by_rules = max(floors, key=strictness.index, default="approve")
    if strictness.index(by_rules) > strictness.index(by_score):
        return f"The score alone would {by_score}; a rule asks for {by_rules}."
    also = ", and so does a rule" if by_rules == by_score != "approve" else ""
    return f"The score alone asks for {by_score}{also}."


def _previous_verdicts(verdicts: list[Json]) -> None:
    told = "The reviewers differ" if len(verdicts) > 1 else "The reviewer could not tell"
    st.markdown(f"##### {told}; your verdict settles it")
    for column, verdict in zip(st.columns(len(verdicts), border=True), verdicts, strict=True):
        with column:
            st.markdown(
                f"**{words.plain(verdict['reviewer'])}** {words.badge(verdict['value'], words.VERDICTS)}"
            )
            arm = words.title_of(verdict.get("arm", ""), words.ARMS)
            sure = words.title_of(verdict.get("confidence", ""), words.CONFIDENCES).lower()
            st.caption(f"confidence {sure} · {words.number(verdict.get('seconds'), 0)} s · {arm}")
            if verdict.get("note"):
                st.markdown(f"“{words.plain(verdict['note'])}”")
