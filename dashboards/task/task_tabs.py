"""Which tabs has a task, and what is only fetched once its tab is opened?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards.task import beside_view, task_facts, task_opinion

Json = dict[str, Any]
WHY = "Why this score"
Part = Callable[[Json], None]
Later = list[tuple[DeltaGenerator, Part]]
"""Places on the page, and what is to be drawn there once everything else stands."""


def main(page: Json, *, blind: bool) -> Later:
    """The left side: why the score, how much before, who else, how others were judged; facts alone where blind."""
    if blind:
        facts: dict[str, Part] = {"Spending": task_facts.spending, "Inputs": task_facts.inputs}
        return _tabs("tabs_blind", page, facts, {"Linked entities": beside_view.links})
    parts: dict[str, Part] = {WHY: task_opinion.explanation, "Spending": task_facts.spending}
    slow: dict[str, Part] = {"Linked entities": beside_view.links, "Similar cases": beside_view.similar}
    return _tabs("tabs_shown", page, parts, slow)


def beside(page: Json, *, blind: bool) -> None:
    """The right side: the rules that spoke, unless the review is blind; guideline, earlier payments, this payment."""
    parts: dict[str, Part] = {
        "Guideline": task_facts.guideline,
        "History": task_facts.history,
        "Payment": task_facts.payment,
    }
    if not blind:
        rules = f"Rules ({len(task_opinion.spoken(page))})"
        parts = {rules: task_opinion.rules, **parts, "Inputs": task_facts.inputs}
    # Where no rule spoke the guideline is beside the facts, not an empty tab.
    silent = not blind and not task_opinion.spoken(page)
    _tabs(f"beside_{page['task_id']}", page, parts, {}, first="Guideline" if silent else None)


def fill(page: Json, later: Later) -> None:
    """Draw what was put off; the verdict bar stands by now, so nobody waits for it."""
    for place, draw in later:
        with place:
            draw(page)


def _tabs(
    key: str, page: Json, parts: dict[str, Part], slow: dict[str, Part], *, first: str | None = None
) -> Later:
    """Tabs of which only the open one is drawn; the slow ones are returned to be drawn last."""
    later: Later = []
    names = [*parts, *slow]
    for tab, name in zip(st.tabs(names, default=first, key=key, on_change="rerun"), names, strict=True):
        if not tab.open:
            continue
        with tab:
            if name in slow:
                later.append((st.container(), slow[name]))
            else:
                parts[name](page)
                if name == WHY:
                    later.append((st.container(), beside_view.what_if))
    return later
