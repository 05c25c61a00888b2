"""Where should the two cut-offs lie, and what would each choice cost and ask of people?

Everything is counted over a history of calibrated probabilities p and amounts, with the costs of `engine.costs`: an
approval costs pL on average, a decline (1-p)G, a review c + p(1-r)L + (1-p)fG. `engine.what_if.cut_off_sums` holds the
running sums from which every pair of cut-offs is priced by a few subtractions.

Intervals are 95 %. For counts of work they are for the mean over days like these (Student's t over days). For money
and customers they are for what a period like this one may bring: the spread between its days, and the chance of each
payment being fraud, given probabilities that are right on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy

from engine.decision import Outcome
from engine.measuring.seen_outcomes import wilson_bounds
from engine.policy import Policy
from engine.what_if import cut_off_sums as sums
from engine.what_if.cut_off_sums import CutOffSums, measures_of, split_as_answered

STEPS = 400
_Z = 1.959963984540054
_APPROVED, _REVIEWED, _DECLINED = (int(outcome) for outcome in Outcome)


@dataclass(frozen=True)
class History:
    """Columns of equal length: `probability` in [0, 1], `amount_minor`, `fraud` (1, 0, or -1 where unknown), `day`
    (any whole number per day), and `floor`, the least outcome that rules ask for (0, 1, 2; empty for none)."""

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
        if not len(self.day):
            return 0, np.zeros(0, np.int64)
        since_first = self.day - self.day.min()
        present = np.bincount(since_first) > 0  # days lie close together, so counting is quicker than sorting
        return int(present.sum()), (np.cumsum(present) - 1)[since_first]

    @cached_property
    def columns(self) -> list[np.ndarray]:
        """What is added up, one column per measure."""
        return measures_of(self.probability, self.amount_minor, self.fraud)

    @cached_property
    def sums(self) -> CutOffSums:
        """The running sums, worked out with the first question."""
        days, places = self.days
        return CutOffSums.of(self.probability, self.columns, places, days, self.floor)

    @cached_property
    def candidates(self) -> tuple[np.ndarray, ...]:
        """Ranks at which cut-offs are tried; the sums below each of payments that no rule asks anything of, and of
        those that rules want reviewed; and both sums over all."""
        ranks = _candidates(self.sums)
        both = [self.sums.at_ranks(self.columns[: sums.LEAST], floor, ranks) for floor in (0, 1)]
        return ranks, *both, *(each[-1] for each in both)

    def where(self, chosen: np.ndarray) -> History:
        """Some of the payments; days on which none of them fell count no more."""
        floor = self.floor[chosen] if len(self.floor) else self.floor
        return History(
            self.probability[chosen], self.amount_minor[chosen], self.fraud[chosen], self.day[chosen], floor
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
    approved, and what reviewers miss. `good_declined` is the expected number of good customers turned away.
    `breach` is the share of days on which more would be reviewed than people can do, `overflow_a_day` how many cases
    a day that leaves undone. `known_fraud_missed` and `known_good_declined` are facts, among known outcomes.
    `daily_cost` is the expected cost by day, for comparing two settings on the same days.
    """

    review_at: float | None
    decline_at: float | None
    approved: int
    reviewed: int
    declined: int
    approved_a_day: Estimate
    declined_a_day: Estimate
    cases_a_day: Estimate
    analyst_hours_a_day: Estimate
    expected_loss: Estimate
    good_declined: Estimate
    expected_cost: Estimate
    known_fraud_missed: int
    known_fraud_missed_minor: int
    known_good_declined: int
    days_over_capacity: int
    breach: Estimate
    overflow_a_day: float
    days: int
    capacity: int
    daily_cost: np.ndarray = field(repr=False, compare=False)

    @property
    def breaches_capacity(self) -> bool:
        return self.days_over_capacity > 0


@dataclass(frozen=True, slots=True)
class Best:
    """The cheapest pair of cut-offs among those tried, and the cheapest whose cases a day fit capacity on average, or
    are no more than rules alone ask for where that is more."""

    review_at: float
    decline_at: float
    within_review_at: float
    within_decline_at: float


def setting(
    history: History, review_at: float, decline_at: float, policy: Policy, *, seconds_a_case: float = 35.0
) -> Setting:
    """Fixed cut-offs: approve below `review_at`, decline from `decline_at`, review between. ValueError if they are
    no probabilities in order."""
    return settings(history, [(review_at, decline_at)], policy, seconds_a_case=seconds_a_case)[0]


