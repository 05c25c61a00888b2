"""Bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import InputError
from engine.measuring.intervals import (
    CELLS,
    Interval,
    bootstrap,
    paired_difference,
    ranking_intervals,
    resampled_weights,
)
from engine.measuring.metrics import Ranking


def mean_of(values: np.ndarray):  # type: ignore[no-untyped-def]
    return lambda w: (w * values).sum(axis=-1) / w.sum(axis=-1)


def test_the_interval_of_a_mean_is_that_of_the_textbook() -> None:
    values = np.random.default_rng(0).normal(10, 2, 400)

    found = bootstrap(mean_of(values), np.ones(400), seed=1, resamples=2000)

    half = 1.96 * values.std(ddof=1) / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


@pytest.mark.parametrize("rows", [3, CELLS // 10])
def test_as_many_resamples_are_drawn_as_asked_for_however_many_fit_into_memory(rows: int) -> None:
    blocks = list(resampled_weights(np.ones(rows), 1, resamples=11))

    assert sum(map(len, blocks)) == 11
    assert max(map(len, blocks)) * rows <= CELLS


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(50.0)

    first, again, other = (bootstrap(mean_of(values), np.ones(50), seed=s) for s in (1, 1, 2))

    assert first == again != other


def test_payments_of_one_customer_are_drawn_together_so_the_interval_is_wider() -> None:
    rng = np.random.default_rng(0)
    customer = np.repeat(np.arange(50), 20)
    values = rng.normal(size=50)[customer] + 0.1 * rng.normal(size=1000)

    apart = bootstrap(mean_of(values), np.ones(1000), seed=1)
    together = bootstrap(mean_of(values), np.ones(1000), seed=1, groups=customer)

    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.1).astype(int)
    score = rng.normal(size=2000) + y
    rankings = Ranking.of(y, score), Ranking.of(y, score + 0.05 * rng.normal(size=2000))

    alone = bootstrap(rankings[0].average_precision, np.ones(2000), seed=1)
    paired = paired_difference(
        rankings[0].average_precision, rankings[1].average_precision, np.ones(2000), seed=1
    )

    assert paired.low < 0 < paired.high or abs(paired.value) < 0.02
    assert paired.high - paired.low < (alone.high - alone.low) / 3


def test_a_model_compared_with_itself_differs_by_nothing() -> None:
    y, score = np.array([0, 1, 0, 1, 0] * 20), np.arange(100.0)
    same = Ranking.of(y, score).average_precision

    assert paired_difference(same, same, np.ones(100), seed=1) == Interval(0.0, 0.0, 0.0)


def test_a_class_too_small_to_resample_gives_no_bounds_but_no_failure_either() -> None:
    area, precision = ranking_intervals(np.zeros(20), np.arange(20.0), seed=1)

    assert area.to_json() == {"value": None, "low": None, "high": None}
    assert precision.to_json()["value"] is None
    with pytest.raises(InputError, match="nothing to resample"):
        bootstrap(mean_of(np.empty(0)), np.empty(0), seed=1)
