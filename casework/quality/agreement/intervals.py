"""How sure is a coefficient, and are there enough reviews to say so at all?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy

from casework.quality.agreement.coefficients import Counts, Values, Weights
from casework.quality.agreement.shown_intervals import allowing_for_border
from casework.quality.agreement.table import Patterns

REPLICATES = 2000
Z_LOW = -1.959963984540054
# Chosen by simulation with known truth (benchmarks/coverage.py, docs/consistency.md): from these numbers on,
# the interval covers 93-97 % where it promises 95. Counting items with a positive rating rather than the ratings
# matters: given how many there are, what share of them is agreed on is still as likely to be high as low.
MIN_ITEMS = 100
MIN_POSITIVE_ITEMS = 40
MIN_DISAGREEING_ITEMS = 10

ENOUGH, INSUFFICIENT, UNDEFINED = "enough", "insufficient data", "undefined"
Statistic = Callable[[np.ndarray, Weights], Values]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an interval rests on: items with two or more reviewers, the pairs of reviewers on them, their
    positive ratings and the items that have any, and the items on which somebody disagreed."""

    n_items: int
    n_pairs: int
    positive_ratings: int
    items_with_positive: int
    disagreeing_items: int

    def lacks(self, *, positives: bool) -> str:
        """Why this is too little for a 95 % interval, in words; '' when it is enough."""
        if self.n_items < MIN_ITEMS:
            return f"{self.n_items} items with two reviewers, {MIN_ITEMS} needed"
        if positives and self.items_with_positive < MIN_POSITIVE_ITEMS:
            return f"{self.items_with_positive} items with a positive rating, {MIN_POSITIVE_ITEMS} needed"
        if self.disagreeing_items < MIN_DISAGREEING_ITEMS:
            return f"{self.disagreeing_items} items in dispute, {MIN_DISAGREEING_ITEMS} needed"
        return ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One coefficient with its 95 % interval; `low` and `high` are None unless the state is `enough`."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n_items: int
    n_pairs: int
    state: str
    sentence: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def evidence(counts: Counts, positive: int) -> Evidence:
    """Count what a table of items by categories has to offer; `positive` is the index of the positive
    category."""
    raters = counts.sum(axis=1)
    two = counts[raters >= 2]
    n = raters[raters >= 2]
    return Evidence(
        n_items=len(two),
        n_pairs=int((n * (n - 1) / 2).sum()),
        positive_ratings=int(two[:, positive].sum()) if two.size else 0,
        items_with_positive=int((two[:, positive] > 0).sum()) if two.size else 0,
        disagreeing_items=int((two.max(axis=1) < n).sum()) if two.size else 0,
    )


def bca_interval(
    value: float, replicates: Values, left_out: Values, multiplicity: Values
) -> tuple[float, float]:
    """Efron's bias-corrected and accelerated 95 % interval (1987; Efron and Tibshirani 1993, chapter 14).

    `left_out[p]` is the statistic without one item of pattern p, of which there are `multiplicity[p]`. Plain
    percentiles cover only 90-92 % for alpha on 200 items with 1-5 % fraud; the correction for bias and skew is
    what brings them to 93-97 %.
    """
    seen = np.sort(replicates[~np.isnan(replicates)])
    below = ((seen < value).sum() + (seen == value).sum() / 2) / len(seen)
    bias = float(scipy.special.ndtri(np.clip(below, 0.5 / len(seen), 1 - 0.5 / len(seen))))
    moves = np.nan_to_num(np.average(np.nan_to_num(left_out, nan=value), weights=multiplicity) - left_out)
    spread = float((multiplicity * moves**2).sum())
    skew = float((multiplicity * moves**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    ends = np.array([bias + Z_LOW, bias - Z_LOW])
    low, high = np.quantile(seen, scipy.special.ndtr(bias + ends / (1 - skew * ends)))
    return float(low), float(high)


def measure(
    name: str,
    statistic: Statistic,
    found: Patterns,
    basis: Evidence,
    *,
    positives: bool,
    words: Callable[[float], str] = lambda _: "",
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Measure:
    """A coefficient with a bootstrap interval over items.

    `positives` says whether the interval rests on positive ratings as well as on the number of items. `words`
    turns the value into a sentence.
    """
    value = float(statistic(found.rows, found.weights)[0]) if len(found.rows) else float("nan")
    shared = (basis.n_items, basis.n_pairs)
    if np.isnan(value):
        return Measure(name, None, None, None, *shared, UNDEFINED, _undefined(basis))
    lacking = basis.lacks(positives=positives)
    if lacking:
        return Measure(name, value, None, None, *shared, INSUFFICIENT, f"Insufficient data: {lacking}.")
    resampled = statistic(found.rows, found.resampled(replicates, seed))
    left_out = statistic(found.rows, found.weights - np.eye(len(found.rows)))
    low, high = bca_interval(value, resampled, left_out, found.weights[0])
    low, high = allowing_for_border(low, high, basis.disagreeing_items, MIN_DISAGREEING_ITEMS)
    return Measure(name, value, low, high, *shared, ENOUGH, words(value))


def _undefined(basis: Evidence) -> str:
    if basis.n_items == 0:
        return "No item has two reviewers."
    return "Every rating is one and the same category, so agreement beyond chance has no value."
