"""How far do reviewers agree by week, queue, reason, rule, guideline version or any other fact?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from casework.quality.agreement.report import consistency
from casework.quality.agreement.table import Rating

KEPT = ("raw", "positive_specific", "alpha", "ac1")
MOST_VALUES = 60
# Facts of the verdict rather than of the item: two people are compared only where both have the same.
OF_THE_VERDICT = ("guideline", "arm")
WEEK = "week"


@dataclass(frozen=True, slots=True)
class Placed:
    """A rating with the facts it can be sliced by; a fact may have several values (rules) or none."""

    rating: Rating
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given_at: datetime | None = None
    score: float = float("nan")


def in_weeks(placed: Sequence[Placed]) -> list[Placed]:
    """The same with the ISO week of the first verdict on the item as the fact `week`, where times are known: an item
    whose second review came on Monday belongs to one week."""
    first: dict[str, datetime] = {}
    for one in placed:
        if one.given_at is not None:
            item = one.rating.item
            first[item] = min(first.get(item, one.given_at), one.given_at)
    return [
        replace(one, facts={**one.facts, WEEK: (week_of(first[one.rating.item]),)})
        if one.rating.item in first
        else one
        for one in placed
    ]


def week_of(at: datetime) -> str:
    """`2026-W07`, by ISO 8601."""
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02d}"


def breakdown(
    placed: Sequence[Placed], fact: str, *, positive: str, categories: Sequence[str] = (), seed: int = 0
) -> dict[str, Any]:
    """Agreement for each value of one fact, most items first (weeks in order).

    Each row has the number of items with two or more reviewers, positive ratings on them, and raw, positive-specific
    agreement, alpha and AC1 as in the whole report: with an interval, or without one and the reason. Values on which
    nobody was reviewed twice are left out and counted.
    """
    slices: dict[str, list[Rating]] = {}
    for one in placed:
        for value in one.facts.get(fact, ()):
            slices.setdefault(value, []).append(_within(one.rating, value, fact))
    rows = []
    for value, ratings in slices.items():
        found = consistency(
            ratings, positive=positive, categories=categories, seed=seed, with_pairs=False, only=KEPT
        )
        if found.basis.n_items:
            rows.append(_row(value, found.as_json()))
    rows.sort(key=lambda row: row["value"] if fact == WEEK else (-row["n_items"], row["value"]))
    return {
        "fact": fact,
        "groups": rows[-MOST_VALUES:] if fact == WEEK else rows[:MOST_VALUES],
        "n_values": len(slices),
        "without_overlap": len(slices) - len(rows),
        "left_out": max(len(rows) - MOST_VALUES, 0),
    }


def facts_of(placed: Sequence[Placed]) -> list[str]:
    """The names of the facts that any rating has, in the order they were first met."""
    return list(dict.fromkeys(name for one in placed for name, values in one.facts.items() if values))


def _within(rating: Rating, value: str, fact: str) -> Rating:
    """A rating whose item is told apart by what was shown, and by the fact where that is one of the verdict."""
    marks = (rating.arm, value) if fact in OF_THE_VERDICT else (rating.arm,)
    return replace(rating, item="\x1f".join((*marks, rating.item)))


def _row(value: str, report: dict[str, Any]) -> dict[str, Any]:
    counts = ("n_items", "n_pairs", "positive_ratings", "items_with_positive", "disagreeing_items", "state")
    return {"value": value, **{name: report[name] for name in (*counts, *KEPT)}}
