"""On the same transactions, would the challenger have decided better than the champion?

Where rows come with the names of their `segment`, each is decided and charged as the policy says there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.errors import InputError
from engine.decision import Outcome
from engine.measuring.intervals import Interval, Statistic, bootstrap, paired_difference, ranking_intervals
from engine.measuring.metrics import Ranking, weights
from engine.policy import Policy
from engine.segments import within as policy_within

RESAMPLES = 1000
APPROVE, REVIEW, DECLINE = int(Outcome.APPROVE), int(Outcome.REVIEW), int(Outcome.DECLINE)


@dataclass(frozen=True)
class Contender:
    """One model on the rows to compare: `margin` to rank by, `outcome` (0 approve, 1 review, 2 decline) at its own
    thresholds. Both of shape (rows,)."""

    margin: np.ndarray
    outcome: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion. Differences are challenger minus champion on the same resamples: above
    zero is better: `average_precision_difference`, and `cost_saved`, the share of the champion's cost that is saved.

    Costs are in minor units over all rows. `flips` are positions of rows on which the two outcomes differ.
    """

    rows: int
    frauds: int
    champion_average_precision: Interval
    challenger_average_precision: Interval
    average_precision_difference: Interval
    champion_cost_minor: float
    challenger_cost_minor: float
    cost_saved: Interval
    flips: np.ndarray

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "frauds": self.frauds,
            "champion_average_precision": self.champion_average_precision.to_json(),
            "challenger_average_precision": self.challenger_average_precision.to_json(),
            "average_precision_difference": self.average_precision_difference.to_json(),
            "champion_cost_minor": self.champion_cost_minor,
            "challenger_cost_minor": self.challenger_cost_minor,
            "cost_saved": self.cost_saved.to_json(),
            "flips": len(self.flips),
        }


