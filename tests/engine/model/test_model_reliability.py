"""How calibration is measured."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from data.canonical import canonical_json
from data.errors import InputError
from engine.model.reliability import curve, reliability


def drawn(rows: int = 20_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, p, weight): labels drawn with exactly these probabilities, about 3 % of them fraud."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(-4.5, 1.5, rows)))
    return (rng.random(rows) < p).astype(np.int8), p, rng.uniform(0.2, 1.0, rows)


def squeezed(p: np.ndarray, slope: float, shift: float = 0.0) -> np.ndarray:
    """Probabilities whose log-odds are `slope` times as large, and moved."""
    return 1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + shift)))


def test_probabilities_that_come_true_have_slope_one_and_intercept_zero() -> None:
    y, p, _ = drawn()

    found = reliability(y, p)

    assert found.slope.low < 1 < found.slope.high
    assert found.intercept.low < 0 < found.intercept.high
    assert found.level.low < 0 < found.level.high
    assert 0 < found.brier_skill < 1


def test_an_overconfident_model_has_a_slope_below_one() -> None:
    y, p, _ = drawn()

    assert reliability(y, squeezed(p, 2.0)).slope.value == pytest.approx(
        reliability(y, p).slope.value / 2, rel=1e-6
    )


def test_a_model_that_says_too_little_has_a_level_above_zero() -> None:
    y, p, _ = drawn()

    assert reliability(y, squeezed(p, 1.0, -0.7)).level.value == pytest.approx(
        reliability(y, p).level.value + 0.7, rel=1e-6
    )


def test_the_line_is_that_of_an_unpenalised_weighted_logistic_regression() -> None:
    y, p, w = drawn()
    wrong = squeezed(p, 0.7, 0.3)
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    peer.fit(np.log(wrong / (1 - wrong))[:, None], y, sample_weight=w)

    found = reliability(y, wrong, w)

    assert found.slope.value == pytest.approx(peer.coef_[0, 0], rel=1e-4)
    assert found.intercept.value == pytest.approx(peer.intercept_[0], rel=1e-4)


def test_the_slope_lies_in_its_interval_about_as_often_as_said() -> None:
    inside = 0
    for seed in range(100):
        y, p, _ = drawn(3000, seed)
        slope = reliability(y, p).slope
        inside += slope.low <= 1 <= slope.high

    assert inside >= 89


def test_bins_expect_the_same_number_of_frauds_each() -> None:
    y, p, _ = drawn()

    bins = curve(y, p, np.ones(len(y)))

    expected = [b.rows * b.predicted for b in bins]
    assert len(bins) == 10
    assert sum(b.rows for b in bins) == len(y)
    assert sum(b.frauds for b in bins) == y.sum()
    assert np.allclose(expected, p.sum() / 10, atol=1.0)
    assert [b.predicted for b in bins] == sorted(b.predicted for b in bins)


def test_bounds_of_a_bin_are_wilsons() -> None:
    """10 of 100: the textbook's .0552 to .1744."""
    y = np.array([1] * 10 + [0] * 90)

    (only,) = curve(y, np.full(100, 0.1), np.ones(100))

    assert (only.observed, only.predicted, only.rows, only.frauds) == pytest.approx((0.1, 0.1, 100, 10))
    assert (only.low, only.high) == pytest.approx((0.05523, 0.17437), abs=5e-5)


def test_equal_probabilities_share_a_bin() -> None:
    p = np.repeat([0.01, 0.2, 0.7], [500, 40, 20])

    bins = curve((np.arange(560) % 9 == 0).astype(int), p, np.ones(560))

    assert [b.rows for b in bins] == [500, 40, 20]


def test_where_all_labels_agree_there_is_no_line_but_the_record_still_holds() -> None:
    found = reliability(np.zeros(50), np.linspace(0.001, 0.1, 50))

    assert math.isnan(found.slope.value) and math.isnan(found.level.value)
    assert json.loads(canonical_json(found.to_json()))["brier_skill"] is None


def test_certainty_is_refused() -> None:
    with pytest.raises(InputError, match="probabilities within"):
        reliability(np.array([0, 1]), np.array([0.0, 1.0]))
