"""How do two models compare on the same transactions, each at its own best thresholds?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from casework.learning.gates import Segment
from engine.costs import CutOffs, solved_cut_offs, without_reviews
from engine.intervals import Interval, bootstrap, paired_difference
from engine.metrics import Ranking
from engine.policy import Policy

_STEPS = 30
_SEED = 20_240_601


@dataclass(frozen=True)
class Judged:
    """Transactions with a label good enough to judge by; all arrays have one entry per transaction.

    `y` is 1 for fraud, `weight` the label's weight, `amount_minor` the amount (0 where unknown), `days` how many days
    they span, `segments` maps "name value" to a mask.
    """

    y: np.ndarray
    weight: np.ndarray
    amount_minor: np.ndarray
    days: float
    segments: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Answers:
    """What a model would have answered: masks of declined and reviewed, and the price of a review that kept the
    reviews within capacity (minor units)."""

    declined: np.ndarray
    reviewed: np.ndarray
    price: float

    @property
    def alerted(self) -> np.ndarray:
        return self.declined | self.reviewed


def answers(probability: np.ndarray, judged: Judged, policy: Policy) -> Answers:
    """Outcomes at thresholds solved for this model from the policy's costs, with the lowest price on reviews at which
    they fit the days' capacity (found by bisection)."""
    allowed = policy.capacity.reviews_per_day * judged.days
    free = _at_price(probability, judged, policy, 0.0)
    if free.reviewed.sum() <= allowed:
        return free
    low, high = 0.0, float(np.max(judged.amount_minor, initial=1)) + policy.costs.good_declined_minor
    for _ in range(_STEPS):
        middle = (low + high) / 2
        fits = _at_price(probability, judged, policy, middle).reviewed.sum() <= allowed
        low, high = (low, middle) if fits else (middle, high)
    return _at_price(probability, judged, policy, high)


def realised_costs(given: Answers, judged: Judged, policy: Policy) -> np.ndarray:
    """Cost of each answer in minor units, now that the label is known (the terms of `engine.costs`)."""
    loss = judged.amount_minor * policy.costs.missed_fraud_share
    good = policy.costs.good_declined_minor
    fraud = judged.y == 1
    missed, accused = 1.0 - policy.reviewer.recall, policy.reviewer.false_positive_rate
    reviewed = policy.costs.review_minor + np.where(fraud, missed * loss, accused * good)
    return np.where(
        given.declined,
        np.where(fraud, 0.0, good),
        np.where(given.reviewed, reviewed, np.where(fraud, loss, 0.0)),
    )


def differences(
    champion: np.ndarray, challenger: np.ndarray, judged: Judged, policy: Policy
) -> dict[str, Interval]:
    """Challenger minus champion by paired bootstrap: average precision, and the share of expected cost saved.

    `champion` and `challenger` are calibrated probabilities; both are strictly monotone in the margin, so ranking by
    either is the same.
    """
    ranked = [Ranking.of(judged.y, p).average_precision for p in (champion, challenger)]
    cost = [realised_costs(answers(p, judged, policy), judged, policy) for p in (champion, challenger)]

    def saved(weights: np.ndarray) -> np.ndarray:
        before, after = weights @ cost[0], weights @ cost[1]
        return np.divide(before - after, before, out=np.zeros_like(before), where=before > 0)

    return {
        "average_precision": paired_difference(ranked[0], ranked[1], judged.weight, _SEED),
        "expected_cost_saved": bootstrap(saved, judged.weight, _SEED),
    }


def segment_differences(
    champion: np.ndarray, challenger: np.ndarray, judged: Judged, policy: Policy
) -> list[Segment]:
    """The difference in recall in each segment, challenger minus champion, at each one's own thresholds."""
    caught = [answers(p, judged, policy).alerted.astype(float) for p in (champion, challenger)]
    found: list[Segment] = []
    for name, mask in judged.segments.items():
        frauds = mask & (judged.y == 1)
        count = int(frauds.sum())
        if count:
            recalls = [_share(c[frauds]) for c in caught]
            interval = paired_difference(recalls[0], recalls[1], judged.weight[frauds], _SEED)
            found.append(Segment(name, count, interval))
    return found


def flips(champion: np.ndarray, challenger: np.ndarray, judged: Judged, policy: Policy) -> Sequence[int]:
    """Positions of the transactions that the two would answer differently, largest change of probability first."""
    one, two = answers(champion, judged, policy), answers(challenger, judged, policy)
    changed = np.flatnonzero((one.declined != two.declined) | (one.reviewed != two.reviewed))
    order = np.argsort(-np.abs(challenger - champion)[changed], kind="stable")
    return [int(i) for i in changed[order]]


def _share(hit: np.ndarray):  # type: ignore[no-untyped-def]
    def recall(weights: np.ndarray) -> np.ndarray:
        return (weights @ hit) / weights.sum(axis=-1)

    return recall


def _at_price(probability: np.ndarray, judged: Judged, policy: Policy, price: float) -> Answers:
    amounts, which = np.unique(judged.amount_minor, return_inverse=True)
    cuts = [_cut_offs(int(amount), policy, price) for amount in amounts]
    review_at = np.array([c.review_at for c in cuts])[which]
    decline_at = np.array([c.decline_at for c in cuts])[which]
    declined = probability >= decline_at
    return Answers(declined, (probability >= review_at) & ~declined, price)


def _cut_offs(amount_minor: int, policy: Policy, price: float) -> CutOffs:
    return (
        without_reviews(amount_minor, policy)
        if math.isinf(price)
        else solved_cut_offs(amount_minor, policy, price)
    )
