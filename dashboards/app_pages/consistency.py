"""How consistently do the reviewers decide, on what evidence, and in which display arm?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import charts, frame, signin, words
from dashboards.palette import palette

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


def show() -> None:
    frame.head("Consistency", "Blind second reviews drawn at random show how far a verdict is evidence.")
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
    _pairs(report.get("by_pair") or [])
    st.caption(words.plain(report.get("basis", "")))


def _headline(report: Json) -> None:
    if report.get("state") != ENOUGH:
        st.info(
            "**Not enough evidence yet** for a finding; intervals come once there is enough.",
            icon=":material/hourglass_empty:",
        )
    st.markdown(f"##### {words.plain(report.get('sentence', ''))}")
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
        least = min(0.0, *(row["low"] for row in rows))
        told = "; ".join(
            f"{row['name']} {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for row in rows
        )
        st.altair_chart(
            charts.intervals(rows, palette(), domain=(least, 1.0)), theme=None, alt=told, key="measures"
        )


def _arms(by_arm: dict[str, Json]) -> None:
    if not by_arm:
        return
    st.subheader("By display arm", anchor=False)
    rows = [
        {"Arm": words.title_of(arm, words.ARMS), "Payments": report["n_items"]}
        | {
            label: _told(report.get(name) or {}, as_share=name in SHARES)
            for name, (label, _) in MEASURES.items()
        }
        for arm, report in by_arm.items()
    ]
    frame.table(rows, height="content")


def _told(measure: Json, *, as_share: bool = False) -> str:
    written = words.percent if as_share else words.number
    value, low, high = (measure.get(part) for part in ("value", "low", "high"))
    between = "" if low is None or high is None else f"  ({written(low)} to {written(high)})"
    return written(value) + between


def _pairs(pairs: list[Json]) -> None:
    if not pairs:
        return
    st.subheader("By pair of reviewers", anchor=False)
    rows = [
        {
            "Reviewers": words.listed(pair["reviewers"]),
            "Payments": pair["n_items"],
            "Raw agreement": words.percent(pair.get("raw")),
            "Agreement on fraud": words.percent(pair.get("positive_specific")),
            "Cohen's kappa": _told(pair.get("cohen_kappa") or {}),
        }
        for pair in pairs
    ]
    frame.table(rows, height="content")
    st.caption("To learn from, together with the people named. Not a ranking: pairs saw different payments.")


show()
