"""Where should the two cut-offs lie, and what would each choice cost and ask of people?

Everything is counted over a history of calibrated probabilities p and amounts, with the costs of `engine.costs`: an
approval costs pL on average, a decline (1-p)G, a review c + p(1-r)L + (1-p)fG. Over payments sorted by probability
these are sums over three stretches, so with running sums every pair of cut-offs is priced by a few subtractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from engine.decision import Outcome
from engine.policy import Policy

STEPS = 400
_Z = 1.959963984540054


@dataclass(frozen=True)
class History:
    """Columns of equal length: `probability` in [0, 1], `amount_minor`, `fraud` (1, 0, or -1 where unknown), `day`
    (any whole number per day), and `floor`, the least outcome that rules ask for (0, 1, 2)."""

    probability: np.ndarray
    amount_minor: np.ndarray
    fraud: np.ndarray
    day: np.ndarray
    floor: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))

    def __len__(self) -> int:
        return len(self.probability)

    @cached_property
    def days(self) -> tuple[int, np.ndarray]:
        """How many days there are, and the place of each payment's day."""
        dates, places = np.unique(self.day, return_inverse=True)
        return len(dates), places

    def where(self, chosen: np.ndarray) -> History:
        """Some of the payments; days on which none of them fell count no more."""
        return History(
            self.probability[chosen],
            self.amount_minor[chosen],
            self.fraud[chosen],
            self.day[chosen],
            self.floor[chosen] if len(self.floor) else self.floor,
        )


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What one choice of cut-offs means over the history. Money in minor units.

    `expected_cost` is that of all three kinds of answer together; `expected_loss` is fraud that goes through: what is
    approved, and what reviewers miss. `good_declined` is the expected number of good customers turned away. Their
    intervals are for the chance of each payment being fraud, given calibrated probabilities; that of `cases_a_day` is
    for the mean over days like these. `known_fraud_missed` and `known_good_declined` are facts, among known outcomes.
    """

    review_at: float | None
    decline_at: float | None
    approved: int
    reviewed: int
    declined: int
    cases_a_day: Estimate
    analyst_hours_a_day: float
    expected_loss: Estimate
    good_declined: Estimate
    expected_cost: float
    known_fraud_missed: int
    known_fraud_missed_minor: int
    known_good_declined: int
    days_over_capacity: int
    days: int
    capacity: int

    @property
    def breaches_capacity(self) -> bool:
        return self.days_over_capacity > 0


@dataclass(frozen=True, slots=True)
class Best:
    """The cheapest pair of cut-offs among those tried, and the cheapest whose cases a day fit capacity on average."""

    review_at: float
    decline_at: float
    within_review_at: float
    within_decline_at: float


def setting(
    history: History, review_at: float, decline_at: float, policy: Policy, *, seconds_a_case: float = 35.0
) -> Setting:
    """Fixed cut-offs: approve below `review_at`, decline from `decline_at`, review between. ValueError if they are
    no probabilities in order."""
    if not 0.0 <= review_at <= decline_at <= 1.0:
        raise ValueError(f"0 <= review_at <= decline_at <= 1 does not hold for {review_at} and {decline_at}")
    p = history.probability
    outcome = (p >= review_at).astype(np.uint8) + (p >= decline_at)
    return _measured(history, outcome, policy, seconds_a_case, review_at, decline_at)


def cheapest(history: History, policy: Policy, *, seconds_a_case: float = 35.0) -> Setting:
    """Cut-offs that follow from each payment's own amount, as `solve: expected_cost` has it while reviews are free of
    a price: the bound that fixed cut-offs cannot beat."""
    approve, review, decline = _costs(history, policy)
    outcome = np.where(review < np.minimum(approve, decline), 1, np.where(decline <= approve, 2, 0)).astype(
        np.uint8
    )
    return _measured(history, outcome, policy, seconds_a_case, None, None)


def best(history: History, policy: Policy) -> Best:
    """The pair of cut-offs with the lowest expected cost, among up to STEPS candidates that crowd where reviews lie:
    ranks from the top spaced by ratio. Rules' floors are left out, since no cut-off moves them."""
    order = np.argsort(history.probability)
    p = history.probability[order]
    sums = [np.concatenate(((0.0,), np.cumsum(cost[order]))) for cost in _costs(history, policy)]
    approve, review, decline = sums
    places = _candidates(p)
    low = (approve - review)[places]
    high = (review - decline)[places] + decline[-1]
    total = low[:, None] + high[None, :]
    reviewed = places[None, :] - places[:, None]
    total[reviewed < 0] = np.inf
    fits = reviewed <= policy.capacity.reviews_per_day * history.days[0]
    cut = np.append(p, 1.0)[places]
    pairs = [np.unravel_index(np.argmin(t), t.shape) for t in (total, np.where(fits, total, np.inf))]
    (i, j), (k, m) = pairs
    return Best(float(cut[i]), float(cut[j]), float(cut[k]), float(cut[m]))


