"""Does the estimate of fraud among payments hold where the naive share of known outcomes misleads?"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.selective_labels import table
from engine.measuring.seen_outcomes import (
    Reviewer,
    Share,
    corrected,
    counted,
    exactly,
    from_verdicts,
    joined,
    recall,
    weighed,
    wilson_bounds,
)

REVIEWER = Reviewer(exactly(0.49), exactly(0.14))


def test_wilson_bounds_are_those_of_the_textbook() -> None:
    assert wilson_bounds(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_bounds(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_bounds(0, 0) == (0.0, 1.0)


def test_with_equal_chances_the_weighed_share_is_the_plain_one() -> None:
    found = weighed(np.array([1, 0, 0, 0]), np.full(4, 0.05))
    assert found == counted(1, 4)


def test_what_was_unlikely_to_be_seen_weighs_more() -> None:
    found = weighed(np.array([1, 0]), np.array([0.05, 1.0]))
    assert found is not None
    assert found.value == pytest.approx(20 / 21)


def test_nothing_seen_means_nothing_known() -> None:
    assert weighed(np.zeros(0), np.zeros(0)) is None
    assert joined([]) is None
    assert from_verdicts(0, 0, REVIEWER) is None


def test_no_fraud_seen_still_leaves_room_for_some() -> None:
    found = weighed(np.zeros(20), np.full(20, 0.1))
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.1 < found.high < 0.2


def test_exploration_weighed_covers_the_truth_where_the_naive_share_does_not() -> None:
    """Declines of which a twentieth are released at random, and frauds known early that were released otherwise."""
    rng, covered, naive_covered = np.random.default_rng(4), 0, 0
    for _ in range(300):
        fraud = rng.random(2000) < np.where(np.arange(2000) < 1000, 0.6, 0.2)
        chance = np.where(np.arange(2000) < 1000, 0.05, 0.2)
        seen = rng.random(2000) < chance
        found = weighed(fraud[seen], chance[seen])
        assert found is not None
        covered += found.low <= 0.4 <= found.high
        naive = counted(int(fraud[seen].sum()), int(seen.sum()))
        naive_covered += naive.low <= 0.4 <= naive.high
    assert 0.92 <= covered / 300 <= 0.99
    assert naive_covered / 300 < 0.3


@pytest.mark.parametrize("truth", [0.02, 0.15, 0.5])
def test_verdicts_corrected_for_errors_cover_the_truth(truth: float) -> None:
    rng, covered = np.random.default_rng(7), 0
    for _ in range(300):
        fraud = rng.random(400) < truth
        said = np.where(fraud, rng.random(400) < 0.49, rng.random(400) < 0.14)
        good = rng.random(200) < 0.14
        bad = rng.random(200) < 0.49
        reviewer = Reviewer(counted(int(bad.sum()), 200), counted(int(good.sum()), 200))
        found = from_verdicts(int(said.sum()), 400, reviewer)
        assert found is not None
        covered += found.low <= truth <= found.high
    assert covered / 300 >= 0.93


def test_a_weighed_share_of_verdicts_is_corrected_without_rounding_it_to_whole_payments() -> None:
    fraud, chance = np.array([1.0] + [0.0] * 59), np.array([1 / 7] + [0.1] * 59)
    said = weighed(fraud, chance)
    assert said is not None
    assert said.value == pytest.approx(7 / 597)
    assert corrected(said, Reviewer(exactly(1.0), exactly(0.0))) == said


def test_verdicts_of_somebody_who_guesses_say_nothing() -> None:
    assert from_verdicts(30, 100, Reviewer(exactly(0.3), exactly(0.25))) is None


def test_fewer_accused_than_errors_alone_would_have_it_is_no_proof_of_no_fraud() -> None:
    found = from_verdicts(0, 25, REVIEWER)
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high > 0.2


def test_groups_join_by_their_size() -> None:
    found = joined([(900, Share(0.1, 0.05, 0.15, 10)), (100, Share(0.5, 0.2, 0.9, 5))])
    assert found is not None
    assert found.value == pytest.approx(0.14)
    assert found.low < 0.14 < found.high
    assert found.n == 15


def test_recall_is_exact_in_its_interval_where_what_passed_is_known() -> None:
    # Half of 100 stopped payments are fraud, and 50 frauds passed: recall 1/2. With 20 to 80 frauds among the stopped
    # it lies between 20/70 and 80/130.
    found = recall((100, Share(0.5, 0.2, 0.8, 10)), (1000, Share(0.05, 0.05, 0.05, 1000)))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 20 / 70, 80 / 130))
    assert found.n == 1010


def test_recall_joins_the_doubt_about_both_sides() -> None:
    sure, unsure = Share(0.05, 0.05, 0.05, 9), Share(0.05, 0.02, 0.1, 9)
    one = recall((100, Share(0.5, 0.4, 0.6, 9)), (1000, sure))
    both = recall((100, Share(0.5, 0.4, 0.6, 9)), (1000, unsure))
    assert one is not None
    assert both is not None
    assert both.low < one.low < both.value < one.high < both.high


def test_recall_of_no_fraud_at_all_is_unknown_and_of_none_stopped_reaches_up() -> None:
    nothing = Share(0.0, 0.0, 0.1, 30)
    assert recall((100, nothing), (1000, Share(0.0, 0.0, 0.0, 9))) is None
    found = recall((100, nothing), (1000, Share(0.01, 0.01, 0.01, 9)))
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.5)


def test_over_many_seeds_recall_is_not_biased_and_its_interval_covers() -> None:
    row = table(sizes=(40_000,), seeds=60)[0]
    assert abs(row["bias"]) < 0.02
    assert row["coverage"] > 0.88
    assert row["naive_bias"] < -0.3