def settings(
    history: History,
    pairs: Sequence[tuple[float, float]],
    policy: Policy,
    *,
    seconds_a_case: float = 35.0,
) -> list[Setting]:
    """Many pairs of cut-offs at once, as for a curve."""
    for review_at, decline_at in pairs:
        if not 0.0 <= review_at <= decline_at <= 1.0:
            raise ValueError(
                f"0 <= review_at <= decline_at <= 1 does not hold for {review_at} and {decline_at}"
            )
    split = history.sums.split(np.array([low for low, _ in pairs]), np.array([high for _, high in pairs]))
    return [
        _measured(by_outcome, policy, seconds_a_case, *pair)
        for by_outcome, pair in zip(split, pairs, strict=True)
    ]


def cheapest(history: History, policy: Policy, *, seconds_a_case: float = 35.0) -> Setting:
    """Cut-offs that follow from each payment's own amount, as `solve: expected_cost` has it while reviews are free of
    a price: the bound that fixed cut-offs cannot beat."""
    outcome = cheapest_outcomes(history, policy)
    return as_answered(history, outcome, policy, seconds_a_case=seconds_a_case)


def cheapest_outcomes(history: History, policy: Policy) -> np.ndarray:
    """The cheapest answer to each payment (0, 1, 2), strictest of that and what rules ask for."""
    p, costs, reviewer = history.probability, policy.costs, policy.reviewer
    approve = p * np.maximum(history.amount_minor, 0) * costs.missed_fraud_share
    decline = (1.0 - p) * costs.good_declined_minor
    review = costs.review_minor + (1.0 - reviewer.recall) * approve + reviewer.false_positive_rate * decline
    outcome = np.where(review < np.minimum(approve, decline), _REVIEWED, np.where(decline <= approve, 2, 0))
    return np.maximum(outcome, history.floor) if len(history.floor) else outcome


def as_answered(
    history: History, outcome: np.ndarray, policy: Policy, *, seconds_a_case: float = 35.0
) -> Setting:
    """Any outcomes (0, 1, 2 per payment), such as those really given, priced in the same way."""
    days, places = history.days
    split = split_as_answered(outcome, history.columns, places, days)
    return _measured(split[0], policy, seconds_a_case, None, None)


def saving(before: Setting, after: Setting) -> Estimate:
    """Expected cost saved by `after`, over the whole period, compared day by day on the same payments."""
    return _total(before.daily_cost - after.daily_cost, 0.0)


def best(history: History, policy: Policy) -> Best:
    """The pair of cut-offs with the lowest expected cost, among up to STEPS candidates that crowd where reviews lie:
    ranks from the top spaced by ratio. What rules ask for stays asked for at every pair."""
    found, (places, free, asked, free_all, asked_all) = history.sums, history.candidates
    low = _cost(_APPROVED, free, policy) - _cost(_REVIEWED, free, policy)
    high = (
        _cost(_REVIEWED, free + asked, policy)
        - _cost(_DECLINED, free + asked, policy)
        + _cost(_DECLINED, free_all + asked_all, policy)
    )
    total = low[:, None] + high[None, :]
    total[places[:, None] > places[None, :]] = np.inf
    reviewed = (free + asked)[None, :, sums.COUNT] - free[:, None, sums.COUNT]
    # To have fewer reviews than rules ask for, payments would be declined wholesale, down to where those lie.
    fits = reviewed <= max(policy.capacity.reviews_per_day * found.days, asked_all[sums.COUNT])
    cut = np.append(found.values, 1.0)[places]
    pairs = [np.unravel_index(np.argmin(t), t.shape) for t in (total, np.where(fits, total, np.inf))]
    (i, j), (k, m) = pairs
    return Best(float(cut[i]), float(cut[j]), float(cut[k]), float(cut[m]))


def _candidates(found: CutOffSums) -> np.ndarray:
    """Ranks of distinct probabilities at which a cut-off can lie, and the end, beyond which nothing lies."""
    below = np.append(0, np.cumsum(np.bincount(found.rank, minlength=len(found.values))))
    rows = len(found.rank)
    from_top = np.unique(np.geomspace(1, max(rows, 1), STEPS).astype(np.int64)) if rows else np.zeros(0)
    ranks = np.searchsorted(below, rows - from_top, side="right") - 1
    return np.unique(np.append(ranks, len(found.values))).astype(np.int64)


