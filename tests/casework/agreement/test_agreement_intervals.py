"""Where the report shows an interval, does it cover the truth as often as it promises?"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha, raw, specific
from casework.quality.agreement.intervals import ENOUGH, Evidence, bca_interval, evidence, measure
from casework.quality.agreement.table import Patterns

BOTH_ONE_NEITHER = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
STATISTICS = {
    "raw": (raw, False),
    "positive_specific": (lambda r, w: specific(r, w, 0), True),
    "alpha": (krippendorff_alpha, True),
    "ac1": (gwet_ac1, False),
}


def pattern_shares(sensitivity: float, specificity: float, fraud: float) -> np.ndarray:
    """Shares of items that both, one or neither of two independent analysts call fraud."""
    both = fraud * sensitivity**2 + (1 - fraud) * (1 - specificity) ** 2
    neither = fraud * (1 - sensitivity) ** 2 + (1 - fraud) * specificity**2
    return np.array([both, 1 - both - neither, neither])


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(("n", "fraud"), [(200, 0.10), (400, 0.05), (400, 0.01)])
def test_an_interval_that_is_shown_covers_the_truth(name: str, n: int, fraud: float) -> None:
    statistic, positives = STATISTICS[name]
    shares = pattern_shares(0.8, 0.95, fraud)
    truth = float(statistic(BOTH_ONE_NEITHER, shares[None, :] * 1e9)[0])
    shown = covered = 0
    for seed, seen in enumerate(np.random.default_rng(7).multinomial(n, shares, size=400)):
        counts = np.repeat(BOTH_ONE_NEITHER, seen, axis=0)
        found = Patterns(BOTH_ONE_NEITHER, seen)
        basis = evidence(counts, 0)
        one = measure(name, statistic, found, basis, positives=positives, seed=seed, replicates=600)
        if one.state == ENOUGH and one.low is not None and one.high is not None:
            shown += 1
            covered += one.low <= truth <= one.high
    assert shown > 100
    # 400 simulations tell a true .95 from .91 or .99.
    assert 0.91 <= covered / shown <= 0.99


def test_the_interval_is_scipys_from_the_same_replicates() -> None:
    items = np.random.default_rng(3).exponential(size=40).round(1)  # skewed, and some items alike
    percentiles = bootstrap((items,), np.mean, n_resamples=2000, method="percentile", rng=5)
    theirs = bootstrap((items,), np.mean, n_resamples=0, method="BCa", bootstrap_result=percentiles)
    alike, many = np.unique(items, return_counts=True)
    left_out = (items.sum() - alike) / (len(items) - 1)
    ours = bca_interval(float(items.mean()), percentiles.bootstrap_distribution, left_out, many)
    assert ours == pytest.approx(theirs.confidence_interval, rel=1e-9)
    assert ours[1] > percentiles.confidence_interval.high  # so the skew is seen


def test_without_any_skew_the_interval_is_the_middle_95_percent() -> None:
    replicates = np.linspace(-1, 1, 2001)
    nothing_moves = bca_interval(0.0, replicates, np.zeros(3), np.array([4.0, 5.0, 6.0]))
    assert nothing_moves == pytest.approx((-0.95, 0.95))
    undefined_ones = np.concatenate([replicates, np.full(500, np.nan)])
    assert bca_interval(0.0, undefined_ones, np.array([np.nan, 0.0]), np.ones(2)) == nothing_moves


def test_one_item_too_few_of_each_kind_is_said() -> None:
    enough = Evidence(100, 100, 50, 40, 10)
    assert enough.lacks(positives=True) == ""
    assert replace(enough, items_with_positive=0).lacks(positives=False) == ""
    for field, words in (
        ("n_items", "99 items with two reviewers, 100 needed"),
        ("items_with_positive", "39 items with a positive rating, 40 needed"),
        ("disagreeing_items", "9 items in dispute, 10 needed"),
    ):
        assert replace(enough, **{field: getattr(enough, field) - 1}).lacks(positives=True) == words
