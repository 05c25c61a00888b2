"""How consistently do the reviewers decide, on what evidence, with which screen, and where do they differ?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views import consistency_view, disputes_view, pace_view, pilot_view

Json = dict[str, Any]
ENOUGH = "enough"
# Field of the report -> label, and the least value of the measure.
MEASURES = {
    "raw": ("Raw agreement", 0.0),
    "positive_specific": ("Agreement on fraud", 0.0),
    "alpha": ("Krippendorff's alpha", -1.0),
    "ac1": ("Gwet's AC1", -1.0),
}
SHARES = ("raw", "positive_specific")
FURTHER = {
    "negative_specific": "Agreement on the rest",
    "alpha_ordinal": "Alpha, unsure as half-way",
    "ac1_all_items": "AC1, shares from all items",
}


SECTIONS = {
    "agreement": "Agreement",
    "slices": "By week, queue, rule",
    "trend": "Trend",
    "display": "What the screen does",
    "disputes": "Where people differ",
    "pace": "Pace",
    "people": "People",
    "pilots": "Pilots",
}
FOR_LEADS, FOR_REVIEWERS = ("disputes", "pilots"), ("people",)


def show() -> None:
    frame.head("Consistency", "Blind second reviews drawn at random show how far a verdict is evidence.")
    part = frame.choice("Part", "part", _sections(frame.role()), default="agreement")
    if part == "agreement":
        _agreement()
    else:
        VIEWS[part]()


def _sections(role: str) -> dict[str, str]:
    """Examples of disputes are for who writes guidelines; figures of people for themselves and their team lead."""
    hidden = set() if role == "team_lead" else {*FOR_LEADS, *(() if role == "analyst" else FOR_REVIEWERS)}
    return {name: title for name, title in SECTIONS.items() if name not in hidden}


VIEWS = {
    "slices": consistency_view.slices,
    "trend": consistency_view.trend,
    "display": consistency_view.display,
    "disputes": disputes_view.show,
    "pace": pace_view.show,
    "people": pace_view.people,
    "pilots": pilot_view.show,
}


def _agreement() -> None:
    report = signin.client().consistency(arm=frame.choice("Display arm", "arm", words.ARMS))
    if not report.get("n_pairs"):
        frame.empty(
            "No payment has been judged by two people yet.",
            "A random share of cases goes to a second person who knows nothing of the first; the figures come "
            "from those.",
        )
        return
    _headline(report)
    _picture(report)
    _arms(report.get("by_arm") or {})
    st.caption(words.plain(report.get("basis", "")))


def _headline(report: Json) -> None:
    if report.get("state") != ENOUGH:
        st.info(
            "**Not enough evidence yet** for a finding; intervals come once there is enough.",
            icon=":material/hourglass_empty:",
        )
    st.markdown(f"##### {words.sentence(report.get('sentence', ''))}")
    for column, (name, (label, _)) in zip(st.columns(4, border=True), MEASURES.items(), strict=True):
        with column:
            _measure(label, report.get(name) or {}, as_share=name in SHARES)
    st.caption(
        f"{words.plural(report['n_items'], 'payment')} judged by two or more people · "
        f"{words.plural(report['n_pairs'], 'pair')} of verdicts · "
        f"{words.plural(report.get('n_reviewers', 0), 'reviewer')} · "
        f"{words.plural(report.get('positive_ratings', 0), 'verdict')} of fraud among them"
    )


def _measure(label: str, measure: Json, *, as_share: bool) -> None:
    value, low, high = measure.get("value"), measure.get("low"), measure.get("high")
    if low is None or high is None:
        note = "not enough evidence for an interval"
    elif as_share:
        note = f"95 %: {words.percent(low)} to {words.percent(high)}"
    else:
        note = f"95 %: {words.interval(low, high)}"
    told = words.percent(value) if as_share else words.number(value)
    frame.figure(label, told, note, help_text=measure.get("sentence") or None)


def _picture(report: Json) -> None:
    names = {name: label for name, (label, _) in MEASURES.items()} | FURTHER
    rows = [
        {
            "name": label,
            "value": report[name]["value"],
            "low": report[name]["low"],
            "high": report[name]["high"],
        }
        for name, label in names.items()
        if (report.get(name) or {}).get("value") is not None and report[name].get("low") is not None
    ]
    if rows:
        st.markdown(f"##### {_picture_finding(report)}")
        least = min(0.0, *(row["low"] for row in rows))
        told = "; ".join(
            f"{row['name']} {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for row in rows
        )
        show_chart(charts.intervals, rows, palette(), domain=(least, 1.0), told=told, key="measures")


def _picture_finding(report: Json) -> str:
    """What the intervals show, in a sentence: their title."""
    fraud, rest = (
        (report.get(name) or {}).get("value") for name in ("positive_specific", "negative_specific")
    )
    if fraud is None or rest is None:
        return "Each measure with its 95 % interval"
    more = "less often agree" if fraud < rest else "agree at least as often"
    return (
        f"Two people {more} on fraud ({words.percent(fraud)}) than on the rest ({words.percent(rest)}); "
        "each measure with its 95 % interval"
    )


def _arms(by_arm: dict[str, Json]) -> None:
    if not by_arm:
        return
    st.subheader("By display arm", anchor=False)
    rows = [
        {"Arm": words.title_of(arm, words.ARMS), "Payments": report["n_items"]}
        | {
            label: consistency_view.told(report.get(name) or {}, as_share=name in SHARES)
            for name, (label, _) in MEASURES.items()
        }
        for arm, report in by_arm.items()
    ]
    frame.table(rows, height="content")


show()
