"""What share of these payments is fraud, when only some of their outcomes could ever be seen?

A payment's outcome is seen with a known chance: surely, once a payment that went through has matured; with the
exploration's share, where a decline was released at random; never, where it stayed declined. Weighing what is seen by
one over that chance gives the share among all that could have been seen (Horvitz and Thompson 1952; as a ratio, Hajek
1971). Counting whatever is known gives the naive share, which is too high, since frauds become known first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

_Z2 = 1.959963984540054**2
_ENDLESS = 500.0  # in place of an infinite logarithm; e to its power still fits into a double
LEAST_INFORMED = 0.1  # recall less false positive rate, below which verdicts say next to nothing


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval, from `n` payments seen."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Reviewer:
    """How often a review finds fraud (`recall`) and accuses a good payment, each with its bounds."""

    recall: Share
    false_positive_rate: Share

    @property
    def informed(self) -> float:
        """Youden's index; the verdicts of somebody who guesses have none."""
        return self.recall.value - self.false_positive_rate.value


def wilson_bounds(successes: float, total: float) -> tuple[float, float]:
    """95 % Wilson (1927) bounds of a share, also for effective numbers that are not whole; (0, 1) of nothing."""
    if total <= 0:
        return 0.0, 1.0
    share = successes / total
    centre = (share + _Z2 / (2 * total)) / (1 + _Z2 / total)
    half = sqrt(_Z2) / (1 + _Z2 / total) * sqrt(share * (1 - share) / total + _Z2 / (4 * total**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def exactly(value: float) -> Share:
    """A share that is taken as given."""
    return Share(value, value, value, 0)


def counted(successes: int, total: int) -> Share:
    """A plain share with its Wilson interval; `total` above 0."""
    return Share(successes / total, *wilson_bounds(successes, total), total)


def weighed(fraud: np.ndarray, chance: np.ndarray) -> Share | None:
    """The share of fraud from payments seen with unequal chances (each above 0); None where none was seen.

    The interval is Wilson's at the effective number (sum w)^2 / sum w^2 of Kish (1965), so that it holds up where no
    fraud was seen, too.
    """
    if not len(fraud):
        return None
    weight = 1.0 / chance
    value = float((weight * fraud).sum() / weight.sum())
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return Share(value, *wilson_bounds(value * effective, effective), len(fraud))


def from_verdicts(confirmed: int, judged: int, reviewer: Reviewer) -> Share | None:
    """The share of fraud behind so many verdicts, each given an equal chance (see `corrected`); None without any."""
    return corrected(counted(confirmed, judged), reviewer) if judged else None


def corrected(said: Share, reviewer: Reviewer) -> Share | None:
    """The share of fraud behind verdicts that are often wrong: (said - f) / (r - f), with r the recall and f the false
    positive rate (Rogan and Gladen 1978). None where they say next to nothing. `said` may be weighed.

    The interval joins those of the verdicts and of both error rates (method of variance estimates recovery), around the
    share as it is told: where fewer were accused than errors alone would have it, it still reaches upwards.
    """
    r, f = reviewer.recall, reviewer.false_positive_rate
    informed = reviewer.informed
    if informed < LEAST_INFORMED:
        return None
    value = (said.value - f.value) / informed
    kept = min(max(value, 0.0), 1.0)
    down = (said.value - said.low, (f.high - f.value) * (1 - kept), (r.high - r.value) * kept)
    up = (said.high - said.value, (f.value - f.low) * (1 - kept), (r.value - r.low) * kept)
    low = kept - sqrt(sum(part**2 for part in down)) / informed
    high = kept + sqrt(sum(part**2 for part in up)) / informed
    return Share(kept, max(low, 0.0), min(high, 1.0), said.n)


def joined(parts: Sequence[tuple[int, Share]]) -> Share | None:
    """The share over several groups of known size, each estimated by itself; None of nothing.

    The distances to the bounds add as squares (Zou and Donner 2008).
    """
    total = sum(size for size, _ in parts)
    if not total:
        return None
    value = sum(size * share.value for size, share in parts) / total
    down = sqrt(sum((size * (share.value - share.low)) ** 2 for size, share in parts)) / total
    up = sqrt(sum((size * (share.high - share.value)) ** 2 for size, share in parts)) / total
    return Share(value, max(value - down, 0.0), min(value + up, 1.0), sum(share.n for _, share in parts))


def recall(stopped: tuple[int, Share], passed: tuple[int, Share]) -> Share | None:
    """The share of all fraud that was stopped: D / (D + M), with D and M the frauds among the stopped and the passed,
    each a group's size and its share of fraud. None where both shares are 0.

    The interval joins those of both shares on the logit of the recall, which is ln D - ln M (method of variance
    estimates recovery for a ratio, Donner and Zou 2012); exact where one of the shares is known exactly.
    """
    (d, d_low, d_high), (m, m_low, m_high) = (
        (size * s.value, size * s.low, size * s.high) for size, s in (stopped, passed)
    )
    seen = stopped[1].n + passed[1].n
    if d + m <= 0:
        return None
    if d <= 0 or m <= 0:
        value = float(d > 0)
        return Share(value, _ratio(d_low, m_high), _ratio(d_high, m_low) if d <= 0 else 1.0, seen)
    down = sqrt(_log_ratio(d, d_low) ** 2 + _log_ratio(m_high, m) ** 2)
    up = sqrt(_log_ratio(d_high, d) ** 2 + _log_ratio(m, m_low) ** 2)
    return Share(d / (d + m), d / (d + m * exp(down)), d / (d + m * exp(-up)), seen)


def _ratio(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else 0.0


def _log_ratio(high: float, low: float) -> float:
    return log(high / low) if low > 0 else _ENDLESS