def _cost(outcome: int, found: np.ndarray, policy: Policy) -> np.ndarray:
    """Expected cost of answering payments with these sums (..., MEASURES) in one way, in minor units."""
    costs, reviewer = policy.costs, policy.reviewer
    loss = found[..., sums.LOSS] * costs.missed_fraud_share
    good = found[..., sums.GOOD] * costs.good_declined_minor
    if outcome == _APPROVED:
        return loss
    if outcome == _DECLINED:
        return good
    review = found[..., sums.COUNT] * costs.review_minor
    return review + (1.0 - reviewer.recall) * loss + reviewer.false_positive_rate * good


def _measured(
    by_outcome: np.ndarray,
    policy: Policy,
    seconds_a_case: float,
    review_at: float | None,
    decline_at: float | None,
) -> Setting:
    """From sums by outcome and day, (3, days, MEASURES), to what they mean."""
    approved, reviewed, declined = by_outcome
    counts = by_outcome[..., sums.COUNT]
    daily, capacity = counts[_REVIEWED], policy.capacity.reviews_per_day
    days = len(daily)
    missed, accused = 1.0 - policy.reviewer.recall, policy.reviewer.false_positive_rate
    share = policy.costs.missed_fraud_share
    loss = share * (approved[:, sums.LOSS] + missed * reviewed[:, sums.LOSS])
    good = declined[:, sums.GOOD] + accused * reviewed[:, sums.GOOD]
    cost = sum(_cost(int(outcome), by_outcome[outcome], policy) for outcome in Outcome)
    over = int((daily > capacity).sum())
    cases = _mean(daily)
    return Setting(
        review_at=review_at,
        decline_at=decline_at,
        approved=int(counts[_APPROVED].sum()),
        reviewed=int(daily.sum()),
        declined=int(counts[_DECLINED].sum()),
        approved_a_day=_mean(counts[_APPROVED]),
        declined_a_day=_mean(counts[_DECLINED]),
        cases_a_day=cases,
        analyst_hours_a_day=Estimate(*(each * seconds_a_case / 3600 for each in cases)),
        expected_loss=_total(loss, share**2 * _chance(approved, reviewed, missed, sums.LOSS_2, sums.RISK_2)),
        good_declined=_total(good, _chance(declined, reviewed, accused, sums.GOOD, sums.GOOD_2)),
        expected_cost=_total(np.asarray(cost), 0.0),
        known_fraud_missed=int(approved[:, sums.FRAUDS].sum()),
        known_fraud_missed_minor=int(approved[:, sums.FRAUD_AMOUNT].sum()),
        known_good_declined=int(declined[:, sums.KNOWN_GOOD].sum()),
        days_over_capacity=over,
        breach=Estimate(over / days if days else 0.0, *wilson_bounds(over, days)),
        overflow_a_day=float(np.maximum(daily - capacity, 0).mean()) if days else 0.0,
        days=days,
        capacity=capacity,
        daily_cost=np.asarray(cost),
    )


def _chance(certain: np.ndarray, partly: np.ndarray, by: float, first: int, square: int) -> float:
    """Variance of a sum in which each payment counts by chance q: sum of (q - q^2) times its squared size, with q
    the payment's own chance, or `by` times it (Poisson binomial)."""
    whole, part = certain.sum(axis=0), partly.sum(axis=0)
    return float(max(whole[first] - whole[square] + by * part[first] - by**2 * part[square], 0.0))


def _total(daily: np.ndarray, chance: float) -> Estimate:
    """A sum over the period: its variance is that of as many days like these, and that of chance."""
    value = float(daily.sum())
    between = len(daily) * float(daily.var(ddof=1)) if len(daily) > 1 else 0.0
    half = _quantile(len(daily)) * float(np.sqrt(between + chance))
    return Estimate(value, max(value - half, 0.0) if (daily >= 0).all() else value - half, value + half)


def _mean(daily: np.ndarray) -> Estimate:
    """The mean over days; from a single day nothing follows about others, so its interval reaches from 0 to twice."""
    if not len(daily):
        return Estimate(0.0, 0.0, 0.0)
    value = float(daily.mean())
    half = _quantile(len(daily)) * float(daily.std(ddof=1)) / len(daily) ** 0.5 if len(daily) > 1 else value
    return Estimate(value, max(value - half, 0.0), value + half)


def _quantile(days: int) -> float:
    return float(scipy.stats.t.ppf(0.975, days - 1)) if days > 1 else _Z