def _candidates(p: np.ndarray) -> np.ndarray:
    """Places in the sorted probabilities at which a cut-off can lie: the first of equal values, and the end."""
    from_top = np.unique(np.geomspace(1, max(len(p), 1), STEPS).astype(np.int64))
    first_of_equals = np.searchsorted(p, p[len(p) - from_top]) if len(p) else np.zeros(0, np.int64)
    return np.unique(np.append(first_of_equals, len(p)))


def _costs(history: History, policy: Policy) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected cost of approving, reviewing and declining each payment."""
    p, costs, reviewer = history.probability, policy.costs, policy.reviewer
    loss = p * np.maximum(history.amount_minor, 0) * costs.missed_fraud_share
    good = (1.0 - p) * costs.good_declined_minor
    review = costs.review_minor + (1.0 - reviewer.recall) * loss + reviewer.false_positive_rate * good
    return loss, review, good


def _measured(
    history: History,
    outcome: np.ndarray,
    policy: Policy,
    seconds_a_case: float,
    review_at: float | None,
    decline_at: float | None,
) -> Setting:
    if len(history.floor):
        outcome = np.maximum(outcome, history.floor)
    approved, reviewed, declined = (outcome == o for o in Outcome)
    capacity = policy.capacity.reviews_per_day
    days, places = history.days
    daily = np.bincount(places[reviewed], minlength=days)
    p = history.probability
    loss = np.maximum(history.amount_minor, 0) * policy.costs.missed_fraud_share
    through = approved + reviewed * (1.0 - policy.reviewer.recall)
    turned_away = declined + reviewed * policy.reviewer.false_positive_rate
    missed, wronged = approved & (history.fraud == 1), declined & (history.fraud == 0)
    reviews = int(reviewed.sum())
    return Setting(
        review_at=review_at,
        decline_at=decline_at,
        approved=int(approved.sum()),
        reviewed=reviews,
        declined=int(declined.sum()),
        cases_a_day=_mean(daily),
        analyst_hours_a_day=float(daily.mean()) * seconds_a_case / 3600 if days else 0.0,
        expected_loss=_sum(p * through, loss),
        good_declined=_sum((1.0 - p) * turned_away, 1.0),
        expected_cost=float(
            (p * through * loss).sum()
            + ((1.0 - p) * turned_away).sum() * policy.costs.good_declined_minor
            + reviews * policy.costs.review_minor
        ),
        known_fraud_missed=int(missed.sum()),
        known_fraud_missed_minor=int(history.amount_minor[missed].sum()),
        known_good_declined=int(wronged.sum()),
        days_over_capacity=int((daily > capacity).sum()),
        days=days,
        capacity=capacity,
    )


def _sum(chance: np.ndarray, size: np.ndarray | float) -> Estimate:
    """A sum of `size` where each happens by `chance`, independently (Poisson binomial, normal approximation)."""
    value = float((chance * size).sum())
    half = _Z * float(np.sqrt((chance * (1.0 - chance) * size**2).sum()))
    return Estimate(value, max(value - half, 0.0), value + half)


def _mean(daily: np.ndarray) -> Estimate:
    if not len(daily):
        return Estimate(0.0, 0.0, 0.0)
    value = float(daily.mean())
    half = _Z * float(daily.std(ddof=1)) / len(daily) ** 0.5 if len(daily) > 1 else value
    return Estimate(value, max(value - half, 0.0), value + half)
