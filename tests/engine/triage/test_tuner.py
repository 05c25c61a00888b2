"""Does the tuner count as the engine would decide, and is the optimum it marks the optimum?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.costs import cut_offs, expected_costs
from engine.policy import Thresholds, load_policy
from engine.tuner import History, best, cheapest, setting

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes())


def history(rows: int = 400, *, seed: int = 5, floor: np.ndarray | None = None) -> History:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3, 3.0, rows)
    amount = np.rint(rng.lognormal(8.5, 1.0, rows)).astype(np.int64)
    fraud = np.where(rng.random(rows) < 0.5, rng.random(rows) < p, -1).astype(np.int8)
    return History(
        p, amount, fraud, rng.integers(0, 7, rows), floor if floor is not None else np.zeros(0, np.uint8)
    )


def test_each_payment_is_counted_on_the_side_of_the_cut_offs_where_the_engine_puts_it() -> None:
    past = History(
        np.array([0.1, 0.2, 0.5, 0.9]),
        np.array([100, 200, 300, 400]),
        np.array([1, -1, -1, 0]),
        np.array([1, 1, 2, 2]),
    )
    found = setting(past, 0.2, 0.9, POLICY)
    assert (found.approved, found.reviewed, found.declined) == (1, 2, 1)
    assert (found.known_fraud_missed, found.known_fraud_missed_minor, found.known_good_declined) == (
        1,
        100,
        1,
    )
    assert (found.cases_a_day.value, found.days) == (1.0, 2)


def test_expected_cost_is_the_sum_of_the_costs_the_engine_weighs() -> None:
    past = history(60)
    found = setting(past, 0.1, 0.4, POLICY)
    total = 0.0
    for p, amount in zip(past.probability, past.amount_minor, strict=True):
        costs = expected_costs(float(p), int(amount), POLICY)
        total += costs.approve if p < 0.1 else costs.review if p < 0.4 else costs.decline
    assert found.expected_cost == pytest.approx(total)


def test_the_cheapest_answers_are_those_of_the_solved_cut_offs() -> None:
    past = history()
    outcome = [
        int(p >= cut_offs(int(a), POLICY).review_at) + int(p >= cut_offs(int(a), POLICY).decline_at)
        for p, a in zip(past.probability, past.amount_minor, strict=True)
    ]
    found = cheapest(past, POLICY)
    assert [found.approved, found.reviewed, found.declined] == [outcome.count(o) for o in (0, 1, 2)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_pair_of_cut_offs_beats_the_one_that_is_marked(seed: int) -> None:
    past = history(120, seed=seed)
    marked = best(past, POLICY)
    least = setting(past, marked.review_at, marked.decline_at, POLICY).expected_cost
    tried = np.append(np.sort(past.probability), 1.0)
    costs = [
        setting(past, r, d, POLICY).expected_cost for i, r in enumerate(tried[::4]) for d in tried[::4][i:]
    ]
    assert least <= min(costs) + 1e-6
    assert cheapest(past, POLICY).expected_cost <= least + 1e-6


def test_the_optimum_within_capacity_asks_no_more_of_people_than_they_can_do() -> None:
    tight = replace(POLICY, capacity=replace(POLICY.capacity, reviews_per_day=2))
    past = history(2000)
    marked = best(past, tight)
    within = setting(past, marked.within_review_at, marked.within_decline_at, tight)
    free = setting(past, marked.review_at, marked.decline_at, tight)
    assert within.cases_a_day.value <= 2 < free.cases_a_day.value
    assert free.expected_cost < within.expected_cost
    assert free.breaches_capacity


def test_what_rules_ask_for_stays_asked_for() -> None:
    past = history(50, floor=np.full(50, 1, np.uint8))
    assert setting(past, 1.0, 1.0, POLICY).reviewed == 50


def test_intervals_hold_the_figure_and_grow_with_chance() -> None:
    found = setting(history(), 0.3, 0.9, POLICY)
    for estimate in (found.expected_loss, found.good_declined, found.cases_a_day):
        assert estimate.low < estimate.value < estimate.high
    sure = History(np.zeros(9), np.full(9, 100), np.zeros(9, np.int8), np.arange(9))
    assert setting(sure, 0.5, 0.5, POLICY).expected_loss == (0.0, 0.0, 0.0)


def test_dearer_declines_move_the_optimum_up() -> None:
    past, dear = history(1000), replace(POLICY, costs=replace(POLICY.costs, good_declined_minor=30_000))
    assert best(past, dear).decline_at > best(past, POLICY).decline_at


@pytest.mark.parametrize(
    ("review_at", "decline_at"), [(0.5, 0.4), (-0.1, 0.4), (0.5, 1.1), (float("nan"), 0.4)]
)
def test_cut_offs_out_of_order_are_refused(review_at: float, decline_at: float) -> None:
    with pytest.raises(ValueError, match="review_at <= decline_at"):
        setting(history(), review_at, decline_at, POLICY)


def test_fixed_thresholds_of_a_policy_can_be_measured_as_they_are() -> None:
    fixed = replace(POLICY, thresholds=Thresholds(False, 0.2, 0.6))
    found = setting(history(), fixed.thresholds.review_at, fixed.thresholds.decline_at, fixed)
    assert found.approved + found.reviewed + found.declined == 400
