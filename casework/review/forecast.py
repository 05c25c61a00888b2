"""When does the backlog clear, and what will miss its deadline, if the next days are like the last ones?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data.ledger import Ledger

LOOK_BACK, HORIZON, PATHS = 28, 60, 400
LEAST_DAYS = 7
"""Days of record below which no forecast is made."""
_ARRIVALS = """
    SELECT CAST(created_at AS DATE) AS day, count(*) AS n FROM tasks
    WHERE created_at >= ? AND created_at < ? AND kind <> 'training' GROUP BY day
"""
_REVIEWS = """
    SELECT CAST(given_at AS DATE) AS day, count(*) AS n FROM verdicts
    WHERE given_at >= ? AND given_at < ? AND undone_at IS NULL AND task_kind <> 'training' GROUP BY day
"""
_OPEN = (
    "SELECT deadline FROM tasks WHERE status IN ('open', 'claimed') AND kind <> 'training' ORDER BY deadline"
)


@dataclass(frozen=True, slots=True)
class Past:
    """Whole days, the oldest first: how many tasks arrived and how many were answered on each."""

    days: tuple[str, ...]
    arrivals: tuple[int, ...]
    reviews: tuple[int, ...]


def past(ledger: Ledger, at: datetime) -> Past:
    """The last LOOK_BACK whole UTC days, without those before the first task."""
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    span = [today - timedelta(days=LOOK_BACK), today]
    arrivals = {row["day"].isoformat(): row["n"] for row in ledger.read(_ARRIVALS, span)}
    reviews = {row["day"].isoformat(): row["n"] for row in ledger.read(_REVIEWS, span)}
    days = [(span[0] + timedelta(days=n)).date().isoformat() for n in range(LOOK_BACK)]
    first = min((*arrivals, *reviews), default=days[-1])
    days = [day for day in days if day >= first]
    return Past(tuple(days), tuple(arrivals.get(d, 0) for d in days), tuple(reviews.get(d, 0) for d in days))


def forecast(before: Past, due_in_days: Sequence[float], capacity: int, seed: int) -> dict[str, Any]:
    """What becomes of tasks due in `due_in_days` (days from now, sorted).

    Each of PATHS futures draws whole past days with replacement, arrivals and reviews of one day together, since both
    follow the weekday; the nearest deadline is answered first, and new tasks are due after those there are. Returns the
    medians and 80 % intervals of the day on which the backlog is empty (None: not within HORIZON) and of the number of
    today's tasks that miss their deadline; `known` is False below LEAST_DAYS days of record.
    """
    told = {
        "days": len(before.days),
        "backlog": len(due_in_days),
        "arrivals_per_day": _mean(before.arrivals),
        "reviews_per_day": _mean(before.reviews),
        "capacity_per_day": capacity,
        "by_day": [
            {"day": day, "arrivals": a, "reviews": r}
            for day, a, r in zip(before.days, before.arrivals, before.reviews, strict=True)
        ],
    }
    if len(before.days) < LEAST_DAYS:
        return {**told, "known": False, "clears_in_days": None, "will_miss": None}
    clears, misses = _futures(before, np.asarray(due_in_days), np.random.default_rng(seed))
    return {**told, "known": True, "clears_in_days": _days(clears), "will_miss": _numbers(misses)}


def _futures(before: Past, due: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For each path the day on which nothing waits (HORIZON + 1: never) and how many deadlines are missed."""
    drawn = random.integers(0, len(before.days), size=(PATHS, HORIZON))
    arrivals, reviews = np.asarray(before.arrivals)[drawn], np.asarray(before.reviews)[drawn]
    waiting = np.full(PATHS, float(len(due)))
    clears = np.full(PATHS, float(HORIZON + 1))
    for day in range(HORIZON):
        waiting = np.maximum(waiting + arrivals[:, day] - reviews[:, day], 0.0)
        clears = np.where((waiting == 0) & (clears > HORIZON), day + 1.0, clears)
    day_of = np.stack([_answered_at(row, len(due)) for row in reviews])
    return clears, (day_of > np.maximum(due, 0.0)[None, :]).sum(axis=1) if len(due) else np.zeros(PATHS)


def _answered_at(reviews: np.ndarray, tasks: int) -> np.ndarray:
    """When each of so many tasks is answered, in days from now, if each day's answers are spread over the day."""
    ends = np.concatenate(([0.0], np.cumsum(reviews, dtype=float)))
    busy = np.concatenate(([True], np.diff(ends) > 0))  # the moment a count is first reached
    reached, days = ends[busy], np.arange(len(ends), dtype=float)[busy]
    starts = np.concatenate(([0.0], days[1:] - 1))
    wanted = np.arange(1, tasks + 1, dtype=float)
    index = np.minimum(np.searchsorted(reached, wanted, side="left"), len(reached) - 1)
    answered = reached[index] - reached[np.maximum(index - 1, 0)]
    part = np.divide(
        wanted - reached[np.maximum(index - 1, 0)], answered, where=answered > 0, out=np.ones(tasks)
    )
    return np.where(wanted <= reached[-1], starts[index] + part, np.inf)


def _mean(values: Sequence[int]) -> dict[str, float] | None:
    """The mean of daily counts with its 95 % interval from their spread; None for fewer than two days."""
    if len(values) < 2:
        return None
    mean = float(np.mean(values))
    half = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return {"value": round(mean, 1), "low": round(max(mean - half, 0.0), 1), "high": round(mean + half, 1)}


def _days(values: np.ndarray) -> dict[str, int | None]:
    low, middle, high = (float(q) for q in np.quantile(values, (0.1, 0.5, 0.9), method="nearest"))
    shown = {"low": low, "value": middle, "high": high}
    return {name: int(day) if day <= HORIZON else None for name, day in shown.items()}


def _numbers(values: np.ndarray) -> dict[str, int]:
    low, middle, high = (int(q) for q in np.quantile(values, (0.1, 0.5, 0.9), method="nearest"))
    return {"low": low, "value": middle, "high": high}


def due_in_days(ledger: Ledger, at: datetime) -> list[float]:
    """How many days are left to each open task, sorted; negative for those that are late."""
    return [(row["deadline"] - at).total_seconds() / 86_400 for row in ledger.read(_OPEN)]
