"""What does a scorecard look like, to the person it is about and to the team lead after that?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette

Json = dict[str, Any]
SOURCES = {"golden": "Golden cases", "outcome": "Audited payments"}
MEASURES = {"recall": "Fraud found", "false_positive_rate": "Honest payments called fraud"}
SIGNALS = {
    "recall": "Fraud found",
    "false_positives": "Honest payments called fraud",
    "agrees_on_fraud": "Agreement on fraud",
    "agrees_on_rest": "Agreement on the rest",
    "share": "Share called fraud",
    "unsure": "Left undecided",
    "runs": "Longest run of one answer",
    "seconds": "Answers in under a third of the usual time",
}
COUNTED = ("runs",)
ADVICE = (
    "These figures advise; they rank nobody. People meet different cases, and with few known ones the intervals are "
    "wide. Only golden cases and audited payments count, because nobody's verdict changed what became of them."
)


def draw(card: Json) -> None:
    """The figures of one scorecard."""
    figures = card["figures"]
    st.markdown(f"##### {words.plain(figures['sentence'])}")
    st.caption(
        f"{words.plural(figures['reviews'], 'review')} from {frame.when(figures['since'])} to "
        f"{frame.when(figures['until'])}"
    )
    _talk(figures["signals"])
    _known(figures)
    _money(figures["money"])
    _weight(figures["weight"])
    st.caption(ADVICE)


def _talk(signals: Json) -> None:
    """What is unlike colleagues' work, as a matter for a talk."""
    if not signals["flags"]:
        if signals["looked_at"]:
            st.caption(
                f":material/check: Nothing in the latest {words.plural(signals['n'], 'review')} is unlike colleagues' "
                f"work ({words.plural(len(signals['looked_at']), 'signal')} looked at)."
            )
        return
    st.warning("**Needs a talk.** Some of this is unlike colleagues' work.", icon=":material/forum:")
    rows = [
        {
            "In which respect": SIGNALS.get(flag["name"], flag["name"]),
            "Seen": _told(flag["name"], flag["value"]),
            "Colleagues": _told(flag["name"], flag["expected"]),
            "Out of": flag["n"],
            "Chance of it": "< 0.01 %" if flag["p"] < 1e-4 else words.percent(flag["p"], 2),
        }
        for flag in signals["flags"]
    ]
    frame.table(rows, height="content")
    for flag in signals["flags"]:
        st.caption(words.plain(flag["sentence"]))
    st.caption(
        f"From the latest {signals['window']} reviews, beside colleagues in the same lanes. Somebody like them would "
        f"be shown here in at most {words.percent(signals['level'])} of looks. Until the signals are gone, labels take "
        "this word at half its worth."
    )


def _told(name: str, value: float) -> str:
    return words.count(value) if name in COUNTED else words.percent(value)


def _known(figures: Json) -> None:
    rows = [
        {"name": label, **{part: figures["known"]["all"][name][part] for part in ("value", "low", "high")}}
        for name, label in MEASURES.items()
        if figures["known"]["all"][name]["value"] is not None
    ]
    if rows:
        told = "; ".join(f"{row['name']} {words.percent(row['value'])}" for row in rows)
        show_chart(charts.intervals, rows, palette(), told=told, key=f"known_{figures['reviewer']}")
    table = [
        {"Known from": source}
        | {label: _share(figures["known"][part][name]) for name, label in MEASURES.items()}
        for part, source in {"all": "Both", **SOURCES}.items()
    ]
    frame.table(table, height="content")


def _share(found: Json) -> str:
    counted = f"{found['said']} of {found['n']}"
    if found["value"] is None:
        return f"{counted}, insufficient data" if found["n"] else "none yet"
    return f"{counted}: {words.percent(found['value'])} ({_between(found)})"


def _between(found: Json) -> str:
    return f"{words.percent(found['low'])} to {words.percent(found['high'])}"


def _money(money: Json) -> None:
    currency = frame.base_currency()
    missed, fraud = (words.money(money[name], currency) for name in ("missed_minor", "fraud_minor"))
    seen = f"{missed} of {fraud}" if money["n"] else words.ABSENT
    share = money["share"]
    if share["value"] is None:
        note = f"insufficient data: {words.plural(money['n'], 'known fraud')}"
    else:
        note = f"{words.percent(share['value'])} (95 %: {_between(share)})"
    frame.figure("Money in known frauds that was missed", seen, note)


def _weight(weight: Json) -> None:
    with st.expander("What labels make of these verdicts", icon=":material/scale:"):
        if weight["measured"]:
            frame.facts(
                [
                    ("“Fraud” is worth", words.number(weight["confirmed"])),
                    ("“Legitimate” is worth", words.number(weight["dismissed"])),
                    ("Fraud found, estimated", words.percent(weight["recall"])),
                    ("Honest called fraud, estimated", words.percent(weight["false_positive_rate"])),
                ],
                columns=4,
            )
        st.caption(words.plain(weight["sentence"]))


def around(card: Json, *, own: bool) -> None:
    """Comments, and who else has looked."""
    whose = "You" if own else words.plain(card["reviewer"])
    for said in card["comments"]:
        with st.container(border=True):
            st.markdown(words.plain(said["content"]))
            st.caption(f"{whose}, {frame.when(said['at'])}")
    for look in card["looks"] if own else []:
        st.caption(f":material/visibility: {words.plain(look['seen_by'])} looked on {frame.when(look['at'])}")
