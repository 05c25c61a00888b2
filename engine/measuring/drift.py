"""Have the transactions of today moved away from those the model learned from, feature by feature?"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy

from data.errors import InputError

BINS = 10
MOST_LEVELS = 20
FLOOR = 1e-4  # share put in an empty bin, without which the index would be infinite
NOTICE, ALARM = 0.1, 0.25  # the field's customary bounds (Siddiqi 2006)
UNLIKELY = 0.001
MISSING, OTHER = "missing", "other"


@dataclass(frozen=True)
class Bins:
    """How one feature is cut. Numbers: `edges` between bins, values equal to an edge go below it.
    Categories: `levels`, then "other". Both end with "missing". `shares` are those of the reference rows,
    summing to 1."""

    name: str
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    shares: tuple[float, ...]
    is_category: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """The bins in words, so that a reader sees what was compared."""
        if self.is_category:
            return (*self.levels, OTHER, MISSING)
        if not self.edges:
            return ("any value", MISSING)
        between = [f"({a:g}, {b:g}]" for a, b in zip(self.edges, self.edges[1:], strict=False)]
        return (f"<= {self.edges[0]:g}", *between, f"> {self.edges[-1]:g}", MISSING)

    def count(self, column: pa.ChunkedArray) -> np.ndarray:
        """Rows in each bin, in the order of `labels`."""
        if self.is_category:
            return _count_levels(column, self.levels)
        return _count_numbers(_as_numbers(column), self.edges)


@dataclass(frozen=True)
class Profile:
    """Stated bins of every feature over the reference rows."""

    rows: int
    bins: tuple[Bins, ...]

    def to_json(self) -> dict[str, object]:
        features = {
            b.name: {"shares": list(b.shares)}
            | ({"levels": list(b.levels)} if b.is_category else {"edges": list(b.edges)})
            for b in self.bins
        }
        return {"rows": self.rows, "features": features}

    @classmethod
    def from_json(cls, stored: Mapping) -> Profile:
        bins = tuple(
            Bins(
                name,
                tuple(f.get("edges", ())),
                tuple(f.get("levels", ())),
                tuple(f["shares"]),
                "levels" in f,
            )
            for name, f in stored["features"].items()
        )
        return cls(int(stored["rows"]), bins)


@dataclass(frozen=True)
class FeatureDrift:
    """PSI of one feature with everything it was computed from.

    `by_chance` is the PSI to expect from sampling alone, (bins - 1)(1/n + 1/m); `p_value` the chance of a
    PSI this large without drift (Yurdakul 2018: PSI / (1/n + 1/m) is chi-squared with bins - 1 degrees of
    freedom). `level` is stable, notice or alarm: by the customary bounds, and only where chance does not
    explain it.
    """

    name: str
    psi: float
    by_chance: float
    p_value: float
    level: str
    labels: tuple[str, ...]
    expected: tuple[float, ...]
    actual: tuple[float, ...]


def profile(table: pa.Table, names: Sequence[str], categorical: Collection[str], bins: int = BINS) -> Profile:
    """Cut every feature of the reference rows: numbers at their deciles (equal deciles merge, so a count
    that is mostly 0 has fewer bins), categories into the 20 most frequent levels and "other"."""
    if not table.num_rows:
        raise InputError(
            "drift needs reference rows", where="profile", hint="Give the rows the model learned from"
        )
    return Profile(table.num_rows, tuple(_cut(n, table[n], n in categorical, bins) for n in names))


def drift(reference: Profile, table: pa.Table) -> list[FeatureDrift]:
    """PSI of every feature of `table` against the reference, largest first. Raises InputError for an empty
    table or an absent feature."""
    absent = [b.name for b in reference.bins if b.name not in table.column_names]
    if absent or not table.num_rows:
        what = f"the table lacks {', '.join(absent)}" if absent else "there are no rows to compare"
        raise InputError(what, where="drift", hint="Compare rows made with the model's own features")
    found = [_compare(b, b.count(table[b.name]), reference.rows) for b in reference.bins]
    return sorted(found, key=lambda d: (-d.psi, d.name))


def psi(expected: np.ndarray, actual: np.ndarray) -> float:
    """Population stability index of two vectors of shares: sum of (a - e) ln(a / e), empty bins floored at
    1e-4."""
    e, a = np.maximum(expected, FLOOR), np.maximum(actual, FLOOR)
    return float(((a - e) * np.log(a / e)).sum())


def _compare(bins: Bins, counts: np.ndarray, reference_rows: int) -> FeatureDrift:
    rows = int(counts.sum())
    expected, actual = np.array(bins.shares), counts / rows
    index = psi(expected, actual)
    noise = 1 / reference_rows + 1 / rows
    freedom = max(1, int(((expected > 0) | (actual > 0)).sum()) - 1)
    p_value = float(scipy.stats.chi2.sf(index / noise, freedom))
    return FeatureDrift(
        bins.name,
        index,
        freedom * noise,
        p_value,
        _level(index, p_value),
        bins.labels,
        bins.shares,
        tuple(actual.tolist()),
    )


def _level(index: float, p_value: float) -> str:
    if index < NOTICE or p_value > UNLIKELY:
        return "stable"
    return "alarm" if index >= ALARM else "notice"


def _cut(name: str, column: pa.ChunkedArray, is_category: bool, bins: int) -> Bins:
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    if is_category:
        levels = _frequent(column)
    else:
        edges = _edges(_as_numbers(column), bins)
    empty = Bins(name, edges, levels, (), is_category)
    return Bins(name, edges, levels, tuple((empty.count(column) / len(column)).tolist()), is_category)


def _edges(values: np.ndarray, bins: int) -> tuple[float, ...]:
    present = values[np.isfinite(values)]
    if not len(present):
        return ()
    inner = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    return tuple(inner[inner < present.max()].tolist())  # an edge at the maximum would leave nothing above it


def _frequent(column: pa.ChunkedArray) -> tuple[str, ...]:
    counted = pc.value_counts(column.cast(pa.string())).to_pylist()
    present = [(-row["counts"], row["values"]) for row in counted if row["values"] is not None]
    return tuple(level for _, level in sorted(present)[:MOST_LEVELS])


def _count_numbers(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    missing = np.isnan(values)
    placed = np.searchsorted(np.array(edges), values[~missing], side="left")
    return np.append(np.bincount(placed, minlength=len(edges) + 1), missing.sum())


def _count_levels(column: pa.ChunkedArray, levels: tuple[str, ...]) -> np.ndarray:
    counts = np.zeros(len(levels) + 2, dtype=np.int64)
    place = {level: i for i, level in enumerate(levels)}
    for row in pc.value_counts(column.cast(pa.string())).to_pylist():
        value = row["values"]
        counts[len(levels) + 1 if value is None else place.get(value, len(levels))] += row["counts"]
    return counts


def _as_numbers(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_null(column.type):
        return np.full(len(column), math.nan)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return column.cast(pa.float64(), safe=False).to_numpy()
