"""What would each answer to this payment cost on average, and from which probability is a review worth it?

With loss L = amount x missed-fraud share, G = a good customer declined, c = one review plus the price of capacity,
r = the reviewer's recall and f = their false positive rate, the expected costs at probability p are
approve pL, decline (1-p)G, review c + p(1-r)L + (1-p)fG. All are linear in p, so the cheapest answer changes at two
probabilities that depend on the amount only (Elkan 2001, example-dependent costs, with a reject option).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.policy import Policy


@dataclass(frozen=True, slots=True)
class CapacityState:
    """What people have already been given today: cases opened, declines released on purpose, their amounts (minor
    units), how many were novel in what way where there is no model, and how many because inputs had drifted. The caller
    counts; triage only reads."""

    reviews_today: int = 0
    explored_today: int = 0
    explored_amount_today_minor: int = 0
    novel_today: Mapping[str, int] = field(default_factory=dict)
    drift_today: int = 0

    def to_json(self) -> dict[str, Any]:
        """As kept with a decision; `CapacityState(**it)` gives it back."""
        counted: dict[str, Any] = {
            "reviews_today": self.reviews_today,
            "explored_today": self.explored_today,
            "explored_amount_today_minor": self.explored_amount_today_minor,
        }
        if self.drift_today:
            counted["drift_today"] = self.drift_today
        return {**counted, "novel_today": dict(self.novel_today)} if self.novel_today else counted


class ExpectedCosts(NamedTuple):
    """Expected costs in minor units; `review` leaves out the price of capacity."""

    approve: float
    decline: float
    review: float


class CutOffs(NamedTuple):
    """Approve below `review_at`, review from there, decline from `decline_at`; equal where no review is worth it."""

    review_at: float
    decline_at: float


def expected_costs(probability: float, amount_minor: int | None, policy: Policy) -> ExpectedCosts:
    """Expected cost of each answer at this probability and amount, without the price of capacity."""
    loss, good = _loss(amount_minor, policy), float(policy.costs.good_declined_minor)
    missed = probability * (1.0 - policy.reviewer.recall) * loss
    accused = (1.0 - probability) * policy.reviewer.false_positive_rate * good
    review = policy.costs.review_minor + missed + accused
    return ExpectedCosts(probability * loss, (1.0 - probability) * good, review)


def capacity_price(policy: Policy, load: CapacityState) -> float:
    """What one more review costs beyond its own cost, in minor units, given how much of today's capacity is used.

    0 up to `price_from` of the capacity; then the cost of a review times x / (1 - x), where x runs from 0 there to 1
    at full capacity; infinite from full capacity on. So the last reviews of a day go to the largest differences.
    """
    capacity = policy.capacity.reviews_per_day
    if load.reviews_today >= capacity:
        return math.inf
    used, start = load.reviews_today / capacity, policy.capacity.price_from
    if used <= start:
        return 0.0
    x = (used - start) / (1.0 - start)
    return policy.costs.review_minor * x / (1.0 - x)


def solved_cut_offs(amount_minor: int | None, policy: Policy, price: float = 0.0) -> CutOffs:
    """The cut-offs that minimise the expected cost at this amount, with the given price of capacity."""
    loss, good = _loss(amount_minor, policy), float(policy.costs.good_declined_minor)
    recall, accused = policy.reviewer.recall, policy.reviewer.false_positive_rate * good
    cost = policy.costs.review_minor + price
    if math.isfinite(cost):
        found = recall * loss + accused
        review_at = (cost + accused) / found if found > 0 else math.inf
        decline_at = (good - accused - cost) / ((1.0 - recall) * loss + good - accused)
        if review_at < decline_at:
            return CutOffs(review_at, decline_at)
    return without_reviews(amount_minor, policy)


def without_reviews(amount_minor: int | None, policy: Policy) -> CutOffs:
    """The one cut-off between approving and declining where nobody reviews: G / (L + G)."""
    loss, good = _loss(amount_minor, policy), float(policy.costs.good_declined_minor)
    both = good / (loss + good)
    return CutOffs(both, both)


def cut_offs(amount_minor: int | None, policy: Policy, price: float = 0.0) -> CutOffs:
    """The cut-offs in force: fixed by the policy, or solved at this amount. At full capacity nothing is reviewed."""
    if policy.thresholds.solve:
        return solved_cut_offs(amount_minor, policy, price)
    if math.isinf(price):
        between = without_reviews(amount_minor, policy).review_at
        low, high = policy.thresholds.review_at, policy.thresholds.decline_at
        single = min(max(between, low), high)
        return CutOffs(single, single)
    return CutOffs(policy.thresholds.review_at, policy.thresholds.decline_at)


def _loss(amount_minor: int | None, policy: Policy) -> float:
    amount = policy.costs.assumed_amount_minor if amount_minor is None else max(amount_minor, 0)
    return amount * policy.costs.missed_fraud_share
