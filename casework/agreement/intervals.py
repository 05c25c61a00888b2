"""How sure is a coefficient, and are there enough reviews to say so at all?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from casework.agreement.coefficients import Counts, Values, Weights
from casework.agreement.table import Patterns

REPLICATES = 2000
# Chosen by simulation with known truth: from these numbers on, the bootstrap interval of alpha and of
# positive agreement covers about 93-96 % where it promises 95; with 20 positive ratings it covers 83-92 %,
# with 10, 60 %.
MIN_ITEMS = 100
MIN_POSITIVE_RATINGS = 40
MIN_DISAGREEING_ITEMS = 10

ENOUGH, INSUFFICIENT, UNDEFINED = "enough", "insufficient data", "undefined"
Statistic = Callable[[np.ndarray, Weights], Values]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an interval rests on: items with two or more reviewers, the pairs of reviewers on them, their
    positive ratings, and the items on which somebody disagreed."""

    n_items: int
    n_pairs: int
    positive_ratings: int
    disagreeing_items: int

    def lacks(self, *, positives: bool) -> str:
        """Why this is too little for a 95 % interval, in words; '' when it is enough."""
        if self.n_items < MIN_ITEMS:
            return f"{self.n_items} items with two reviewers, {MIN_ITEMS} needed"
        if positives and self.positive_ratings < MIN_POSITIVE_RATINGS:
            return f"{self.positive_ratings} positive ratings on them, {MIN_POSITIVE_RATINGS} needed"
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
        disagreeing_items=int((two.max(axis=1) < n).sum()) if two.size else 0,
    )


def percentile_interval(replicates: Values) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of the replicates that are defined (Efron's percentile interval)."""
    low, high = np.percentile(replicates[~np.isnan(replicates)], [2.5, 97.5])
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
    low, high = percentile_interval(statistic(found.rows, found.resampled(replicates, seed)))
    return Measure(name, value, low, high, *shared, ENOUGH, words(value))


def _undefined(basis: Evidence) -> str:
    if basis.n_items == 0:
        return "No item has two reviewers."
    return "Every rating is one and the same category, so agreement beyond chance has no value."
