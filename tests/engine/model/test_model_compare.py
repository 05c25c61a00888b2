"""Champion against challenger on the same rows."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from engine.costs import cut_offs, expected_costs
from engine.decision import Outcome
from engine.model.compare import (
    Contender,
    at_capacity,
    at_thresholds,
    compare,
    cost_saved,
    expected_cost_arrays,
    realised_costs,
    recall_difference,
)
from engine.policy import Policy, Thresholds, load_policy

ROWS = 3000


@pytest.fixture(scope="module")
def policy() -> Policy:
    path = Path(__file__).resolve().parents[3] / "rules" / "policy.yaml"
    return replace(load_policy(path.read_bytes(), "policy.yaml"), thresholds=Thresholds(solve=True))


def drawn(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(y, amount in minor units, margin, probability) of a model whose margin carries that much noise."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-4, 2, ROWS)
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-truth))).astype(int)
    amount = rng.integers(500, 100_000, ROWS).astype(float)
    margin = truth + noise * np.random.default_rng(seed + 1).normal(size=ROWS)
    return y, amount, margin, 1 / (1 + np.exp(-margin))


def test_costs_of_many_rows_are_those_of_one(policy: Policy) -> None:
    _, amount, _, p = drawn(0.0)
    amount[0] = math.nan

    many = expected_cost_arrays(p, amount, policy)

    for i in range(50):
        one = expected_costs(float(p[i]), None if math.isnan(amount[i]) else int(amount[i]), policy)
        assert (many[0][i], many[1][i], many[2][i]) == pytest.approx((one.approve, one.review, one.decline))


def test_with_room_for_everybody_the_outcomes_are_those_of_the_policy_cut_offs(policy: Policy) -> None:
    _, amount, margin, p = drawn(0.0)
    cuts = [cut_offs(int(a), policy) for a in amount]

    ours = at_capacity(margin, p, amount, policy, reviews=ROWS)

    theirs = at_thresholds(
        margin, p, np.array([c.review_at for c in cuts]), np.array([c.decline_at for c in cuts])
    )
    assert (ours.outcome == theirs.outcome).mean() > 0.999  # rows exactly at a cut-off may round either way
    assert set(np.unique(ours.outcome)) == {Outcome.APPROVE, Outcome.REVIEW, Outcome.DECLINE}


@pytest.mark.parametrize("solve", [True, False])
def test_scarce_reviews_go_where_they_gain_most(policy: Policy, solve: bool) -> None:
    policy = policy if solve else replace(policy, thresholds=Thresholds(False, 0.02, 0.6))
    _, amount, margin, p = drawn(0.0)
    free = at_capacity(margin, p, amount, policy, reviews=ROWS)
    approve, review, decline = expected_cost_arrays(p, amount, policy)
    gain = np.minimum(approve, decline) - review

    scarce = at_capacity(margin, p, amount, policy, reviews=10)

    wanted, kept = free.outcome == Outcome.REVIEW, scarce.outcome == Outcome.REVIEW
    assert kept.sum() == 10 < wanted.sum()
    assert gain[kept].min() >= gain[wanted & ~kept].max()
    assert not (kept & ~wanted).any()


def test_no_reviews_at_all_leaves_automatic_outcomes(policy: Policy) -> None:
    _, amount, margin, p = drawn(0.0)

    assert Outcome.REVIEW not in at_capacity(margin, p, amount, policy, reviews=0).outcome


def test_a_better_challenger_wins_on_both_figures(policy: Policy) -> None:
    y, amount, margin, p = drawn(2.0)
    _, _, better_margin, better_p = drawn(0.2)
    champion = at_capacity(margin, p, amount, policy, reviews=200)
    challenger = at_capacity(better_margin, better_p, amount, policy, reviews=200)

    found = compare(champion, challenger, y=y, amount_minor=amount, policy=policy, seed=1, resamples=300)

    assert found.average_precision_difference.low > 0
    assert found.cost_saved.low > 0
    assert found.challenger_cost_minor < found.champion_cost_minor
    assert found.cost_saved.value == pytest.approx(
        1 - found.challenger_cost_minor / found.champion_cost_minor
    )
    assert 0 < len(found.flips) < ROWS


def test_a_model_against_itself_is_a_tie(policy: Policy) -> None:
    y, amount, margin, p = drawn(1.0)
    same = at_thresholds(margin, p, 0.05, 0.5)

    found = compare(same, same, y=y, amount_minor=amount, policy=policy, seed=1, resamples=50)

    assert (found.average_precision_difference.low, found.average_precision_difference.high) == (0.0, 0.0)
    assert (found.cost_saved.low, found.cost_saved.high) == (0.0, 0.0)
    assert found.to_json()["flips"] == 0


def test_what_an_outcome_cost_follows_from_the_label(policy: Policy) -> None:
    outcome, y = np.array([0, 0, 2, 2]), np.array([0, 1, 0, 1])

    found = realised_costs(outcome, y, np.full(4, 10_000.0), policy)

    lost = 10_000 * policy.costs.missed_fraud_share
    assert found.tolist() == [0, lost, policy.costs.good_declined_minor, 0]


def test_recall_is_compared_within_a_segment(policy: Policy) -> None:
    y = np.array([1] * 40 + [0] * 60)
    blind, seeing = (Contender(np.zeros(100), np.full(100, o)) for o in (Outcome.APPROVE, Outcome.REVIEW))
    young = np.arange(100) < 20

    harmed = recall_difference(seeing, blind, y=y, within=young, seed=1)

    assert (harmed.value, harmed.low, harmed.high) == (-1.0, -1.0, -1.0)
    assert math.isnan(recall_difference(seeing, blind, y=y, within=np.arange(100) > 50, seed=1).value)


def test_rows_without_fraud_compare_nothing(policy: Policy) -> None:
    _, amount, margin, p = drawn(1.0)
    same = at_thresholds(margin, p, 0.05, 0.5)

    with pytest.raises(InputError, match="without any fraud"):
        compare(same, same, y=np.zeros(ROWS), amount_minor=amount, policy=policy, seed=1)


def of_segments(policy: Policy) -> np.ndarray:
    names = np.array(sorted(policy.segments), dtype=object)
    return names[np.arange(ROWS) % len(names)]


def test_segments_are_decided_and_charged_as_the_policy_says_there(policy: Policy) -> None:
    y, amount, margin, p = drawn(0.5)
    segment = of_segments(policy)

    made = at_capacity(margin, p, amount, policy, ROWS, segment).outcome
    general = at_capacity(margin, p, amount, policy, ROWS).outcome
    charged = realised_costs(made, y, amount, policy, segment)

    small, large = segment == "small_in_shop", segment == "large"
    assert not (made[small] == Outcome.REVIEW).any()  # all is automatic there
    assert not (made[large] == Outcome.DECLINE).any()  # and here only people decline
    assert (general[small] == Outcome.REVIEW).any() and (general[large] == Outcome.DECLINE).any()
    declined = small & (made == Outcome.DECLINE) & (y == 0)
    assert declined.any() and set(charged[declined]) == {1000.0}


def test_where_only_people_decline_their_reviews_come_first(policy: Policy) -> None:
    _, amount, margin, p = drawn(0.0)
    segment = of_segments(policy)
    made = at_capacity(margin, p, amount, policy, 0, segment).outcome
    assert set(segment[made == Outcome.REVIEW]) == {"large"}


def test_a_segment_says_what_it_saves(policy: Policy) -> None:
    y, amount, margin, p = drawn(0.0)
    segment = of_segments(policy)
    good = at_capacity(margin, p, amount, policy, 300, segment)
    noise = np.random.default_rng(5).normal(-4, 2, ROWS)
    poor = at_capacity(noise, 1 / (1 + np.exp(-noise)), amount, policy, 300, segment)
    found = cost_saved(
        poor,
        good,
        y=y,
        amount_minor=amount,
        policy=policy,
        within=segment == "default",
        seed=1,
        segment=segment,
    )
    assert found.low > 0.0
