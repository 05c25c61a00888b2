"""Who said what about which item, with one voice per person and item?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.errors import InputError

Counts = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Rating:
    """One verdict by one reviewer on one item, under one display arm ('' where arms do not matter)."""

    item: str
    reviewer: str
    verdict: str
    arm: str = ""


@dataclass(frozen=True, slots=True)
class Ratings:
    """A table of items by reviewers.

    `rows[i, j]` is the index into `categories` of reviewer j's verdict on item i, or -1. `repeats` counts
    ratings that were left out because the same person had already rated the item; `repeats_changed` those
    among them that said something else (they speak of that person's steadiness, not of agreement between
    people).
    """

    items: tuple[str, ...]
    reviewers: tuple[str, ...]
    categories: tuple[str, ...]
    rows: Rows
    repeats: int = 0
    repeats_changed: int = 0

    @property
    def counts(self) -> Counts:
        """How many reviewers chose each category: items by categories."""
        return np.stack([(self.rows == c).sum(axis=1) for c in range(len(self.categories))], axis=1).astype(
            float
        )

    @property
    def n_ratings(self) -> int:
        return int((self.rows != NOBODY).sum())

    def pair(self, first: str, second: str) -> Ratings:
        """The same table with two reviewers only."""
        columns = [self.reviewers.index(first), self.reviewers.index(second)]
        return Ratings(self.items, (first, second), self.categories, self.rows[:, columns])


@dataclass(frozen=True, slots=True)
class Patterns:
    """Rows that look alike, kept once with how many items have them.

    Resampling items is the same as resampling patterns with these numbers, and there are few patterns.
    """

    rows: npt.NDArray
    multiplicity: npt.NDArray[np.int64]

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """The observed weights as one bootstrap replicate: shape (1, patterns)."""
        return self.multiplicity[None, :].astype(float)

    def resampled(self, replicates: int, seed: int) -> npt.NDArray[np.float64]:
        """Weights of bootstrap replicates over items: shape (replicates, patterns), rows summing to the
        items."""
        n = int(self.multiplicity.sum())
        if n == 0:
            return np.zeros((replicates, 0))
        shares = self.multiplicity / n
        return np.random.default_rng(seed).multinomial(n, shares, size=replicates).astype(float)


def patterns(rows: npt.NDArray) -> Patterns:
    """Collapse equal rows."""
    if len(rows) == 0:
        return Patterns(rows, np.zeros(0, dtype=np.int64))
    distinct, multiplicity = np.unique(rows, axis=0, return_counts=True)
    return Patterns(distinct, multiplicity.astype(np.int64))


def tabulate(ratings: Iterable[Rating], categories: Sequence[str] = ()) -> Ratings:
    """Lay out ratings as items by reviewers; the first word of a person on an item counts, later ones are
    repeats.

    `categories` fixes their order (needed for ordinal coefficients); without it they are sorted. A verdict
    outside given categories is an InputError.
    """
    seen: dict[tuple[str, str], str] = {}
    repeats = changed = 0
    for rating in ratings:
        spot = (rating.item, rating.reviewer)
        if spot in seen:
            repeats += 1
            changed += seen[spot] != rating.verdict
        else:
            seen[spot] = rating.verdict
    known = tuple(categories) or tuple(sorted(set(seen.values())))
    unknown = sorted(set(seen.values()) - set(known))
    if unknown:
        raise InputError(f"the verdict '{unknown[0]}' is not a category", allowed=", ".join(known))
    return _laid_out(seen, known, repeats, changed)


def _laid_out(
    seen: dict[tuple[str, str], str], known: tuple[str, ...], repeats: int, changed: int
) -> Ratings:
    items = tuple(dict.fromkeys(item for item, _ in seen))
    reviewers = tuple(sorted({reviewer for _, reviewer in seen}))
    place_of_item = {item: i for i, item in enumerate(items)}
    place_of_reviewer = {reviewer: j for j, reviewer in enumerate(reviewers)}
    code = {category: c for c, category in enumerate(known)}
    rows = np.full((len(items), len(reviewers)), NOBODY, dtype=np.int64)
    for (item, reviewer), verdict in seen.items():
        rows[place_of_item[item], place_of_reviewer[reviewer]] = code[verdict]
    return Ratings(items, reviewers, known, rows, repeats, changed)
