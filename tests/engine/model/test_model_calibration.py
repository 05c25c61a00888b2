"""How margins become probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from engine.model.calibration import Calibrator, calibrate, fit


def drawn(slope_below: float, slope_above: float, shift: float, rows: int = 20_000) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(3)
    margin = rng.normal(-2, 2, rows)
    truth = Calibrator("beta", slope_below, slope_above, shift)
    y = (rng.random(rows) < truth.probability(margin)).astype(int)
    return margin, y, np.ones(rows)


def test_platt_finds_the_slope_and_shift_that_made_the_data() -> None:
    found = fit("platt", *drawn(1.5, 1.5, -1.0))

    assert found.low == found.high == pytest.approx(1.5, abs=0.1)
    assert found.shift == pytest.approx(-1.0, abs=0.1)


def test_beta_is_chosen_only_where_the_slope_really_changes() -> None:
    assert calibrate(*drawn(1.2, 1.2, -1.0)).calibrator.kind == "platt"
    assert calibrate(*drawn(0.3, 2.0, -1.0)).calibrator.kind == "beta"


@given(
    st.floats(0.05, 20),
    st.floats(0.05, 20),
    st.floats(-5, 5),
    st.lists(st.floats(-12, 12), min_size=2, max_size=50),
)
@settings(max_examples=60, deadline=None)
def test_a_higher_margin_never_gets_a_lower_probability(
    low: float, high: float, shift: float, margins: list[float]
) -> None:
    ordered = np.unique(margins)

    p = Calibrator("beta", low, high, shift).probability(ordered)

    assert (np.diff(p) >= 0).all()
    inside = (p[1:] < 1 - 1e-12) & (np.diff(ordered) > 1e-6) & (p[:-1] > 1e-300)
    assert (np.diff(p)[inside] > 0).all()


def test_a_handful_of_frauds_moves_the_level_but_not_the_slope() -> None:
    rng = np.random.default_rng(1)
    margin = rng.normal(0, 1, 1000)
    y = np.zeros(1000, dtype=int)
    y[:5] = 1

    found = calibrate(margin, y, np.ones(1000))

    assert found.calibrator.kind == "shift"
    assert found.held_out.mean() == pytest.approx(0.006, abs=0.002)


def test_no_fraud_at_all_still_gives_a_probability_above_zero() -> None:
    found = calibrate(np.linspace(-3, 3, 500), np.zeros(500, dtype=int), np.ones(500))

    assert 0 < found.held_out.min() < found.held_out.max() < 0.05


def test_separable_labels_keep_a_finite_slope() -> None:
    margin = np.linspace(-5, 5, 400)

    found = fit("beta", margin, (margin > 0).astype(int), np.ones(400))

    assert 0 < found.low <= 20 and 0 < found.high <= 20 and np.isfinite(found.shift)


def test_weights_count_as_repetitions() -> None:
    margin, y, _ = drawn(1.0, 1.0, 0.0, rows=2000)
    weight = np.where(y == 1, 3.0, 1.0)
    repeated = np.repeat(np.arange(len(y)), weight.astype(int))

    weighted = fit("platt", margin, y, weight)
    repeats = fit("platt", margin[repeated], y[repeated], np.ones(len(repeated)))

    assert weighted.shift == pytest.approx(repeats.shift, abs=1e-6)
    assert weighted.low == pytest.approx(repeats.low, abs=1e-6)


def test_a_calibrator_that_does_not_rise_cannot_be_made() -> None:
    with pytest.raises(InputError, match="a calibrator must rise strictly"):
        Calibrator("platt", -1.0, -1.0, 0.0)
    with pytest.raises(InputError, match="nothing to calibrate on"):
        calibrate(np.empty(0), np.empty(0), np.empty(0))
