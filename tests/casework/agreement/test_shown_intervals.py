"""Do intervals that are shown only from so many disputes on keep what they promise near that border?"""

import numpy as np
import pytest
from scipy.stats import poisson

from casework.quality.agreement.shown_intervals import allowing_for_border

BORDER = 10


def test_far_from_the_border_nothing_changes() -> None:
    assert allowing_for_border(0.7, 0.9, 400, BORDER) == (0.7, 0.9)
    assert allowing_for_border(0.7, 0.9, 30, BORDER) == pytest.approx((0.7, 0.9), abs=1e-3)


def test_at_the_border_the_interval_reaches_full_agreement() -> None:
    low, high = allowing_for_border(0.83, 0.94, BORDER, BORDER)
    assert high == 1.0
    assert 0.83 < low < 0.94


@pytest.mark.parametrize("disputes", [6.5, 8.0, 10.0, 13.0, 17.0, 24.0])
def test_given_that_it_is_shown_the_interval_covers_what_it_promises(disputes: float) -> None:
    """Exactly, for Poisson disputes among 1,000 items with plain mid-P limits as the interval before."""
    counts = np.arange(BORDER, 90)
    chance = poisson.pmf(counts, disputes) / poisson.sf(BORDER - 1, disputes)
    covered = plainly = 0.0
    for seen, share in zip(counts.tolist(), chance, strict=True):
        low, high = _plain(seen)
        plainly += share * (low <= 1 - disputes / 1000 <= high)
        low, high = allowing_for_border(low, high, seen, BORDER)
        covered += share * (low <= 1 - disputes / 1000 <= high)
    assert 0.93 <= covered <= 0.98
    if disputes < 8:
        assert plainly < 0.9  # what the border would do


def _plain(seen: int) -> tuple[float, float]:
    means = np.linspace(0.05, 150, 30_000)
    above = poisson.sf(seen, means) + poisson.pmf(seen, means) / 2
    inside = means[(above >= 0.025) & (above <= 0.975)]
    return 1 - inside.max() / 1000, 1 - inside.min() / 1000
