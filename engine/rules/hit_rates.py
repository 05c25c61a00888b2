"""Does a rule hit more, or less, often than its own history lets one expect?

Given all hits of history and recent days together, the recent ones follow a binomial distribution with the recent
days' share of payments, if nothing changed. Hits come in bursts, so the spread between the days of its history widens
that to a beta-binomial with the same variance. A rule that seldom hit shows no spread of its own; what all rules show
together is the least that is taken. Both tails count. Over many rules the share of false alarms among all
alarms is held at 5 % (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

FALSE_ALARMS = 0.05
LEAST_DAYS = 7  # of history, below which its spread says nothing


@dataclass(frozen=True, slots=True)
class HitRate:
    """One rule's recent hits against its history. `expected` is for the recent days at the rate of its history;
    `spread` is the variance between its days over that of pure chance (1 at least); `p` is two-sided.

    `change` is surge, silence or '': what is found over all rules together. `silence_shows` says whether hitting
    nothing at all would have been found for this rule alone.
    """

    hits: int
    expected: float
    history_hits: int
    history_days: int
    spread: float
    p: float
    silence_shows: bool
    change: str = ""


@dataclass(frozen=True, slots=True)
class Days:
    """Hits and payments of a rule, one entry a day: its history, and the recent days."""

    history_hits: np.ndarray
    history_payments: np.ndarray
    hits: np.ndarray
    payments: np.ndarray


def compared(rules: Mapping[str, Days]) -> dict[str, HitRate]:
    """Every rule against its own history, alarms decided over all of them. Rules without history have none."""
    common = _spread([days for days in rules.values() if days.history_hits.sum()])
    found = {name: _one(days, common) for name, days in rules.items()}
    alarms = _rejected([rate.p for rate in found.values()])
    return {
        name: replace(rate, change=_direction(rate)) if alarm else rate
        for (name, rate), alarm in zip(found.items(), alarms, strict=True)
    }


def _one(days: Days, common: float) -> HitRate:
    before, after = int(days.history_payments.sum()), int(days.payments.sum())
    old, new = int(days.history_hits.sum()), int(days.hits.sum())
    if not before or not after:
        return HitRate(new, 0.0, old, len(days.history_hits), 1.0, 1.0, False)
    share, spread = after / (before + after), max(_spread([days]), common)
    p = min(1.0, 2 * min(_tails(new, old + new, share, spread)))
    silent = 2 * _tails(0, max(old, 1), share, spread)[0] <= FALSE_ALARMS and old > 0
    return HitRate(new, old / before * after, old, len(days.history_hits), spread, p, silent)


def _spread(rules: Sequence[Days]) -> float:
    """Pearson's chi-square over its degrees of freedom, over one rule or many; 1 at least."""
    square = freedom = 0.0
    for days in rules:
        hits, payments = days.history_hits, days.history_payments
        open_days = payments > 0
        if open_days.sum() < LEAST_DAYS or not hits.sum():
            continue
        expected = hits.sum() / payments.sum() * payments[open_days]
        square += float(((hits[open_days] - expected) ** 2 / expected).sum())
        freedom += float(open_days.sum() - 1)
    return max(1.0, square / freedom) if freedom else 1.0


def _tails(hits: int, of: int, share: float, spread: float) -> tuple[float, float]:
    """P(at most `hits`) and P(at least `hits`)."""
    if of < 2 or spread < 1.001:
        chances: tuple[float, ...] = (share,)
        kind = scipy.stats.binom
    else:
        alike = min((spread - 1.0) / (of - 1), 0.99)
        size = (1.0 - alike) / alike
        chances, kind = (share * size, (1.0 - share) * size), scipy.stats.betabinom
    return float(kind.cdf(hits, of, *chances)), float(kind.sf(hits - 1, of, *chances))


def _rejected(p: Sequence[float]) -> np.ndarray:
    """Which hypotheses Benjamini and Hochberg's procedure rejects."""
    if not p:
        return np.zeros(0, bool)
    order = np.argsort(p)
    passed = np.asarray(p)[order] <= FALSE_ALARMS * np.arange(1, len(p) + 1) / len(p)
    rejected = np.zeros(len(p), bool)
    if passed.any():
        rejected[order[: int(np.flatnonzero(passed)[-1]) + 1]] = True
    return rejected


def _direction(rate: HitRate) -> str:
    return "surge" if rate.hits > rate.expected else "silence"
