"""What do past payments add up to on each side of any two cut-offs, day by day?

Payments are sorted once by least outcome asked for by rules, day and probability. Running sums then answer every pair
of cut-offs by subtraction: a million payments cost a second once, and each further question some milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.decision import Outcome

FLOORS = len(Outcome)
COUNT, LOSS, GOOD, LOSS_2, RISK_2, GOOD_2, FRAUDS, FRAUD_AMOUNT, KNOWN_GOOD = range(9)
"""Measures, with p the probability and a the amount: payments, sums of pa, 1-p, pa^2, (pa)^2, (1-p)^2, and among known
outcomes the frauds, their amount, and the legitimate ones."""
MEASURES = 9
LEAST = 3  # the first ones suffice for expected costs


def measures_of(probability: np.ndarray, amount_minor: np.ndarray, fraud: np.ndarray) -> list[np.ndarray]:
    """One column per measure, each of shape (rows,)."""
    p, a = probability, np.maximum(amount_minor, 0).astype(np.float64)
    good, at_risk = 1.0 - p, p * a
    was_fraud = fraud == 1
    return [
        np.ones(len(p)),
        at_risk,
        good,
        at_risk * a,
        at_risk**2,
        good**2,
        was_fraud.astype(np.float64),
        np.where(was_fraud, amount_minor, 0).astype(np.float64),
        (fraud == 0).astype(np.float64),
    ]


@dataclass(frozen=True)
class CutOffSums:
    """`values` are the distinct probabilities, rising, and `rank` each payment's place among them; `keys` the sorted
    places (floor, day, rank) as one number each; `running` the running sums in that order, (MEASURES, rows + 1)."""

    days: int
    values: np.ndarray
    rank: np.ndarray
    floor: np.ndarray
    keys: np.ndarray
    running: np.ndarray

    @classmethod
    def of(
        cls,
        probability: np.ndarray,
        columns: list[np.ndarray],
        day: np.ndarray,
        days: int,
        floor: np.ndarray,
    ) -> CutOffSums:
        """`day` holds the place of each payment's day, `floor` its least outcome (empty where no rule asks)."""
        values, rank = np.unique(probability, return_inverse=True)
        floors = floor.astype(np.int64) if len(floor) else np.zeros(len(rank), np.int64)
        keys = (floors * days + day) * (len(values) + 1) + rank
        order = np.argsort(keys)
        running = np.zeros((MEASURES, len(keys) + 1))
        for measure, column in enumerate(columns):
            np.cumsum(column[order], out=running[measure, 1:])
        return cls(days, values, rank.astype(np.int32), floors.astype(np.uint8), keys[order], running)

    def at_ranks(self, columns: list[np.ndarray], floor: int, ranks: np.ndarray) -> np.ndarray:
        """Sums over all days of the payments of one floor below each rank: (ranks, columns)."""
        chosen = self.floor == floor
        places = np.searchsorted(ranks, self.rank[chosen], side="right")
        sums = [np.bincount(places, weights=c[chosen], minlength=len(ranks) + 1) for c in columns]
        return np.cumsum(np.stack(sums, axis=-1), axis=0)[: len(ranks)]

    def rank_of(self, cut_off: float | np.ndarray) -> np.ndarray:
        """How many distinct probabilities lie below a cut-off."""
        return np.searchsorted(self.values, cut_off, side="left")

    def below(self, cut_off: np.ndarray) -> np.ndarray:
        """Sums over payments below each cut-off, by floor and day: (FLOORS, cut-offs, days, MEASURES)."""
        groups = np.arange(FLOORS * self.days) * (len(self.values) + 1)
        starts = np.searchsorted(self.keys, groups)
        ends = np.searchsorted(self.keys, groups[None, :] + self.rank_of(cut_off)[:, None])
        found = self.running[:, ends] - self.running[:, starts][:, None, :]
        return found.reshape(MEASURES, len(cut_off), FLOORS, self.days).transpose(2, 1, 3, 0)

    def split(self, review_at: np.ndarray, decline_at: np.ndarray) -> np.ndarray:
        """Sums by outcome for each pair of cut-offs, strictest of model and rules: (pairs, FLOORS, days, MEASURES)."""
        low, high = self.below(review_at), self.below(decline_at)
        whole = self.below(np.array([np.inf]))
        approved = low[Outcome.APPROVE]
        reviewed = high[Outcome.APPROVE] - low[Outcome.APPROVE] + high[Outcome.REVIEW]
        declined = whole.sum(axis=0) - approved - reviewed
        return np.stack([approved, reviewed, declined], axis=1)


def split_as_answered(
    outcome: np.ndarray, columns: list[np.ndarray], day: np.ndarray, days: int
) -> np.ndarray:
    """The same sums where each payment's outcome is given: (1, FLOORS, days, MEASURES)."""
    place = outcome.astype(np.int64) * days + day
    sums = [np.bincount(place, weights=column, minlength=FLOORS * days) for column in columns]
    return np.stack(sums, axis=-1).reshape(1, FLOORS, days, MEASURES)
