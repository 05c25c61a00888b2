"""How is a look at drift laid out: where something moved, how far, and what was done about it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = Mapping[str, Any]
LEVELS = {
    "stable": ("●", "Stable", "green"),
    "notice": ("▲", "Moved", "orange"),
    "alarm": ("■", "Drifted", "red"),
}
APPROVERS = ("risk_manager", "admin")


def draw(found: Json, wide: Json) -> None:
    """The latest look, wider reviews in force, and the looks before."""
    last = found["latest"]
    if last is None:
        frame.empty(
            "Nobody has looked for drift yet.",
            "The job 'drift' looks once a day; it can be run on the Jobs page.",
        )
        return
    st.markdown(f"{words.badge(last['level'], LEVELS)} {words.plain(last['sentence'])}")
    st.caption(
        f"Decisions from {frame.when(last['since'])} to {frame.when(last['until'])} against those since "
        f"{frame.when(last['reference_since'])}: {words.count(last['rows']['recent'])} against "
        f"{words.count(last['rows']['reference'])} rows."
    )
    _volume(last)
    _widenings(wide["widenings"])
    _inputs(last)
    _segments(last)
    _before(found["reports"])


def _volume(last: Json) -> None:
    volume, fraud = last["volume"], last["reported_fraud"]
    facts = {
        "Decisions a day": words.number(volume["per_day_now"], 0),
        "Before": words.number(volume["per_day_before"], 0),
        f"Reported fraud within {fraud['age_days']} d": _of(fraud["now"]),
        "Before, at the same age": _of(fraud["before"]),
    }
    for column, (label, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        column.metric(label, value)


def _of(counts: Json) -> str:
    return f"{words.count(counts['frauds'])} of {words.count(counts['payments'])}"


def _widenings(rows: list[Json]) -> None:
    for row in rows:
        if row["in_force"]:
            st.warning(
                f"Reviews are widened in segment {words.plain(row['segment'])} until {frame.when(row['ends_at'])}: "
                f"from {words.percent(row['factor'])} of the usual cut-off on, at most {row['most']} a day; "
                f"{words.count(row['reviews'])} so far. {words.plain(row['sentence'])}"
            )
            if frame.role() in APPROVERS:
                _end(row["segment"])


def _end(segment: str) -> None:
    with st.popover(f"End it in {segment}", icon=":material/close:"):
        reason = st.text_input("Reason", key=f"end_{segment}", max_chars=2000)
        if st.button("End wider reviews", key=f"end_now_{segment}", disabled=len(reason.strip()) < 3):
            with frame.attempt():
                signin.client().watch.end_widening(segment, reason.strip())
                st.rerun()


def _inputs(last: Json) -> None:
    st.subheader("Inputs, margin and answers", anchor=False)
    rows = [
        {
            "Level": words.sign_and_word(each["level"], LEVELS),
            "What": each["phrase"],
            "PSI": words.number(each["psi"], 3),
            "Test": each["test"],
            "q": "< 0.0001" if each["q_value"] < 0.0001 else words.number(each["q_value"], 4),
            "Missing before": words.percent(each["missing_before"], 1),
            "Missing now": words.percent(each["missing_now"], 1),
        }
        for each in last["inputs"]
    ]
    frame.table(rows, height=360 if len(rows) > 9 else "content")
    left = ", ".join(f"`{name}`" for name in last["left_out"])
    st.caption(
        "PSI over the deciles of the weeks before (0.1 moved, 0.25 drifted), and only where a two-sample test, "
        "corrected for the number of columns, says that chance does not explain it (q at most 0.001). "
        + ("" if last["margin_compared"] else "The margin is left out: two models made it. ")
        + (f"Left out, since they grow by themselves: {left}." if left else "")
    )
    moved = [each for each in last["inputs"] if each["level"] != "stable"]
    for each in moved[:6]:
        with st.expander(f"Bins of {each['phrase']}"):
            bins = zip(each["labels"], each["expected"], each["actual"], strict=True)
            frame.table(
                [{"Bin": b, "Before": words.percent(e, 1), "Now": words.percent(a, 1)} for b, e, a in bins],
                height="content",
            )


def _segments(last: Json) -> None:
    if len(last["segments"]) < 2:
        return
    st.subheader("By segment of the policy", anchor=False)
    rows = [
        {
            "Level": words.sign_and_word(row["level"], LEVELS),
            "Segment": words.capital(row["segment"].replace("_", " ")),
            "Decisions": words.count(row["rows"]),
            "What moved": row["sentence"].replace("_", " "),
        }
        for row in last["segments"]
    ]
    frame.table(rows, height="content")


def _before(reports: list[Json]) -> None:
    with st.expander(f"All {words.count(len(reports))} looks"):
        rows = [
            {
                "Looked": frame.when(row["made_at"]),
                "Level": words.sign_and_word(row["level"], LEVELS),
                "What was found": row["sentence"],
            }
            for row in reports
        ]
        frame.table(rows, height="content")
