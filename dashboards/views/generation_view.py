"""How do the models in a row fare on payments that none of them learned from, and do decisions go back and forth?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.pieces import charts, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette

Json = dict[str, Any]


def draw(models: list[Json]) -> None:
    """Generations on the hold-out, as the latest run measured them on the same payments, and its alarms."""
    latest = next((m["record"] for m in models if (m.get("record") or {}).get("holdout")), None)
    if latest is None:
        return
    st.subheader("Generations", anchor=False)
    held = latest["holdout"]
    rows = [
        {"name": _name(each["model_id"], models), **each["average_precision"]} for each in held["generations"]
    ]
    told = "; ".join(
        f"{row['name']} {words.number(row['value'], 3)} ({words.interval(row['low'], row['high'], 3)})"
        for row in rows
    )
    show_chart(charts.intervals, rows, palette(), told=told, key="generations")
    by = f"of all {held['by']} values" if held.get("by") else "of payments"
    st.caption(
        f"Average precision on the frozen hold-out, oldest first: {words.percent(held['share'])} {by}, never learned "
        f"from; the same {words.count(held['rows'])} payments with {words.count(held['frauds'])} frauds for all. "
        f"{told}. 95 % bootstrap intervals."
    )
    _oscillation(latest.get("oscillation"))
    for turned in (latest.get("labels_turned"), latest.get("verdicts_turned")):
        if turned:
            st.warning(words.plain(turned["sentence"]))


def _oscillation(found: Json | None) -> None:
    if not found:
        return
    if found["alarm"]:
        st.warning(words.plain(found["sentence"]))
    elif found["flips"]:
        st.caption(
            f"Of {words.plural(found['flips'], 'payment')} whose outcome the champion changed, the latest challenger "
            f"changed {words.count(found['flipped_back'])} back; chance near a cut-off gives half."
        )


def _name(model_id: str, models: list[Json]) -> str:
    status = next((m["status"] for m in models if m["model_id"] == model_id), "")
    word = words.STATUSES[status][1].lower() if status in words.STATUSES else "gone"
    return f"{model_id[:8]} ({word})"
