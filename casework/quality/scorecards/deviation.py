"""Does a share of yes among one person's answers lie further from the colleagues' than people usually differ?

Answers fall into strata (lanes, say) in which colleagues' shares are known. People differ, honestly: each has a shift
of the log odds, normal around the middle of the colleagues' shifts. Given the shift, the number of yes is binomial. So
the chance of a number as far out as this one is a binomial tail averaged over shifts, and a handful of answers never
condemns anybody. The middle and the spread come from the median and the median deviation of the colleagues, which two
odd ones among nine hardly move; what chance alone adds to the spread is taken off, and it has a floor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

SPREAD = 0.3
"""Least spread, in log odds, of honest people's shares. Three real analysts: .11, .20 and .23 of the same payments."""
MIN_ANSWERS, MIN_COLLEAGUES = 5, 3
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
Answers = Mapping[str, tuple[int, int]]
"""By stratum: how many answers, and how many of them yes."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """`share` of `n` answers was yes where colleagues' shares make `expected`; `p_low` and `p_high` are the chances of
    as few, and of as many."""

    n: int
    share: float
    expected: float
    p_low: float
    p_high: float


def tally(answers: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    """Answers by stratum from (stratum, yes) pairs."""
    found: dict[str, tuple[int, int]] = {}
    for stratum, yes in answers:
        n, so_far = found.get(stratum, (0, 0))
        found[stratum] = (n + 1, so_far + int(yes))
    return found


def deviation(own: Answers, colleagues: Sequence[Answers]) -> Deviation | None:
    """How one person's answers lie among the colleagues'; None with too few answers, or fewer than MIN_COLLEAGUES who
    gave enough of them in strata of this person's."""
    usual = _pooled(colleagues)
    own = {stratum: count for stratum, count in own.items() if stratum in usual}
    n, yes = _sums(own)
    shifts = np.array([found for each in colleagues if (found := _shift(each, usual)) is not None])
    if n == 0 or len(shifts) < MIN_COLLEAGUES:
        return None
    middle = float(np.median(shifts[:, 0]))
    seen = 1.4826 * float(np.median(np.abs(shifts[:, 0] - middle)))
    spread = max(SPREAD, float(np.sqrt(max(seen**2 - np.median(shifts[:, 1]), 0.0))))
    weights = _WEIGHTS / _WEIGHTS.sum()
    by_node = np.zeros(len(_NODES))
    for stratum, (count, _) in own.items():
        by_node += count * scipy.special.expit(scipy.special.logit(usual[stratum]) + middle + spread * _NODES)
    share = np.clip(by_node / n, 1e-12, 1 - 1e-12)
    low = float((weights * scipy.stats.binom.cdf(yes, n, share)).sum())
    high = float((weights * scipy.stats.binom.sf(yes - 1, n, share)).sum())
    return Deviation(n, yes / n, float((weights * share).sum()), min(low, 1.0), min(high, 1.0))


def _pooled(colleagues: Sequence[Answers]) -> dict[str, float]:
    """The share of yes in each stratum, each colleague's answers pulled together, kept away from 0 and 1."""
    sums: dict[str, tuple[int, int]] = {}
    for each in colleagues:
        for stratum, (n, yes) in each.items():
            before = sums.get(stratum, (0, 0))
            sums[stratum] = (before[0] + n, before[1] + yes)
    return {stratum: (yes + 0.5) / (n + 1.0) for stratum, (n, yes) in sums.items()}


def _shift(each: Answers, usual: Mapping[str, float]) -> tuple[float, float] | None:
    """How far a colleague's log odds lie from the pooled ones, and the variance that chance gives to that; None with
    too few answers to say."""
    n, yes = _sums(each)
    if n < MIN_ANSWERS:
        return None
    expected = sum(count * usual[stratum] for stratum, (count, _) in each.items()) / n
    shift = scipy.special.logit((yes + 0.5) / (n + 1.0)) - scipy.special.logit(expected)
    return float(shift), 1.0 / (n * expected * (1 - expected))


def _sums(answers: Answers) -> tuple[int, int]:
    return sum(n for n, _ in answers.values()), sum(yes for _, yes in answers.values())