def compare(
    champion: Contender,
    challenger: Contender,
    *,
    y: np.ndarray,
    amount_minor: np.ndarray,
    policy: Policy,
    seed: int,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    segment: np.ndarray | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Paired bootstrap on average precision and on realised cost. `groups` (customers, say) are drawn whole.

    Raises InputError without a fraud among the rows: then neither figure says anything.
    """
    w = weights(y, weight)
    if not np.any((np.asarray(y) == 1) & (w > 0)):
        raise InputError("two models cannot be compared on rows without any fraud", where="labels")
    how: dict[str, Any] = {"groups": groups, "resamples": resamples}
    ranked = Ranking.of(y, champion.margin), Ranking.of(y, challenger.margin)
    cost = [realised_costs(c.outcome, y, amount_minor, policy, segment) for c in (champion, challenger)]
    return Comparison(
        rows=len(y),
        frauds=int(np.sum(y)),
        champion_average_precision=ranking_intervals(y, champion.margin, seed, weight=w, **how)[1],
        challenger_average_precision=ranking_intervals(y, challenger.margin, seed, weight=w, **how)[1],
        average_precision_difference=paired_difference(
            ranked[0].average_precision, ranked[1].average_precision, w, seed, **how
        ),
        champion_cost_minor=float((w * cost[0]).sum()),
        challenger_cost_minor=float((w * cost[1]).sum()),
        cost_saved=bootstrap(_share_saved(cost[0], cost[1]), w, seed, **how),
        flips=np.flatnonzero(champion.outcome != challenger.outcome),
    )


def recall_difference(
    champion: Contender,
    challenger: Contender,
    *,
    y: np.ndarray,
    within: np.ndarray,
    seed: int,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Interval:
    """Challenger minus champion in the share of a segment's frauds that were not simply approved; `within` marks the
    segment's rows, `groups` are drawn whole. NaN bounds where it holds no fraud."""
    fraud = (np.asarray(y) == 1) & np.asarray(within, dtype=bool)
    w = weights(y, weight)[fraud]
    if not len(w):
        return Interval(float("nan"), float("nan"), float("nan"))
    caught = [(c.outcome[fraud] != APPROVE).astype(np.float64) for c in (champion, challenger)]
    whole = None if groups is None else groups[fraud]
    return paired_difference(_share_of(caught[0]), _share_of(caught[1]), w, seed, groups=whole)


def cost_saved(
    champion: Contender,
    challenger: Contender,
    *,
    y: np.ndarray,
    amount_minor: np.ndarray,
    policy: Policy,
    within: np.ndarray,
    seed: int,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    segment: np.ndarray | None = None,
) -> Interval:
    """The share of the champion's realised cost that the challenger saves on the rows that `within` marks, `groups`
    drawn whole; NaN bounds where there are none, or they cost nothing."""
    inside = np.asarray(within, dtype=bool)
    w = weights(y, weight)[inside]
    if not len(w):
        return Interval(float("nan"), float("nan"), float("nan"))
    cost = [
        realised_costs(c.outcome, y, amount_minor, policy, segment)[inside] for c in (champion, challenger)
    ]
    whole = None if groups is None else groups[inside]
    return bootstrap(_share_saved(cost[0], cost[1]), w, seed, groups=whole)


def at_thresholds(
    margin: np.ndarray,
    probability: np.ndarray,
    review_at: float | np.ndarray,
    decline_at: float | np.ndarray,
) -> Contender:
    """Outcomes at cut-offs of probability, one for all rows or one each: review from the first, decline from the
    second (which wins where the two are equal)."""
    p = np.asarray(probability)
    return Contender(
        margin, np.where(p >= decline_at, DECLINE, np.where(p >= review_at, REVIEW, APPROVE)).astype(np.int8)
    )


def at_capacity(
    margin: np.ndarray,
    probability: np.ndarray,
    amount_minor: np.ndarray,
    policy: Policy,
    reviews: int,
    segment: np.ndarray | None = None,
) -> Contender:
    """Outcomes at the thresholds that this model's own scores need under a policy that allows `reviews` reviews of
    these rows.

    Where more would be worth a review, they go to those that gain most by it: the same as putting on reviews the one
    price at which `reviews` are left. The others get their cheaper automatic outcome. Segments share the reviews;
    where only people may decline, what would be declined is reviewed first of all, and where all is automatic nothing.
    """
    outcome = np.full(len(margin), APPROVE, dtype=np.int8)
    gain = np.full(len(margin), -np.inf)
    must = np.zeros(len(margin), dtype=bool)
    for rows, there, autonomy in _parts(policy, segment, len(margin)):
        automatic, gained = _automatic(np.asarray(probability)[rows], np.asarray(amount_minor)[rows], there)
        if autonomy == "automatic":
            gained = np.full(len(gained), -np.inf)
            automatic = _cheaper(np.asarray(probability)[rows], np.asarray(amount_minor)[rows], there)
        elif autonomy == "in_the_loop":
            must[rows] = automatic == DECLINE
        outcome[rows], gain[rows] = automatic, gained
    candidates = np.flatnonzero((gain > -np.inf) & ~must)
    left = max(0, reviews - int(must.sum()))
    outcome[candidates[np.argsort(-gain[candidates], kind="stable")][:left]] = REVIEW
    outcome[must] = REVIEW
    return Contender(margin, outcome)


def _parts(policy: Policy, segment: np.ndarray | None, rows: int) -> Iterator[tuple[np.ndarray, Policy, str]]:
    """Each segment's rows (a mask), its policy and its autonomy; all rows under the general policy without names."""
    if segment is None:
        yield np.ones(rows, dtype=bool), policy, "on_the_loop"
        return
    for name, said in policy.segments.items():
        inside = np.asarray(segment == name, dtype=bool)
        if inside.any():
            yield inside, policy_within(policy, name), said.autonomy


def _automatic(
    probability: np.ndarray, amount_minor: np.ndarray, policy: Policy
) -> tuple[np.ndarray, np.ndarray]:
    """Each row's outcome without a review, and what a review would gain (minus infinity where none is wanted)."""
    approve, review, decline = expected_cost_arrays(probability, amount_minor, policy)
    automatic = np.where(approve <= decline, APPROVE, DECLINE).astype(np.int8)
    gain = np.minimum(approve, decline) - review
    if policy.thresholds.solve:
        return automatic, np.where(gain > 0, gain, -np.inf)
    fixed = at_thresholds(probability, probability, policy.thresholds.review_at, policy.thresholds.decline_at)
    wanted = fixed.outcome == REVIEW
    return np.where(wanted, automatic, fixed.outcome), np.where(wanted, gain, -np.inf)


def _cheaper(probability: np.ndarray, amount_minor: np.ndarray, policy: Policy) -> np.ndarray:
    approve, _, decline = expected_cost_arrays(probability, amount_minor, policy)
    return np.where(approve <= decline, APPROVE, DECLINE).astype(np.int8)


def expected_cost_arrays(
    probability: np.ndarray, amount_minor: np.ndarray, policy: Policy
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(approve, review, decline): `engine.costs.expected_costs` for many rows at once, in minor units."""
    p = np.asarray(probability, dtype=np.float64)
    loss, good = _losses(amount_minor, policy), float(policy.costs.good_declined_minor)
    missed = p * (1.0 - policy.reviewer.recall) * loss
    accused = (1.0 - p) * policy.reviewer.false_positive_rate * good
    return p * loss, policy.costs.review_minor + missed + accused, (1.0 - p) * good


def realised_costs(
    outcome: np.ndarray,
    y: np.ndarray,
    amount_minor: np.ndarray,
    policy: Policy,
    segment: np.ndarray | None = None,
) -> np.ndarray:
    """What each row cost in minor units, now that it is known whether it was fraud. A review is charged with the
    reviewer's average errors, as nobody reviewed these rows for either model."""
    known, charged = np.asarray(y, dtype=np.float64), np.zeros(len(y))
    for rows, there, _ in _parts(policy, segment, len(y)):
        costs = expected_cost_arrays(known[rows], np.asarray(amount_minor)[rows], there)
        charged[rows] = np.choose(np.asarray(outcome, dtype=np.int64)[rows], costs)
    return charged


def _losses(amount_minor: np.ndarray, policy: Policy) -> np.ndarray:
    amount = np.asarray(amount_minor, dtype=np.float64)
    amount = np.where(np.isnan(amount), policy.costs.assumed_amount_minor, np.maximum(amount, 0.0))
    return amount * policy.costs.missed_fraud_share


def _share_saved(first: np.ndarray, second: np.ndarray) -> Statistic:
    def saved(w: np.ndarray) -> np.ndarray:
        before = (w * first).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (before - (w * second).sum(axis=-1)) / before

    return saved


def _share_of(flag: np.ndarray) -> Statistic:
    def share(w: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return (w * flag).sum(axis=-1) / w.sum(axis=-1)

    return share
