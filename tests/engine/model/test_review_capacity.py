"""What a team of a given size would find."""

from __future__ import annotations

import math

import numpy as np
import pytest

from data.errors import InputError
from engine.measuring import metrics
from engine.measuring.intervals import resampled_weights
from engine.measuring.review_capacity import AtCapacity, Capacity, at_capacity, days_of


def drawn(rows: int = 600, days: int = 4) -> tuple[np.ndarray, ...]:
    """(y, score, day, amount): scores have ties, days mixed order, some amounts are missing."""
    rng = np.random.default_rng(5)
    y = (rng.random(rows) < 0.1).astype(np.int8)
    score = np.round(rng.normal(size=rows) + 1.5 * y, 1)
    amount = np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(8, 1, rows))
    return y, score, rng.integers(0, days, rows), amount


def flagged_at_capacity(day: np.ndarray, score: np.ndarray, per_day: int) -> np.ndarray:
    """Which rows would be reviewed if the `per_day` highest scores of each day were; ties go to the earlier
    row."""
    flagged = np.zeros(len(score), dtype=bool)
    for d in np.unique(day):
        rows = np.flatnonzero(day == d)
        flagged[rows[np.argsort(-score[rows], kind="stable")][:per_day]] = True
    return flagged


def test_the_highest_scores_of_each_day_are_reviewed() -> None:
    found = at_capacity(
        np.array([0, 1, 1, 0, 0]),
        np.array([0.1, 0.3, 0.2, 0.9, 0.8]),
        np.array([0, 0, 0, 1, 1]),
        np.array([9.0, 30, 10, 5, 5]),
        1,
        seed=1,
    )

    assert (found.days, found.reviews_per_day) == (2, 1)
    assert (found.precision.value, found.recall.value) == (0.5, 0.5)
    assert found.value_detection_rate.value == pytest.approx(0.75)


def test_the_figures_are_those_of_counting_the_flagged() -> None:
    y, score, day, amount = drawn()

    found = at_capacity(y, score, day, amount, 25, seed=1)

    flagged = flagged_at_capacity(day, score, 25)
    assert (found.precision.value, found.recall.value) == pytest.approx(metrics.precision_recall(y, flagged))
    assert found.value_detection_rate.value == pytest.approx(metrics.value_detection_rate(y, flagged, amount))


def test_a_resample_spends_the_same_reviews_on_its_own_payments() -> None:
    """Checked by writing every resample out, row by row."""
    y, score, day, amount = drawn(rows=200)
    found = at_capacity(y, score, day, amount, 10, seed=3, resamples=200)

    recalls = []
    for times in np.concatenate(list(resampled_weights(np.ones(200), 3, resamples=200))):
        rows = np.repeat(np.arange(200), times.astype(int))
        flagged = flagged_at_capacity(day[rows], score[rows], 10)
        recalls.append(metrics.precision_recall(y[rows], flagged)[1])

    assert (found.recall.low, found.recall.high) == pytest.approx(tuple(np.quantile(recalls, (0.025, 0.975))))


def test_customers_drawn_whole_make_wider_intervals_than_payments() -> None:
    """Fifty customers of forty payments, each all fraud or all good: there are fifty facts, not two thousand."""
    customer = np.repeat(np.arange(50), 40)
    y = (customer % 5 == 0).astype(np.int8)
    score = np.random.default_rng(1).normal(size=2000) + y
    day, amount = np.arange(2000) % 7, np.ones(2000)

    def width(found: AtCapacity) -> float:
        return found.precision.high - found.precision.low

    alone = at_capacity(y, score, day, amount, 20, seed=1)
    whole = at_capacity(y, score, day, amount, 20, seed=1, groups=customer)

    assert whole.precision.value == alone.precision.value
    assert width(whole) > 1.5 * width(alone)


def test_a_label_of_half_weight_counts_half_but_takes_a_whole_review() -> None:
    y, score = np.array([1, 0, 1]), np.array([3.0, 2.0, 1.0])

    found = at_capacity(y, score, np.zeros(3), np.ones(3), 2, seed=1, weight=np.array([0.5, 1.0, 1.0]))

    assert found.precision.value == pytest.approx(0.5 / 1.5)
    assert found.recall.value == pytest.approx(0.5 / 1.5)


def test_where_there_is_no_fraud_nothing_could_be_found() -> None:
    found = at_capacity(np.zeros(9), np.arange(9.0), np.zeros(9), np.full(9, np.nan), 3, seed=1)

    assert found.precision.value == 0
    assert math.isnan(found.recall.value) and math.isnan(found.value_detection_rate.value)
    assert found.to_json()["recall"] == {"value": None, "low": None, "high": None}


def test_a_team_that_can_review_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least one review a day"):
        at_capacity(np.ones(2), np.ones(2), np.zeros(2), np.ones(2), 0, seed=1)


def test_a_part_keeps_its_own_amounts() -> None:
    whole = Capacity(50, np.arange(10.0))

    assert whole.part(7, 10).amount_minor.tolist() == [7, 8, 9]
    assert whole.part(7, 10).reviews_per_day == 50


def test_days_change_at_midnight_utc() -> None:
    midnight = 1_700_006_400_000_000

    assert days_of(np.array([midnight - 1, midnight])).tolist() == [19675, 19676]
