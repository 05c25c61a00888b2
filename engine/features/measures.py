"""What does each measure read from a window of one entity value's history?

Every function takes the history, the window as rows low..high (not empty), the present time in microseconds
and (place of its column, width of its window), and gives the feature's value.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from engine.decision import FeatureValue
from engine.features.feature_set import LARGEST_SUM, LEAST_SUM
from engine.features.history import History

Place = tuple[int, int]
Measure = Callable[[History, int, int, int, Place], FeatureValue]


def count(history: History, low: int, high: int, now: int, at: Place) -> int:
    return high - low


def amount_sum(history: History, low: int, high: int, now: int, at: Place) -> int:
    totals = history.sums.totals  # type: ignore[union-attr]
    total = totals[high] - totals[low]
    return total if LEAST_SUM <= total <= LARGEST_SUM else min(max(total, LEAST_SUM), LARGEST_SUM)


def amount_mean(history: History, low: int, high: int, now: int, at: Place) -> float | None:
    totals = history.sums.totals  # type: ignore[union-attr]
    priced = history.priced(low, high)
    return float(totals[high] - totals[low]) / priced if priced else None


def amount_std(history: History, low: int, high: int, now: int, at: Place) -> float | None:
    """Sample standard deviation from exact integer sums: sqrt((n sum(a^2) - sum(a)^2) / (n (n - 1)))."""
    priced = history.priced(low, high)
    if priced < 2:
        return None
    totals, squares = history.sums.totals, history.squares.totals  # type: ignore[union-attr]
    total = totals[high] - totals[low]
    spread = priced * (squares[high] - squares[low]) - total * total
    return sqrt(
        float(spread) / float(priced * (priced - 1))
    )  # rounded as SQL rounds, so that replays are equal


def largest(history: History, low: int, high: int, now: int, at: Place) -> float | None:
    column = history.columns[at[0]]
    value = column.largest(low, high)
    return None if value == column.missing else value


def distinct(history: History, low: int, high: int, now: int, at: Place) -> int:
    return history.codes[at[0]].different(at[1], low, high)


def seconds_since_last(history: History, low: int, high: int, now: int, at: Place) -> float:
    return (now - history.times[high - 1]) / 1_000_000


def seconds_since_first(history: History, low: int, high: int, now: int, at: Place) -> float:
    return (now - history.times[low]) / 1_000_000


MEASURES: dict[str, Measure] = {
    "count": count,
    "sum": amount_sum,
    "mean": amount_mean,
    "max": largest,
    "std": amount_std,
    "distinct": distinct,
    "seconds_since_last": seconds_since_last,
    "seconds_since_first": seconds_since_first,
}

# What a feature is when its window holds nothing; measures not named here are missing.
EMPTY = {"count": 0, "sum": 0, "distinct": 0, "fraud_count": 0, "frauds_learned": 0}
