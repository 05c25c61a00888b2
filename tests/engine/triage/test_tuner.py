"""Does the tuner count as the engine would decide, and is the optimum it marks the optimum?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.costs import cut_offs, expected_costs
from engine.policy import Thresholds, load_policy
from engine.what_if.tuner import History, as_answered, best, cheapest, saving, setting, settings

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes())


def history(rows: int = 400, *, seed: int = 5, floor: np.ndarray | None = None) -> History:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3, 3.0, rows)
    amount = np.rint(rng.lognormal(8.5, 1.0, rows)).astype(np.int64)
    fraud = np.where(rng.random(rows) < 0.5, rng.random(rows) < p, -1).astype(np.int8)
    return History(
        p, amount, fraud, rng.integers(0, 7, rows), floor if floor is not None else np.zeros(0, np.uint8)
    )


def period_of(seed: int) -> History:
    """Thirty days with about as many payments each, of one institution."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(30), rng.poisson(40, 30))
    rows = len(day)
    amount = np.rint(rng.lognormal(8.0, 0.6, rows)).astype(np.int64)
    return History(rng.beta(0.3, 3.0, rows), amount, np.full(rows, -1, np.int8), day)


def marked_pair(past: History) -> tuple[float, float]:
    found = best(past, POLICY)
    return found.review_at, found.decline_at


def cost(past: History, review_at: float, decline_at: float) -> float:
    return setting(past, float(review_at), float(decline_at), POLICY).expected_cost.value


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
    assert found.expected_cost.value == pytest.approx(total)


def test_the_cheapest_answers_are_those_of_the_solved_cut_offs() -> None:
    past = history()
    outcome = [
        int(p >= cut_offs(int(a), POLICY).review_at) + int(p >= cut_offs(int(a), POLICY).decline_at)
        for p, a in zip(past.probability, past.amount_minor, strict=True)
    ]
    found = cheapest(past, POLICY)
    assert [found.approved, found.reviewed, found.declined] == [outcome.count(o) for o in (0, 1, 2)]


@pytest.mark.parametrize("asked", [0.0, 0.3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_pair_of_cut_offs_beats_the_one_that_is_marked(seed: int, asked: float) -> None:
    floor = np.where(np.random.default_rng(seed).random(120) < asked, 1, 0).astype(np.uint8)
    floor[:3] = 2 if asked else 0
    past = history(120, seed=seed, floor=floor)
    marked = best(past, POLICY)
    least = cost(past, marked.review_at, marked.decline_at)
    tried = np.append(np.sort(past.probability), 1.0)
    costs = [cost(past, r, d) for i, r in enumerate(tried[::4]) for d in tried[::4][i:]]
    assert least <= min(costs) + 1e-6
    assert cheapest(past, POLICY).expected_cost.value <= least + 1e-6


def test_the_optimum_within_capacity_asks_no_more_of_people_than_they_can_do() -> None:
    tight = replace(POLICY, capacity=replace(POLICY.capacity, reviews_per_day=2))
    past = history(2000)
    marked = best(past, tight)
    within = setting(past, marked.within_review_at, marked.within_decline_at, tight)
    free = setting(past, marked.review_at, marked.decline_at, tight)
    assert within.cases_a_day.value <= 2 < free.cases_a_day.value
    assert free.expected_cost.value < within.expected_cost.value
    assert free.breaches_capacity


def test_where_rules_alone_ask_for_more_than_people_can_do_nobody_is_declined_to_make_room() -> None:
    tight = replace(POLICY, capacity=replace(POLICY.capacity, reviews_per_day=2))
    floor = np.where(np.arange(200) % 10 == 0, 1, 0).astype(np.uint8)
    unlikely = np.linspace(0.001, 0.02, 200)
    past = History(unlikely, np.full(200, 5000), np.full(200, -1, np.int8), np.zeros(200, np.int64), floor)
    marked = best(past, tight)
    within = setting(past, marked.within_review_at, marked.within_decline_at, tight)
    assert (within.declined, within.reviewed) == (0, 20)


@pytest.mark.parametrize(("review_at", "decline_at"), [(0.0, 0.0), (0.02, 0.3), (0.3, 1.0), (1.0, 1.0)])
def test_running_sums_count_what_counting_every_payment_counts(review_at: float, decline_at: float) -> None:
    rng = np.random.default_rng(3)
    past = history(500, floor=rng.integers(0, 3, 500).astype(np.uint8))
    outcome = (past.probability >= review_at).astype(np.uint8) + (past.probability >= decline_at)
    slow = as_answered(past, np.maximum(outcome, past.floor), POLICY)
    fast = setting(past, review_at, decline_at, POLICY)
    for name in ("approved", "reviewed", "declined", "known_fraud_missed_minor", "days_over_capacity"):
        assert getattr(fast, name) == getattr(slow, name), name
    for name in ("cases_a_day", "expected_loss", "good_declined", "expected_cost", "approved_a_day"):
        assert getattr(fast, name) == pytest.approx(getattr(slow, name)), name


def test_a_curve_says_at_every_point_what_asking_for_that_point_says() -> None:
    past = history(300)
    pairs = [(0.01, 0.5), (0.1, 0.5), (0.5, 0.5)]
    for found, pair in zip(settings(past, pairs, POLICY), pairs, strict=True):
        assert found == setting(past, *pair, POLICY)


def test_a_saving_is_compared_day_by_day_and_is_nothing_against_itself() -> None:
    past = history(2000)
    dear, cheap = setting(past, 0.0, 1.0, POLICY), setting(past, *marked_pair(past), POLICY)
    found = saving(dear, cheap)
    assert 0 < found.low < found.value == pytest.approx(dear.expected_cost.value - cheap.expected_cost.value)
    assert saving(dear, dear) == (0.0, 0.0, 0.0)


def test_the_interval_of_expected_loss_covers_what_other_periods_bring() -> None:
    covered, rng = 0, np.random.default_rng(11)
    for seed in range(200):
        found = setting(period_of(seed), 0.2, 0.8, POLICY).expected_loss
        other = period_of(10_000 + seed)
        approved = other.probability < 0.2
        reviewed = ~approved & (other.probability < 0.8)
        chance = other.probability * (approved + reviewed * (1 - POLICY.reviewer.recall))
        lost = float((other.amount_minor * (rng.random(len(other)) < chance)).sum())
        covered += found.low <= lost <= found.high
    # Two periods differ by the spread of both, so 83 % of the other period's losses lie within this one's bounds.
    assert 0.76 <= covered / 200 <= 0.97


def test_days_over_capacity_come_with_the_share_of_days_and_what_is_left_undone() -> None:
    tight = replace(POLICY, capacity=replace(POLICY.capacity, reviews_per_day=2))
    past = History(np.full(6, 0.5), np.full(6, 100), np.full(6, -1), np.array([1, 1, 1, 1, 1, 2]))
    found = setting(past, 0.2, 0.9, tight)
    assert (found.days_over_capacity, found.breach.value, found.overflow_a_day) == (1, 0.5, 1.5)
    assert 0 < found.breach.low < 0.5 < found.breach.high < 1


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
