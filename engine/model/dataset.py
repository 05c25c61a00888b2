"""What does the model learn from, and how do named feature values become the numbers that trees split on?"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import InputError
from engine.decision import FeatureValue

OTHER = "other"
MIN_LEVEL_ROWS = 50
MAX_LEVELS = 200
OTHER_SHARE = 0.01
PRIOR_ROWS = 200.0
LARGEST = float(np.finfo(np.float32).max)
"""No number is larger in a matrix: XGBoost refuses infinity, in training and when it explains."""


class ModelFeatures(Protocol):
    """The part of a FeatureSet that a model needs: the ordered input names, and which of them are
    categories."""

    @property
    def model_names(self) -> Sequence[str]: ...

    @property
    def categorical(self) -> Collection[str]: ...

    @property
    def growing(self) -> Collection[str]:
        """Names whose values rise with the length of the record itself."""
        ...


@dataclass(frozen=True)
class NamedFeatures:
    """Input names without a features file, for data that was prepared elsewhere."""

    model_names: Sequence[str]
    categorical: Collection[str] = ()
    growing: Collection[str] = ()


@dataclass(frozen=True)
class TrainingData:
    """Labelled rows ordered by `seq`: a table of feature columns, and arrays of the same length beside it.

    `y` is 1 for fraud and 0 for legitimate, `weight` is the label's weight (> 0), `occurred_us` is
    microseconds since 1970 UTC.
    """

    features: pa.Table
    y: np.ndarray
    weight: np.ndarray
    seq: np.ndarray
    occurred_us: np.ndarray

    @classmethod
    def join(cls, features: pa.Table, labels: pa.Table) -> TrainingData:
        """Rows of `features` (seq, occurred_at, ...) that have a row in `labels` (seq, value, weight), by
        seq."""
        labels = pa.table({name: labels[name] for name in ("seq", "value", "weight")})
        label_seq = _numbers(labels["seq"]).astype(np.int64)
        if len(np.unique(label_seq)) != len(label_seq):
            raise InputError("a transaction has two labels", where="labels", allowed="one row per seq")
        order = np.argsort(label_seq)
        label_seq = label_seq[order]
        seq = _numbers(features["seq"]).astype(np.int64)
        at = np.searchsorted(label_seq, seq)
        found = at < len(label_seq)
        found[found] = label_seq[at[found]] == seq[found]
        rows = np.flatnonzero(found)
        rows = rows[np.argsort(seq[rows], kind="stable")]
        taken = order[at[rows]]
        return cls(
            features=features.take(pa.array(rows)),
            y=_numbers(labels["value"])[taken].astype(np.int8),
            weight=_numbers(labels["weight"])[taken],
            seq=seq[rows],
            occurred_us=microseconds(features["occurred_at"])[rows],
        )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def frauds(self) -> int:
        return int(self.y.sum())

    def part(self, first: int, last: int) -> TrainingData:
        """Rows `first` up to, not including, `last`, in seq order."""
        cut = slice(first, last)
        return TrainingData(
            self.features.slice(first, last - first),
            self.y[cut],
            self.weight[cut],
            self.seq[cut],
            self.occurred_us[cut],
        )

    def take(self, rows: np.ndarray) -> TrainingData:
        """The rows at these positions."""
        return TrainingData(
            self.features.take(pa.array(rows)),
            self.y[rows],
            self.weight[rows],
            self.seq[rows],
            self.occurred_us[rows],
        )


@dataclass(frozen=True)
class CategoryCodes:
    """Codes of one category feature: position in order of smoothed fraud share, and the code for all other
    levels."""

    codes: Mapping[str, int]
    other: int

    def code(self, value: FeatureValue) -> float:
        if value is None:
            return math.nan
        return float(self.codes.get(level_name(value), self.other))

    def column(self, values: pa.ChunkedArray) -> np.ndarray:
        """Codes of a column as float64; missing stays NaN."""
        encoded = _as_levels(values).dictionary_encode().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # an empty chunked array stays chunked
            return np.empty(0)
        table = np.array([self.code(v) for v in encoded.dictionary.to_pylist()] + [math.nan])
        return table[pc.fill_null(encoded.indices, len(table) - 1).to_numpy(zero_copy_only=False)]


@dataclass(frozen=True)
class Encoders:
    """Ordered model inputs and the codes of those that are categories; numbers and flags pass through, `rounded`."""

    names: tuple[str, ...]
    categories: Mapping[str, CategoryCodes]

    def matrix(self, table: pa.Table) -> np.ndarray:
        """float32 matrix (rows, inputs) of a feature table; missing is NaN."""
        absent = [n for n in self.names if n not in table.column_names]
        if absent:
            raise InputError(
                f"the feature table lacks {', '.join(absent)}", hint="Use the model with its own features"
            )
        out = np.empty((table.num_rows, len(self.names)), dtype=np.float32)
        for i, name in enumerate(self.names):
            codes = self.categories.get(name)
            out[:, i] = codes.column(table[name]) if codes else rounded(_numbers(table[name]))
        return out

    def rows(self, rows: Sequence[Mapping[str, FeatureValue]]) -> np.ndarray:
        """The same matrix from feature dicts, as the online path has them."""
        return rounded(self.exact_rows(rows))

    def exact_rows(self, rows: Sequence[Mapping[str, FeatureValue]]) -> np.ndarray:
        """The same before it is rounded, as float64."""
        read, coded = self._reading
        try:
            values = [list(read(row)) for row in rows]
        except KeyError as missing:
            raise InputError(
                f"a row lacks the model's feature {missing}", hint="Use the model with its own features"
            ) from None
        for inputs in values:
            for place, codes in coded:
                inputs[place] = codes.code(inputs[place])
        # NumPy reads None as NaN, and any other number as its double.
        return np.array(values, dtype=np.float64).reshape(len(rows), len(self.names))

    @cached_property
    def _reading(self) -> tuple[Callable[[Any], Iterable[Any]], list[tuple[int, CategoryCodes]]]:
        """How all inputs are read from a row at once, and the places of those that are categories."""
        coded = [(i, self.categories[name]) for i, name in enumerate(self.names) if name in self.categories]
        if len(self.names) < 2:  # one item by itself would not come as a tuple
            return lambda row: [row[name] for name in self.names], coded
        return itemgetter(*self.names), coded

    def to_json(self) -> dict[str, object]:
        categories = {n: {"codes": dict(c.codes), "other": c.other} for n, c in self.categories.items()}
        return {"names": list(self.names), "categories": categories}

    @classmethod
    def from_json(cls, stored: Mapping) -> Encoders:
        categories = {
            n: CategoryCodes(dict(c["codes"]), int(c["other"])) for n, c in stored["categories"].items()
        }
        return cls(tuple(stored["names"]), categories)


def rounded(exact: np.ndarray) -> np.ndarray:
    """What trees split on: float32, and the largest there is where a number is too large for that."""
    within: np.ndarray = np.minimum(
        np.maximum(exact, -LARGEST), LARGEST
    )  # np.clip takes twice the time for one row
    return within.astype(np.float32)


def fit_encoders(data: TrainingData, features: ModelFeatures) -> Encoders:
    """Learn category codes from training rows. Levels with fewer than 50 rows, or beyond the 200 most
    frequent, are pooled into "other". Codes follow the fraud share, smoothed towards the overall share, so
    that one split of an ordinal code can part risky levels from safe ones (Fisher 1958 shows such a split
    is the best binary one)."""
    absent = [n for n in features.model_names if n not in data.features.column_names]
    if absent:
        raise InputError(f"the training table lacks {', '.join(absent)}", where="features")
    categories = {
        n: _fit_codes(data.features[n], data.y, data.weight)
        for n in features.model_names
        if n in features.categorical
    }
    return Encoders(tuple(features.model_names), categories)


def training_matrix(data: TrainingData, encoders: Encoders, seed: int) -> np.ndarray:
    """Matrix for fitting. Where pooling left "other" with under 1 % of the rows, rows drawn by seed are
    shown to the trees as "other", so that a level never seen before lands on a code that was trained at the
    overall risk."""
    matrix = encoders.matrix(data.features)
    for i, name in enumerate(encoders.names):
        codes = encoders.categories.get(name)
        if codes is None or not len(matrix):
            continue
        lacking = OTHER_SHARE - float(np.mean(matrix[:, i] == codes.other))
        if lacking > 0:
            drawn = np.random.default_rng([seed, i]).random(len(matrix)) < lacking
            matrix[drawn, i] = codes.other
    return matrix


def _fit_codes(values: pa.ChunkedArray, y: np.ndarray, weight: np.ndarray) -> CategoryCodes:
    encoded = _as_levels(values).dictionary_encode().combine_chunks()
    levels = encoded.dictionary.to_pylist()
    index = pc.fill_null(encoded.indices, len(levels)).to_numpy(zero_copy_only=False)
    rows = np.bincount(index, minlength=len(levels) + 1)[:-1]
    total = np.bincount(index, weights=weight, minlength=len(levels) + 1)[:-1]
    fraud = np.bincount(index, weights=weight * y, minlength=len(levels) + 1)[:-1]
    frequent = sorted(range(len(levels)), key=lambda i: (-rows[i], levels[i]))
    kept = [i for i in frequent[:MAX_LEVELS] if rows[i] >= MIN_LEVEL_ROWS]
    overall = float((weight * y).sum() / weight.sum())
    share = {levels[i]: (fraud[i] + PRIOR_ROWS * overall) / (total[i] + PRIOR_ROWS) for i in kept}
    ordered = sorted(share, key=lambda name: (share[name], name))
    other = int(
        sum(s <= overall for s in share.values())
    )  # its place in the same order, at the overall share
    return CategoryCodes({name: i + int(i >= other) for i, name in enumerate(ordered)}, other)


def level_name(value: FeatureValue) -> str:
    """The text of a category level, the same from Python values and from Arrow columns."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def microseconds(column: pa.ChunkedArray) -> np.ndarray:
    """int64 microseconds since 1970 UTC of a timestamp column (naive means UTC)."""
    return pc.cast(pc.cast(column, pa.timestamp("us", column.type.tz)), pa.int64()).to_numpy()


def _as_levels(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.string())


def _numbers(values: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    if pa.types.is_null(values.type):
        return np.full(len(values), math.nan)
    return values.cast(pa.float64(), safe=False).to_numpy()
