"""What have I done, how did it turn out, and what do others read of it?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views import scorecard_view

Json = dict[str, Any]
SHOWN = 4
MEANT = {True: "confirmed_fraud", False: "legitimate"}
SAID = {"confirmed_fraud": "✕ fraud", "legitimate": "✓ legitimate", "inconclusive": "? unsure"}
FEEDBACK = {
    "missed": "Golden cases you got wrong come here once your verdict stands.",
    "all": "Golden cases come here once your verdict stands.",
    "never": "Your institution gives no feedback on golden cases.",
}


def show() -> None:
    frame.head(
        "My work",
        "What you did, how it turned out, and what others may read of it. Nothing here ranks anybody.",
    )
    work = signin.client().own_work.mine()
    _session(work["session"])
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _to_learn_from(work)
        _pace(work["pace"])
    with right:
        _scorecards(work)


def _session(session: Json) -> None:
    with st.container(border=True):
        if not session["n"]:
            st.markdown("**Nothing answered in the last four weeks.**")
            st.caption("A summary of what you answer since your last long pause will be here.")
            return
        which = "This session" if session["current"] else "Your last session"
        st.markdown(f"**{which}**, since {frame.when(session['since'])}")
        by, currency = session["by_value"], frame.base_currency()
        figures = {
            "Answered": words.count(session["n"]),
            "Fraud": words.count(by["confirmed_fraud"]),
            "Legitimate": words.count(by["legitimate"]),
            "Unsure": words.count(by["inconclusive"]),
            "Money looked at": words.money(session["amount_minor"], currency, short=True),
            "At work": _minutes(session["working_seconds"]),
            "Usual answer": _seconds(session["median_seconds"]),
        }
        for column, (name, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
            column.metric(name, value)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _seconds(seconds: float | None) -> str:
    return words.ABSENT if seconds is None else f"{seconds:.0f} s"


def _to_learn_from(work: Json) -> None:
    st.subheader("To learn from", anchor=False)
    golden, differed = work["golden"], work["disagreements"]
    if not golden and not differed:
        frame.empty(
            "Nothing to learn from yet.",
            "Payments that were settled otherwise than you said come here once everybody is done with them. "
            + FEEDBACK[work["golden_feedback"]],
        )
        return
    for case in golden[:SHOWN]:
        _golden(case)
    for case in differed[:SHOWN]:
        _differed(case)
    if len(golden) > SHOWN or len(differed) > SHOWN:
        with st.expander(f"Earlier ones ({len(golden[SHOWN:]) + len(differed[SHOWN:])})"):
            for case in golden[SHOWN:]:
                _golden(case)
            for case in differed[SHOWN:]:
                _differed(case)


def _golden(case: Json) -> None:
    right = case["value"] == MEANT[case["is_fraud"]]
    with st.container(border=True):
        mark = ":material/check: Right" if right else ":material/close: Not right"
        st.markdown(
            f"{mark} · **golden case** {words.plain(case['transaction_id'])}, {frame.when(case['given_at'])}  \n"
            f"You said {_verdict(case['value'])}; it was {_verdict(MEANT[case['is_fraud']])}."
        )
        _why(case.get("typology"), case.get("adjudicated_note") or case.get("reason"))


def _differed(case: Json) -> None:
    with st.container(border=True):
        amount = words.money(case["amount_minor"], frame.base_currency())
        st.markdown(
            f":material/compare_arrows: **{words.plain(amount)}**, payment {words.plain(case['transaction_id'])}, "
            f"{frame.when(case['given_at'])}  \n"
            f"You said {_verdict(case['value'])}; it was settled as {_verdict(case['settled_as'])}."
        )
        _why(case.get("settled_typology"), case.get("settled_note"))


def _why(typology: str | None, note: str | None) -> None:
    parts = [words.title_of(typology, frame.typologies())] if typology else []
    if note:
        parts.append(f"“{words.plain(note)}”")
    if parts:
        st.caption(" · ".join(parts))


def _verdict(value: str) -> str:
    return SAID.get(value, value)


def _pace(pace: Json) -> None:
    st.subheader(_pace_finding(pace), anchor=False)
    if not pace["by_day"]:
        st.caption(f"No answers in the last {pace['days']} days.")
        return
    show_chart(
        charts.pace, [_spoken(row) for row in pace["by_day"]], palette(), told="Answers by day", key="pace"
    )
    parts = [
        f"{words.title_of(arm, words.ARMS)}: {_seconds(found['value'])}"
        + (f" ({found['low']:.0f} to {found['high']:.0f})" if found["low"] is not None else "")
        for arm, found in pace["by_arm"].items()
    ]
    st.caption(
        f"Answers by day (UTC). Usual time to an answer over {pace['days']} days, idle time left out. "
        f"{'; '.join(parts)}. There is no right pace: cases differ."
    )


def _pace_finding(pace: Json) -> str:
    """What the bars of the days show, in a sentence: their title."""
    answers = sorted(day["n"] for day in pace["by_day"])
    if not answers:
        return "Pace"
    usual, most = answers[len(answers) // 2], answers[-1]
    return f"Pace: usually {words.plural(usual, 'answer')} a working day, at most {words.count(most)}"


def _spoken(row: Json) -> Json:
    return {**row, "told": _seconds(row["median_seconds"])}


def _scorecards(work: Json) -> None:
    st.subheader("My scorecard", anchor=False)
    cards = work["scorecards"]
    if not cards:
        frame.empty(
            "No scorecard has been issued yet.",
            f"One comes every {words.plural(work['issued_every_days'], 'day')} once you have answered ten tasks. You "
            "read it first.",
        )
        return
    names = {card["scorecard_id"]: card for card in cards}
    picked = cards[0]["scorecard_id"]
    if len(cards) > 1:
        picked = st.selectbox(
            "Issued",
            list(names),
            format_func=lambda name: frame.when(names[name]["issued_at"]),
            key="scorecard",
        )
    card = names[picked]
    if card["opened_at"] is None and st.session_state.get("opened_scorecard") != picked:
        _unopened(card, work["others_after_days"])
        return
    with frame.attempt():
        opened = signin.client().own_work.open_scorecard(picked)
        scorecard_view.draw(opened)
        scorecard_view.around(opened, own=True)
        _comment(picked)


def _unopened(card: Json, others_after_days: int) -> None:
    with st.container(border=True):
        st.markdown(f"**A scorecard is waiting for you**, issued {frame.when(card['issued_at'])}.")
        st.caption(
            "Nobody else has read it. Your team lead may once you have opened it, or "
            f"{words.plural(others_after_days, 'day')} after it was issued; you see every look."
        )
        if st.button("Open my scorecard", type="primary", key="open_scorecard", icon=":material/drafts:"):
            st.session_state["opened_scorecard"] = card["scorecard_id"]
            st.rerun()


def _comment(scorecard_id: str) -> None:
    with st.form(f"comment_{scorecard_id}", clear_on_submit=True, border=False):
        text = st.text_area("My comment", max_chars=2000, height=80, key=f"comment_text_{scorecard_id}")
        sent = st.form_submit_button("Add comment", icon=":material/add_comment:")
    st.caption("Your team lead reads your comments with the figures.")
    if sent and text.strip():
        with frame.attempt():
            signin.client().own_work.comment(scorecard_id, text)
            st.rerun()


show()
