"""What would a team that can look at so many payments a day find, counted in frauds and in money?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.errors import InputError
from engine.measuring.intervals import RESAMPLES, Interval, percentile_interval, resampled_weights
from engine.measuring.metrics import weights

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Capacity:
    """How many payments a day can be reviewed, and what each payment is about (minor units, NaN where unknown)."""

    reviews_per_day: int
    amount_minor: np.ndarray

    def part(self, first: int, last: int) -> Capacity:
        """The same for positions `first` up to, not including, `last`."""
        return Capacity(self.reviews_per_day, self.amount_minor[first:last])


@dataclass(frozen=True)
class AtCapacity:
    """If the highest scores of each day were reviewed: the share of reviews that are fraud (precision), the share of
    frauds among the reviewed (recall), and the share of the fraudulent money (value detection rate)."""

    reviews_per_day: int
    days: int
    precision: Interval
    recall: Interval
    value_detection_rate: Interval

    def to_json(self) -> dict[str, Any]:
        return {
            "reviews_per_day": self.reviews_per_day,
            "days": self.days,
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
            "value_detection_rate": self.value_detection_rate.to_json(),
        }


def at_capacity(
    y: np.ndarray,
    score: np.ndarray,
    day: np.ndarray,
    amount_minor: np.ndarray,
    reviews_per_day: int,
    seed: int,
    *,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    resamples: int = RESAMPLES,
) -> AtCapacity:
    """Point figures and 95 % percentile bootstrap intervals, all from the same resamples. Arrays of one length.

    In each resample the reviews are spent anew on its own highest scores of each day; ties go to the earlier row.
    `weight` is what a label counts, not how many reviews it takes. `groups` (customers, say) are drawn whole. NaN where
    nothing was reviewed, or where there was no fraud, or no money in it.
    """
    if reviews_per_day < 1 or not len(y):
        raise InputError("capacity needs at least one review a day and one payment", where="reviews_per_day")
    spent = _Spending.of(y, score, day, amount_minor, reviews_per_day, weights(y, weight))
    value = spent.figures(np.ones((1, len(y))))[:, 0]
    blocks = resampled_weights(np.ones(len(y)), seed, groups=groups, resamples=resamples)
    sampled = np.concatenate([spent.figures(drawn) for drawn in blocks], axis=1)
    found = [percentile_interval(float(v), s) for v, s in zip(value, sampled, strict=True)]
    return AtCapacity(reviews_per_day, len(np.unique(day)), *found)


def days_of(occurred_us: np.ndarray) -> np.ndarray:
    """The day (UTC) of each moment, counted from 1970."""
    return np.asarray(occurred_us) // DAY_US


@dataclass(frozen=True)
class _Spending:
    """Rows in order of day and falling score; `starts` are the places at which days begin."""

    order: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    label: np.ndarray
    fraud: np.ndarray
    money: np.ndarray
    per_day: int

    @classmethod
    def of(
        cls,
        y: np.ndarray,
        score: np.ndarray,
        day: np.ndarray,
        amount_minor: np.ndarray,
        per_day: int,
        weight: np.ndarray,
    ) -> _Spending:
        order = np.lexsort((np.arange(len(y)), -np.asarray(score, dtype=np.float64), day))
        _, starts, sizes = np.unique(np.asarray(day)[order], return_index=True, return_counts=True)
        fraud = (weight * (np.asarray(y) == 1))[order]
        amount = np.nan_to_num(np.asarray(amount_minor, dtype=np.float64))[order]
        return cls(order, starts, sizes, weight[order], fraud, fraud * amount, per_day)

    def figures(self, drawn: np.ndarray) -> np.ndarray:
        """(precision, recall, value detection rate) x resamples; `drawn` says how often each row was drawn."""
        times = drawn[:, self.order]
        before = np.cumsum(times, axis=1) - times
        before -= np.repeat(before[:, self.starts], self.sizes, axis=1)
        looked = np.clip(self.per_day - before, 0, times)
        caught = looked @ self.fraud
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack(
                [
                    caught / (looked @ self.label),
                    caught / (times @ self.fraud),
                    (looked @ self.money) / (times @ self.money),
                ]
            )
