"""Is this transaction unlike anything the model has seen?"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.decision import FeatureValue
from engine.model.dataset import LARGEST, Encoders, level_name

QUANTILES = (0.001, 0.999)
MOST_LEVELS = 5_000
_MANY = 6
"""Rows from which on comparing columns takes less time than comparing each value."""


@dataclass(frozen=True)
class Range:
    """What training saw of one numeric input: its 0.1 and 99.9 percentiles, and whether it was ever
    missing."""

    low: float
    high: float
    may_miss: bool


@dataclass(frozen=True)
class Novelty:
    """Ranges of numeric inputs and seen levels of categories (every one, also those pooled into "other").

    Any one input of an ordinary payment may be outside its range by chance, so strange inputs are counted, and
    `fewer[k]` is the share of training rows that had fewer than k of them.
    """

    ranges: Mapping[str, Range]
    levels: Mapping[str, frozenset[str]]
    fewer: tuple[float, ...]

    def score(self, row: Mapping[str, FeatureValue]) -> float:
        """Share of training rows with fewer strange inputs than this one, in [0, 1]: 0 without any, 1 beyond all."""
        count = self.strange(row)
        return self.fewer[count] if count < len(self.fewer) else 1.0

    def scores(self, table: pa.Table) -> np.ndarray:
        """`score` of every row of a feature table, float64 of shape (rows,)."""
        count = np.zeros(table.num_rows, dtype=np.int64)
        for name, seen in self.ranges.items():
            column = pc.fill_null(table[name].cast(pa.float64()), np.nan).to_numpy()
            inside = (column >= seen.low) & (column <= seen.high)
            count += ~(inside | np.isnan(column)) if seen.may_miss else ~inside
        for name, levels in self.levels.items():
            text = table[name].cast(pa.string())
            count += pc.invert(
                pc.or_(pc.is_in(text, pa.array(levels, pa.string())), pc.is_null(text))
            ).to_numpy()
        fewer = np.append(self.fewer, 1.0)
        return fewer[np.minimum(count, len(self.fewer))]

    def of_rows(
        self, rows: Sequence[Mapping[str, FeatureValue]], exact: np.ndarray, names: Sequence[str]
    ) -> list[float]:
        """`score` of every row; `exact` holds their numbers as float64 (rows, inputs), the inputs being `names`."""
        if len(rows) < _MANY:
            return [self.score(row) for row in rows]
        places, low, high, may_miss = self._columns_of(tuple(names))
        numbers = exact[:, places]
        outside = ~((numbers >= low) & (numbers <= high))
        outside &= ~(np.isnan(numbers) & may_miss)
        fewer, most = self.fewer, len(self.fewer)
        counts = outside.sum(axis=1).tolist()
        for name, levels in self.levels.items():
            for place, row in enumerate(rows):
                counts[place] += _unseen(row[name], levels)
        return [fewer[count] if count < most else 1.0 for count in counts]

    def _columns_of(self, names: tuple[str, ...]) -> tuple[list[int], np.ndarray, np.ndarray, np.ndarray]:
        """Where the numeric inputs are among `names`, and their limits."""
        found = self._by_names.get(names)
        if found is None:
            seen = self.ranges.values()
            found = self._by_names[names] = (
                [names.index(name) for name in self.ranges],
                np.array([each.low for each in seen]),
                np.array([each.high for each in seen]),
                np.array([each.may_miss for each in seen], dtype=bool),
            )
        return found

    @cached_property
    def _by_names(self) -> dict[tuple[str, ...], tuple[list[int], np.ndarray, np.ndarray, np.ndarray]]:
        return {}

    def strange(self, row: Mapping[str, FeatureValue]) -> int:
        """How many inputs are outside their trained range, of an unseen level, or missing though they never were."""
        found = 0
        for name, low, high, seen in self._limits:
            value = row[name]
            # Rounding to a double keeps the order, so that a number inside needs no second look.
            if value is None or not low <= value <= high:  # type: ignore[operator]
                found += _outside(value, seen)
        for name, seen_levels in self.levels.items():
            found += _unseen(row[name], seen_levels)
        return found

    @cached_property
    def _limits(self) -> list[tuple[str, float, float, Range]]:
        return [(name, seen.low, seen.high, seen) for name, seen in self.ranges.items()]

    def to_json(self) -> dict[str, object]:
        ranges = {n: [r.low, r.high, r.may_miss] for n, r in self.ranges.items()}
        levels = {n: sorted(v) for n, v in self.levels.items()}
        return {"ranges": ranges, "levels": levels, "fewer": list(self.fewer)}

    @classmethod
    def from_json(cls, stored: Mapping) -> Novelty:
        ranges = {n: Range(float(a), float(b), bool(m)) for n, (a, b, m) in stored["ranges"].items()}
        levels = {n: frozenset(v) for n, v in stored["levels"].items()}
        return cls(ranges, levels, tuple(float(v) for v in stored["fewer"]))


def fit_novelty(
    table: pa.Table, encoders: Encoders, matrix: np.ndarray, growing: Collection[str] = ()
) -> Novelty:
    """Learn ranges from the encoded training matrix, and levels from the table it came from.

    Inputs in `growing` rise with the length of the record itself (seconds since first seen), so that a high value
    is never strange: a young record would otherwise make every later payment look new.
    """
    ranges, levels = {}, {}
    strange = np.zeros(len(matrix), dtype=np.int64)
    for i, name in enumerate(encoders.names):
        if name in encoders.categories:
            seen = pc.unique(table[name].cast(pa.string())).to_pylist()
            if len(seen) <= MOST_LEVELS:  # with more, a new level is the rule rather than news
                levels[name] = frozenset(v for v in seen if v is not None)
            continue
        column = matrix[:, i].astype(np.float64)
        present = column[~np.isnan(column)]
        if len(present):
            low, high = np.quantile(present, QUANTILES)
            low = -sys.float_info.max if low <= -LARGEST else low  # the matrix tells no larger numbers apart
            high = sys.float_info.max if name in growing or high >= LARGEST else high
            ranges[name] = Range(float(low), float(high), len(present) < len(column))
            strange += (column < low) | (column > high)
    counts = np.bincount(strange) / max(1, len(strange))
    fewer = np.concatenate([[0.0], np.cumsum(counts)[:-1]])
    return Novelty(ranges, levels, tuple(fewer.tolist()))


def _unseen(value: FeatureValue, levels: frozenset[str]) -> bool:
    return value is not None and value not in levels and level_name(value) not in levels


def _outside(value: FeatureValue, seen: Range) -> bool:
    if value is None:
        return not seen.may_miss
    number = float(value)
    if number != number:
        return not seen.may_miss
    return not seen.low <= number <= seen.high
