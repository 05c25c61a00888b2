"""Is this transaction unlike anything the model has seen?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.decision import FeatureValue
from engine.model.dataset import Encoders, level_name

QUANTILES = (0.001, 0.999)
MOST_LEVELS = 5_000


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

    Any single payment may well be outside one range by chance, which is why the figure is a share over
    inputs.
    """

    ranges: Mapping[str, Range]
    levels: Mapping[str, frozenset[str]]

    def share(self, row: Mapping[str, FeatureValue]) -> float:
        """Share of inputs whose value is outside its trained range, an unseen level, or missing though it
        never was."""
        if not self.ranges and not self.levels:
            return 0.0
        strange = sum(_outside(row[name], seen) for name, seen in self.ranges.items())
        for name, seen_levels in self.levels.items():
            value = row[name]
            strange += value is not None and level_name(value) not in seen_levels
        return strange / (len(self.ranges) + len(self.levels))

    def to_json(self) -> dict[str, object]:
        ranges = {n: [r.low, r.high, r.may_miss] for n, r in self.ranges.items()}
        return {"ranges": ranges, "levels": {n: sorted(v) for n, v in self.levels.items()}}

    @classmethod
    def from_json(cls, stored: Mapping) -> Novelty:
        ranges = {n: Range(float(a), float(b), bool(m)) for n, (a, b, m) in stored["ranges"].items()}
        return cls(ranges, {n: frozenset(v) for n, v in stored["levels"].items()})


def fit_novelty(table: pa.Table, encoders: Encoders, matrix: np.ndarray) -> Novelty:
    """Learn ranges from the encoded training matrix, and levels from the table it came from."""
    ranges, levels = {}, {}
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
            ranges[name] = Range(float(low), float(high), len(present) < len(column))
    return Novelty(ranges, levels)


def _outside(value: FeatureValue, seen: Range) -> bool:
    if value is None:
        return not seen.may_miss
    number = float(value)
    if number != number:
        return not seen.may_miss
    return not seen.low <= number <= seen.high
