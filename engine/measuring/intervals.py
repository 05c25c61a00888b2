"""Between which bounds does a figure lie, given that other transactions might have come in?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from data.errors import InputError
from engine.measuring.metrics import Ranking, weights

RESAMPLES = 500
CELLS = 4_000_000  # rows times resamples held in memory at once


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % percentile interval; NaN bounds where it could not be resampled."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_json(self) -> dict[str, float | None]:
        """NaN becomes None: JSON has no other way to say that a figure does not exist."""
        named = {"value": self.value, "low": self.low, "high": self.high}
        return {name: (v if np.isfinite(v) else None) for name, v in named.items()}


Statistic = Callable[[np.ndarray], np.ndarray]


def resampled_weights(
    weight: np.ndarray, seed: int, *, groups: np.ndarray | None = None, resamples: int = RESAMPLES
) -> Iterator[np.ndarray]:
    """Blocks of bootstrap weights (resamples, rows): how often each row was drawn, times its weight.

    With `groups` (customers, say) whole groups are drawn, since the payments of one customer rise and fall
    together and counting them as independent makes intervals too narrow.
    """
    rng = np.random.default_rng(seed)
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    units = len(weight) if codes is None else int(codes.max()) + 1
    block = max(1, CELLS // max(1, len(weight)))
    for first in range(0, resamples, block):
        drawn = np.stack(
            [
                np.bincount(rng.integers(0, units, units), minlength=units)
                for _ in range(min(block, resamples - first))
            ]
        )
        yield (drawn if codes is None else drawn[:, codes]) * weight


def bootstrap(
    statistic: Statistic,
    weight: np.ndarray,
    seed: int,
    *,
    groups: np.ndarray | None = None,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile bootstrap of a statistic that maps weights (..., rows) to values (...)."""
    if not len(weight):
        raise InputError("there is nothing to resample", where="bootstrap", allowed="at least one row")
    value = float(statistic(weight[None, :])[0])
    blocks = resampled_weights(weight, seed, groups=groups, resamples=resamples)
    return percentile_interval(value, np.concatenate([statistic(block) for block in blocks]))


def ranking_intervals(
    y: np.ndarray,
    score: np.ndarray,
    seed: int,
    *,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    resamples: int = RESAMPLES,
) -> tuple[Interval, Interval]:
    """(AUC, average precision) with their intervals, from the same resamples."""
    ranking = Ranking.of(y, score)
    w = weights(y, weight)
    blocks = [ranking.both(b) for b in resampled_weights(w, seed, groups=groups, resamples=resamples)]
    values = ranking.both(w)
    area, precision = (
        percentile_interval(float(value), np.concatenate([block[i] for block in blocks]))
        for i, value in enumerate(values)
    )
    return area, precision


def average_precision_interval(
    y: np.ndarray, score: np.ndarray, seed: int, *, weight: np.ndarray | None = None
) -> Interval:
    return ranking_intervals(y, score, seed, weight=weight)[1]


def paired_difference(
    first: Statistic,
    second: Statistic,
    weight: np.ndarray,
    seed: int,
    *,
    groups: np.ndarray | None = None,
    resamples: int = RESAMPLES,
) -> Interval:
    """Second minus first on the same resamples: what both have in common cancels out, so the interval is
    narrower than two separate ones suggest."""
    return bootstrap(lambda w: second(w) - first(w), weight, seed, groups=groups, resamples=resamples)


def percentile_interval(value: float, sampled: np.ndarray) -> Interval:
    """A figure with the middle 95 % of its resampled values, those that do not exist left out."""
    sampled = sampled[np.isfinite(sampled)]  # a resample without any fraud has no value
    if not len(sampled):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(sampled, (0.025, 0.975))
    return Interval(value, float(low), float(high))
