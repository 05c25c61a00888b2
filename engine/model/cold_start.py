"""How unlike everything seen is this transaction, where nobody has said yet what is fraud, and in what?

Every input gets a tail probability: how small a share of the transactions seen were as extreme on the side where its
tail is long, or of a level as rare. Its surprise is minus the logarithm of that, and the surprises are added up, after
ECOD (Li et al. 2022, "Unsupervised outlier detection using empirical cumulative distribution functions"). What differs:
beyond all that was seen both sides are strange; what one in ten is like adds nothing, so that many ordinary inputs do
not drown a strange one; inputs that look at the same thing over several windows count once, by the most surprising of
them, and so do all that are missing, since one new customer leaves many inputs empty. The novelty is the share of the
transactions seen that had a smaller sum. Nothing is drawn by chance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.canonical import canonical_json, sha256_hex
from data.errors import InputError
from engine.decision import FeatureValue, Strangeness
from engine.features.feature_set import FeatureSet, FeatureSpec
from engine.model.dataset import level_name
from engine.units import percent
from engine.units import text as in_words

FEWEST_ROWS = 200
MOST_LEVELS = 2_000
"""With more levels than this a category says who somebody is, and a new one is no news."""

_KNOTS, _TAIL = 256, 32
_TOLD, _WORTH_TELLING = 3, 0.05
_ORDINARY = -log(0.1)
"""The surprise up to which an input says nothing."""
_CUBED = 1e90
"""Larger numbers have no finite cube."""
MISSING = "missing"
_LEVELS_BY_NATURE = ("local_hour",)
"""Numbers without an order: 23 is not far from 0."""


@dataclass(frozen=True)
class NumberSeen:
    """What was seen of a number: values `at`, the surprise of each (`on`) and of the gap below each (`gap`, one more
    than `at`, the last being beyond all), and that of a missing one. `high` says that large values are the strange
    ones; on the other side of the median only what lies beyond all is."""

    at: tuple[float, ...]
    on: tuple[float, ...]
    gap: tuple[float, ...]
    missing: float
    high: bool

    def surprise(self, value: FeatureValue) -> float:
        number = float(value)  # type: ignore[arg-type]
        place = bisect_left(self.at, number)
        if place < len(self.at) and self.at[place] == number:
            return self.on[place]
        return self.gap[place]

    def how(self, value: FeatureValue) -> str:
        return "high" if self.high else "low"


@dataclass(frozen=True)
class LevelSeen:
    """The surprise of every level seen, of a new one and of a missing one."""

    levels: Mapping[str, float]
    new: float
    missing: float

    def surprise(self, value: FeatureValue) -> float:
        return self.levels.get(level_name(value), self.new)

    def how(self, value: FeatureValue) -> str:
        return "rare" if level_name(value) in self.levels else "new"


Seen = NumberSeen | LevelSeen
Row = Mapping[str, FeatureValue]


@dataclass(frozen=True)
class ColdStart:
    """What was seen of every input, by families that look at the same thing, and of the sums of surprises (`totals`,
    rising quantiles). `phrases` and `units` are for people; `rows` is how many transactions were seen."""

    seen: Mapping[str, Seen]
    families: Mapping[str, tuple[str, ...]]
    totals: tuple[float, ...]
    phrases: Mapping[str, str]
    units: Mapping[str, str]
    rows: int

    def novelty(self, row: Row) -> float:
        """The share of the transactions seen that were less surprising, in [0, 1]."""
        return bisect_left(self.totals, self.novelty_total(row)) / len(self.totals)

    def novelty_total(self, row: Row) -> float:
        """The sum of surprises behind it, which ranks also what lies beyond all that was seen."""
        total = 0.0
        # Added up as columns are: `sum` rounds otherwise from Python 3.12 on.
        for surprise, _, _ in self._worst(row):
            if surprise > _ORDINARY:
                total += surprise - _ORDINARY
        return total

    def novelties(self, table: pa.Table) -> np.ndarray:
        """`novelty` of every row of a feature table, float64 of shape (rows,)."""
        totals = _totals(table, self.seen, self.families)
        return np.searchsorted(np.asarray(self.totals), totals, side="left") / len(self.totals)

    def strangeness(self, row: Row, currency: str) -> Strangeness:
        """In what this transaction is unlike the others: the family that stands out, and up to three in words."""
        found = sorted(self._worst(row), key=lambda each: (-each[0], each[1]))
        told = [each for each in found[:_TOLD] if each[0] >= -log(_WORTH_TELLING)] or found[:1]
        words = tuple(self._words(name, row[name], surprise, currency) for surprise, _, name in told)
        return Strangeness(found[0][1] if found else "", words)

    def _worst(self, row: Row) -> Iterator[tuple[float, str, str]]:
        """(surprise, family, input) of the most surprising input of each family, and of all that are missing."""
        seen, missing = self.seen, (0.0, MISSING, "")
        for family, names in self.families.items():
            worst, which = 0.0, ""
            for name in names:
                value = row[name]
                if value is None:
                    missing = max(missing, (seen[name].missing, MISSING, name))
                elif (surprise := seen[name].surprise(value)) > worst:
                    worst, which = surprise, name
            if which:
                yield worst, family, which
        if missing[2]:
            yield missing

    def _words(self, name: str, value: FeatureValue, surprise: float, currency: str) -> str:
        phrase, share = self.phrases[name], percent(exp(-surprise))
        if value is None:
            return f"{phrase}: missing, as in {share} of the transactions seen"
        shown, seen = in_words(value, self.units[name], currency)[:80], self.seen[name]
        if isinstance(seen, NumberSeen) and not seen.at[0] <= float(value) <= seen.at[-1]:
            return (
                f"{phrase}: {shown} ({'more' if float(value) > seen.at[-1] else 'less'} than was ever seen)"
            )
        told = {
            "high": f"{share} of the transactions seen were as high",
            "low": f"{share} of the transactions seen were as low",
            "rare": f"{share} of the transactions seen were as rare",
            "new": "never seen before",
        }
        return f"{phrase}: {shown} ({told[seen.how(value)]})"

    @property
    def novelty_id(self) -> str:
        """Named after its content."""
        return "n_" + sha256_hex(self.to_bytes())[:12]

    def to_bytes(self) -> bytes:
        """Canonical JSON; `from_bytes` reads it back."""
        return canonical_json(
            {
                "seen": {name: _stored(seen) for name, seen in self.seen.items()},
                "families": {family: list(names) for family, names in self.families.items()},
                "totals": list(self.totals),
                "phrases": dict(self.phrases),
                "units": dict(self.units),
                "rows": self.rows,
            }
        )


def _stored(seen: Seen) -> dict[str, Any]:
    if isinstance(seen, LevelSeen):
        return {"levels": dict(seen.levels), "new": seen.new, "missing": seen.missing}
    lists = {"at": list(seen.at), "on": list(seen.on), "gap": list(seen.gap)}
    return {**lists, "missing": seen.missing, "high": seen.high}


def from_stored(stored: Mapping[str, Any]) -> ColdStart:
    """What `to_bytes` wrote, as parsed JSON."""
    seen: dict[str, Seen] = {}
    for name, part in stored["seen"].items():
        if "levels" in part:
            seen[name] = LevelSeen(dict(part["levels"]), part["new"], part["missing"])
        else:
            at, on, gap = (tuple(float(v) for v in part[key]) for key in ("at", "on", "gap"))
            seen[name] = NumberSeen(at, on, gap, part["missing"], bool(part["high"]))
    families = {family: tuple(names) for family, names in stored["families"].items()}
    totals = tuple(float(v) for v in stored["totals"])
    return ColdStart(seen, families, totals, stored["phrases"], stored["units"], int(stored["rows"]))


def fit(table: pa.Table, features: FeatureSet) -> ColdStart:
    """Learn from a table of features (columns as `features` declares), labels or none.

    Inputs that never change say nothing and are left out, as are categories with more than 2,000 levels. InputError
    with fewer than 200 rows, or where nothing varies.
    """
    if table.num_rows < FEWEST_ROWS:
        raise InputError(
            f"{table.num_rows} transactions are too few to say what is unusual",
            where="novelty",
            allowed=f"{FEWEST_ROWS} or more",
        )
    seen: dict[str, Seen] = {}
    families: dict[str, list[str]] = {}
    for spec in (features.spec(name) for name in features.model_names):
        found = None if spec.is_label else _seen(table[spec.name], spec, spec.name in features.growing)
        if found is not None:
            seen[spec.name] = found
            families.setdefault(_family_of(spec), []).append(spec.name)
    if not seen:
        raise InputError("no input varies, so nothing can be unusual", where="novelty")
    phrases = {name: features.spec(name).phrase for name in seen}
    units = {name: features.spec(name).unit for name in seen}
    named = {family: tuple(names) for family, names in families.items()}
    totals = _quantiles(_totals(table, seen, named))
    return ColdStart(seen, named, totals, phrases, units, table.num_rows)


def _family_of(spec: FeatureSpec) -> str:
    """Inputs over the same thing in other windows: payments in an hour, in a day, in a week."""
    return " ".join((*spec.entity, spec.measure, spec.of)).strip() if spec.entity else spec.name


def _seen(column: pa.ChunkedArray, spec: FeatureSpec, growing: bool) -> Seen | None:
    if column.null_count == len(column):
        return None
    if spec.kind in ("category", "flag") or spec.measure in _LEVELS_BY_NATURE:
        return _levels_seen(column)
    return _number_seen(column, growing)


def _levels_seen(column: pa.ChunkedArray) -> LevelSeen | None:
    rows = len(column)
    counted = pc.value_counts(column.drop_null().cast(pa.string())).to_pylist()
    if len(counted) > MOST_LEVELS or (len(counted) == 1 and not column.null_count):
        return None
    counts = {row["values"]: row["counts"] for row in counted}
    # A level is as surprising as all levels that are no more frequent are together.
    levels = {
        level: _surprise(sum(other for other in counts.values() if other <= count) / rows)
        for level, count in sorted(counts.items())
    }
    # Good and Turing: the next one is new as often as levels were seen just once.
    new = _surprise(max(sum(count == 1 for count in counts.values()), 1) / (rows + 1))
    return LevelSeen(levels, new, _missing(column))


def _number_seen(column: pa.ChunkedArray, growing: bool) -> NumberSeen | None:
    values = np.sort(column.drop_null().cast(pa.float64()).to_numpy())
    moderate = np.clip(values, -_CUBED, _CUBED)
    high = bool(np.sum((moderate - moderate.mean()) ** 3) >= 0)
    # What rises with the length of the record itself is never too high.
    silent = values[0] == values[-1] or (growing and high)
    if silent and not column.null_count:
        return None
    at, middle = _knots(values), float(np.median(values))
    below = np.searchsorted(values, at, side="left")
    up_to = np.searchsorted(values, at, side="right")

    def surprise(under: int, not_above: int, strange: bool) -> float:
        extreme = len(values) - under if high else not_above
        return _surprise(max(extreme, 0.5) / len(column)) if strange and not silent else 0.0

    on = [
        surprise(b, u, (v > middle) if high else (v < middle))
        for v, b, u in zip(at, below, up_to, strict=True)
    ]
    before = [0, *up_to.tolist()]  # rows below the gap that ends at each knot
    ends = [-np.inf, *at.tolist(), np.inf]
    sides = [(low >= middle) if high else (end <= middle) for low, end in pairwise(ends)]
    gap = [surprise(b, b, side) for b, side in zip(before, sides, strict=True)]
    # What lies beyond all that was seen is strange on either side.
    beyond = _surprise(0.5 / len(column))
    gap[0] = beyond
    gap[-1] = gap[-1] if growing else beyond
    return NumberSeen(tuple(at.tolist()), tuple(on), tuple(gap), _missing(column), high)


def _surprise(share: float) -> float:
    return -log(min(share, 1.0)) + 0.0  # no minus zero


def _missing(column: pa.ChunkedArray) -> float:
    return _surprise(max(column.null_count, 1) / (len(column) + 1))


def _knots(values: np.ndarray) -> np.ndarray:
    """Values at which the shares are kept: evenly through the middle, every one in the tails."""
    distinct = np.unique(values)
    if len(distinct) <= _KNOTS:
        return distinct
    evenly = np.quantile(values, np.linspace(0, 1, _KNOTS - 2 * _TAIL), method="nearest")
    return np.unique(np.concatenate([distinct[:_TAIL], evenly, distinct[-_TAIL:]]))


def _totals(table: pa.Table, seen: Mapping[str, Seen], families: Mapping[str, tuple[str, ...]]) -> np.ndarray:
    total, missing = np.zeros(table.num_rows), np.zeros(table.num_rows)
    for names in families.values():
        each = [_surprises(table[name], seen[name]) for name in names]
        absent = [np.asarray(table[name].is_null()) * seen[name].missing for name in names]
        total += np.maximum(np.maximum.reduce(each) - _ORDINARY, 0.0)
        missing = np.maximum.reduce([missing, *absent])
    return total + np.maximum(missing - _ORDINARY, 0.0)


def _surprises(column: pa.ChunkedArray, seen: Seen) -> np.ndarray:
    """The surprise of each present value, 0 where it is missing."""
    encoded = column.combine_chunks().dictionary_encode()
    told = np.array([*(seen.surprise(value) for value in encoded.dictionary.to_pylist()), 0.0])
    return told[pc.fill_null(encoded.indices, len(told) - 1).to_numpy(zero_copy_only=False)]


def _quantiles(totals: np.ndarray) -> tuple[float, ...]:
    """Rising values, as many as rows up to a thousand, so that the share below one is a share of transactions."""
    places = np.linspace(0, 1, min(len(totals), 1_000))
    return tuple(np.quantile(totals, places, method="higher").tolist())
