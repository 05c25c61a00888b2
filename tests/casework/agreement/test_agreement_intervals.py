"""Where the report shows an interval, does it cover the truth as often as it promises?"""

import numpy as np
import pytest

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha, raw, specific
from casework.quality.agreement.intervals import ENOUGH, evidence, measure
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
