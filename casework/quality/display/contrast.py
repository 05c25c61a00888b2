"""How much does one way of showing a case differ from another, and could chance alone have done it?

Verdicts on one item hang together, and so do one person's. The interval is a percentile bootstrap that draws whole
items (and, from ten reviewers on, whole reviewers too: the product weights of Owen 2007); with fewer it speaks of these
reviewers only. The test permutes what was shown: between items where every item was shown one way, else between each
reviewer's own verdicts. It is exact, but for its number of draws, where what was shown made no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
REPLICATES = 1000
PERMUTATIONS = 2000
MANY_REVIEWERS = 10
MIN_CASES = 30
_BLOCK = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """Verdicts as columns: `value` is what is compared (0 or 1, or log seconds), `side` 0 for the baseline display
    and 1 for the other."""

    value: Numbers
    side: Codes
    item: Codes
    reviewer: Codes

    def where(self, chosen: npt.NDArray[np.bool_]) -> Shown:
        return Shown(self.value[chosen], self.side[chosen], self.item[chosen], self.reviewer[chosen])


def contrast(shown: Shown, *, seed: int = 0) -> dict[str, Any]:
    """Means of both sides, their difference with a 95 % interval, and the p of a permutation test.

    `low`, `high` and `p` are None ("insufficient data") with fewer than MIN_CASES verdicts on a side.
    """
    sides = [shown.value[shown.side == side] for side in (0, 1)]
    found: dict[str, Any] = {
        "without": _mean(sides[0]),
        "with": _mean(sides[1]),
        "difference": None,
        "low": None,
        "high": None,
        "p": None,
        "state": "insufficient data",
    }
    if min(len(side) for side in sides):
        found["difference"] = found["with"]["value"] - found["without"]["value"]
    if min(len(side) for side in sides) < MIN_CASES:
        return found
    rng = np.random.default_rng(seed)
    found["low"], found["high"] = _interval(shown, rng)
    found["p"], found["permuted"] = _permuted(shown, found["difference"], rng)
    return found | {"state": "enough"}


def _mean(values: Numbers) -> dict[str, Any]:
    return {"value": float(values.mean()) if len(values) else None, "n": len(values)}


def _interval(shown: Shown, rng: np.random.Generator) -> tuple[float, float]:
    items, item = np.unique(shown.item, return_inverse=True)
    people, reviewer = np.unique(shown.reviewer, return_inverse=True)
    side = np.stack([shown.side == 0, shown.side == 1], axis=1).astype(float)
    sums = side * shown.value[:, None]
    differences = []
    for _ in range(REPLICATES // _BLOCK):
        weights = _multinomial(len(items), rng)[:, item]
        if len(people) >= MANY_REVIEWERS:
            weights = weights * _multinomial(len(people), rng)[:, reviewer]
        counted = weights @ side
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (weights @ sums) / counted
        differences.append(means[:, 1] - means[:, 0])
    low, high = np.nanpercentile(np.concatenate(differences), [2.5, 97.5])
    return float(low), float(high)


def _multinomial(n: int, rng: np.random.Generator) -> Numbers:
    return rng.multinomial(n, np.full(n, 1 / n), size=_BLOCK).astype(float)


def _permuted(shown: Shown, difference: float, rng: np.random.Generator) -> tuple[float, str]:
    """Two-sided p, and what was permuted."""
    items, item = np.unique(shown.item, return_inverse=True)
    ones = np.bincount(item, shown.side.astype(float))
    size = np.bincount(item).astype(float)
    if bool(np.isin(ones / size, (0.0, 1.0)).all()):
        total = np.bincount(item, shown.value).astype(float)
        drawn = _differences((ones > 0).astype(float), total, size, np.zeros(len(items), np.int64), rng)
        what = "items"
    else:
        side = shown.side.astype(float)
        drawn = _differences(side, shown.value, np.ones(len(side)), shown.reviewer, rng)
        what = "verdicts of each reviewer"
    as_far = np.abs(drawn) >= abs(difference) - 1e-12
    return float((1 + as_far.sum()) / (1 + len(drawn))), what


def _differences(
    side: Numbers, total: Numbers, size: Numbers, stratum: Codes, rng: np.random.Generator
) -> Numbers:
    """Differences of means after shuffling the sides of the units within their strata."""
    places = [np.flatnonzero(stratum == one) for one in np.unique(stratum)]
    found = []
    for _ in range(PERMUTATIONS // _BLOCK):
        sides = np.repeat(side[None, :], _BLOCK, axis=0)
        for place in places:
            sides[:, place] = rng.permuted(sides[:, place], axis=1)
        counted, summed = sides @ size, sides @ total
        found.append(summed / counted - (total.sum() - summed) / (size.sum() - counted))
    return np.concatenate(found)
