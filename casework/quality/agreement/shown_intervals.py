"""How must an interval allow for being shown only where enough items were in dispute?

An interval that appears only from so many items in dispute on appears, near that border, for logs that by chance had
many: read as if there were no border it would cover 75-85 % there. So its ends are moved by what the border does to the
limits of a Poisson number of disputes, mid-P, given that the number reached the border. From about twice the border on
this changes nothing.
"""

from __future__ import annotations

from functools import lru_cache

import scipy

_TAIL = 0.025
# Near the border a log can miss on one side only, for it cannot have fewer disputes than the border: 2.5 % there would
# cover 97.5. So this side gets more.
_TAIL_NEAR_BORDER = 0.045


def allowing_for_border(low: float, high: float, disputes: int, border: int) -> tuple[float, float]:
    """The interval of a measure whose distance from 1 grows with the number of disputes, given that it is shown from
    `border` disputes on."""
    nearer, further = _factors(disputes, border)
    return 1 - (1 - low) * further, 1 - (1 - high) * nearer


@lru_cache(maxsize=512)
def _factors(disputes: int, border: int) -> tuple[float, float]:
    """By what the distances from 1 of the near and the far end are to be multiplied."""
    if disputes >= 4 * border:
        return 1.0, 1.0
    plain, given = _limits(disputes, 0), _limits(disputes, border)
    return given[0] / plain[0], given[1] / plain[1]


def _limits(disputes: int, border: int) -> tuple[float, float]:
    """Mid-P limits (95 %) of the mean of a Poisson number that is known to be at least `border`."""

    def above(mean: float) -> float:
        reached = scipy.stats.poisson.sf(border - 1, mean)
        more = scipy.stats.poisson.sf(disputes, mean) + scipy.stats.poisson.pmf(disputes, mean) / 2
        return float(more / reached) if reached > 0 else 0.0

    # At a mean near 0 a number that must be at least the border is the border itself.
    tail = _TAIL_NEAR_BORDER if 0 < border <= disputes < 2 * border else _TAIL
    least = (
        0.0 if disputes == border else float(scipy.optimize.brentq(lambda m: above(m) - tail, 0.01, disputes))
    )
    most = float(scipy.optimize.brentq(lambda m: above(m) - (1 - _TAIL), disputes / 2, 4 * disputes + 30))
    return least, most
