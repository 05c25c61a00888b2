"""How is the online memory filled from a whole ledger at once, column by column?"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import mul
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.features.feature_set import NUMBER
from engine.features.history import NO_INTEGER, NO_NUMBER, RunningSum
from engine.features.label_book import LabelBook
from engine.features.loaded import LoadedHistories, Summed
from engine.features.numbering import Keys, Numbering, Pairing
from engine.features.tracked_entity import TrackedEntity

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

_FITS = float(2**62)
_BITS = 63
_SHARED_ROWS = 50_000
"""From so many rows on, whoever asked for the past of one value first would wait for it noticeably."""


@contextmanager
def nothing_collected() -> Iterator[None]:
    """No search for garbage meanwhile: what is loaded stays, and looking through it again and again takes long."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def micros_of(column: pa.ChunkedArray) -> Integers:
    """A timestamp column (naive is UTC) as microseconds since 1970."""
    values = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return np.asarray(values.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64)


def integers_of(column: pa.ChunkedArray, missing: int = 0) -> Integers:
    filled = pc.fill_null(column.cast(pa.int64()), missing)
    return np.asarray(filled.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64)


def numbered(column: pa.ChunkedArray, numbering: Numbering) -> Codes:
    """Each row's value as its number, -1 for missing; new values are added to the numbering."""
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    if not encoded.num_chunks:
        return np.empty(0, np.int32)
    whole = encoded.combine_chunks()
    known = np.array([*map(numbering.of, whole.dictionary.to_pylist()), -1], dtype=np.int32)
    return known[pc.fill_null(whole.indices, len(known) - 1).to_numpy(zero_copy_only=False)]


@dataclass(frozen=True)
class Rows:
    """Transactions as columns of numbers: times in microseconds, `codes` by column name, the rest as it came.

    `in_time` are the rows in order of (time, seq), None where they lie so already.
    """

    table: pa.Table
    times: Integers
    in_time: npt.NDArray[np.intp] | None
    codes: Mapping[str, Codes]

    @classmethod
    def of(cls, table: pa.Table, times: Integers, numberings: Mapping[str, Numbering]) -> Rows:
        sorted_already = bool((times[1:] >= times[:-1]).all())
        in_time = None if sorted_already else np.argsort(times, kind="stable")
        return cls(table, times, in_time, {name: numbered(table[name], n) for name, n in numberings.items()})

    def take(self, rows: npt.NDArray[np.intp], times: Integers) -> Rows:
        """Some rows again, with other `times` to order them by."""
        codes = {name: codes[rows] for name, codes in self.codes.items()}
        return Rows(self.table, times, np.argsort(times, kind="stable"), codes)


@dataclass(frozen=True)
class Grouped:
    """Rows in order of (entity value, time): those of value number i are order[bounds[i]:bounds[i + 1]]."""

    keys: Keys
    order: npt.NDArray[np.intp]
    bounds: Integers

    def values(self, numbers: npt.NDArray[np.intp] | None = None) -> list[Any]:
        """The entity's values, all in order of their numbers or those of some; a tuple where it has several parts."""
        parts: list[list[Any]] = []
        numbers = np.arange(len(self.bounds) - 1) if numbers is None else numbers
        for numbering, pairing in reversed(list(zip(self.keys.numberings, self.keys.pairings, strict=True))):
            pairs = numbers if pairing.pairs is None else np.asarray(pairing.pairs, dtype=np.int64)[numbers]
            names = list(numbering.codes)[1:]  # the first is missing, -1
            parts.insert(0, [names[code] for code in (pairs % pairing.width).tolist()])
            numbers = pairs // pairing.width
        return parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))


def grouped(rows: Rows, entity: tuple[str, ...], numberings: Mapping[str, Numbering]) -> Grouped:
    """Group rows by an entity's value; rows with a missing part are left out."""
    pairs = np.zeros(len(rows.times), np.int64)
    pairings: list[Pairing] = []
    for name in entity:
        codes, width = rows.codes[name], len(numberings[name].codes)
        if len(pairings) > 1:  # so that pairs stay small; a single part's numbers are
            pairs = _numbers(pairs, pairings)
        pairs = np.where((pairs < 0) | (codes < 0), -1, pairs * width + codes)
        pairings.append(Pairing(width))
    order, bounds = _sorted(pairs, rows.in_time, pairings)
    return Grouped(Keys([numberings[name] for name in entity], pairings), order, bounds)


def _numbers(pairs: Integers, pairings: list[Pairing]) -> Integers:
    """Each pair's number among those that exist, which are put into the last pairing; -1 stays."""
    found, numbers = np.unique(pairs, return_inverse=True)
    missing = int(len(found) > 0 and found[0] < 0)
    pairings[-1] = Pairing(pairings[-1].width, packed("q", found[missing:]))
    return numbers.astype(np.int64) - missing


def _sorted(
    pairs: Integers, in_time: npt.NDArray[np.intp] | None, pairings: list[Pairing]
) -> tuple[npt.NDArray[np.intp], Integers]:
    """Rows in order of (pair, time), and where each pair begins.

    Pair and place in time are packed into one integer, because plain integers sort many times faster than rows do.
    """
    bits = max(len(pairs) - 1, 1).bit_length()
    if int(pairs.max(initial=0)).bit_length() + bits > _BITS:
        pairs = _numbers(pairs, pairings)
        existing: Integers | None = np.asarray(pairings[-1].pairs, dtype=np.int64)
    else:
        existing = None
    ordered = pairs if in_time is None else pairs[in_time]
    keys = (ordered << bits) | np.arange(len(ordered))
    keys = np.sort(keys[ordered >= 0])
    order, values = keys & ((1 << bits) - 1), keys >> bits
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    first = values[starts]
    pairings[-1] = Pairing(pairings[-1].width, packed("q", first if existing is None else existing[first]))
    return order if in_time is None else in_time[order], np.append(starts, len(values))


def packed(code: str, values: npt.NDArray[Any]) -> array:
    """A plain array, whose slices and items cost Python less than numpy's do."""
    made = array(code)
    made.frombytes(np.ascontiguousarray(values, dtype=np.dtype(code)).data.cast("B"))
    return made


def load_histories(tracked: TrackedEntity, rows: Rows, oldest: int) -> None:
    """Lay down the histories of one entity, and open those of values with very many rows; no window reaches behind
    `oldest`."""
    groups = grouped(rows, tracked.entity, tracked.by_name)
    order, needs, table = groups.order, tracked.needs, rows.table
    amounts = integers_of(table["amount_minor"])[order] if needs.sums else np.empty(0, np.int64)
    unpriced = np.asarray(table["amount_minor"].is_null())[order] if needs.sums else np.empty(0, np.bool_)
    times = rows.times[order]
    tracked.loaded = LoadedHistories(
        groups.keys,
        packed("q", groups.bounds),
        packed("q", times),
        int(times.max(initial=0)),
        _running(amounts, 1) if needs.sums else None,
        _running(amounts, 2) if needs.squares else None,
        tuple(_comparable(table[_column(n)], tracked.kinds.get(n, ""), order) for n in needs.columns),
        tuple(packed("i", rows.codes[n][order]) for n in needs.codes),
        packed("b", unpriced.astype(np.int8)) if unpriced.any() else None,
    )
    for key in groups.values(np.flatnonzero(np.diff(groups.bounds) >= _SHARED_ROWS)):
        tracked.open(key, oldest)


def _column(name: str) -> str:
    return "amount_minor" if name == "amount" else name


def _running(amounts: Integers, power: int) -> Summed:
    """A maker of running sums of rows low..high: cut from one total where it fits in 8 bytes, else exact Python."""
    size = float(np.abs(amounts.astype(np.float64)).max(initial=0.0))
    if size**power * len(amounts) < _FITS:
        totals = packed("q", np.concatenate(([0], np.cumsum(amounts**power, dtype=np.int64))))
        return lambda low, high: RunningSum.continuing(totals[low : high + 1])
    held = packed("q", amounts)
    if power == 1:
        return lambda low, high: RunningSum(held[low:high])
    return lambda low, high: RunningSum(list(map(mul, held[low:high], held[low:high])))


def _comparable(column: pa.ChunkedArray, kind: str, order: npt.NDArray[np.intp]) -> array:
    if kind != NUMBER:
        return packed("q", integers_of(column, NO_INTEGER)[order])
    filled = pc.fill_null(column.cast(pa.float64()), NO_NUMBER)
    return packed("d", filled.combine_chunks().to_numpy(zero_copy_only=False)[order])


@dataclass(frozen=True)
class LoadedLabels:
    """Outcome rows whose transaction is known, sorted by its seq; `at` is the transaction's row in the table."""

    book: LabelBook
    at: npt.NDArray[np.intp]
    times: Integers
    known: Integers
    fraud: npt.NDArray[np.bool_]
    single: npt.NDArray[np.bool_]


def load_book(book: LabelBook, seqs: Integers, times: Integers, outcomes: pa.Table) -> LoadedLabels:
    """Put the outcome rows into `book`; `seqs` and `times` are the transactions', in any order."""
    by_seq = np.argsort(seqs, kind="stable")
    wanted = integers_of(outcomes["transaction_seq"])
    place = np.minimum(np.searchsorted(seqs[by_seq], wanted), max(len(seqs) - 1, 0))
    found = np.flatnonzero(seqs[by_seq][place] == wanted) if len(seqs) else np.empty(0, np.intp)
    found = found[np.argsort(wanted[found], kind="stable")]
    at = by_seq[place[found]] if len(seqs) else found
    labelled, time = wanted[found], times[at]
    known = np.maximum(micros_of(outcomes["known_at"])[found], time)
    fraud = np.asarray(outcomes["is_fraud"].combine_chunks().to_numpy(zero_copy_only=False), np.bool_)[found]
    reported, recorded = (
        integers_of(outcomes["reported_seq"])[found],
        micros_of(outcomes["recorded_at"])[found],
    )
    book.load(labelled, reported, known, recorded, fraud)
    single = np.ones(len(labelled), np.bool_)
    again = labelled[1:] == labelled[:-1]
    single[1:] &= ~again
    single[:-1] &= ~again
    return LoadedLabels(book, at, time, known, fraud, single)


def load_labels(tracked: TrackedEntity, rows: Rows, labels: LoadedLabels) -> None:
    """Fill the known labels of one entity: those known in time column-wise, the others row by row."""
    prompt = labels.single & (labels.known <= labels.times + tracked.delay_us + 1)
    chosen = np.flatnonzero(prompt)
    groups = grouped(rows.take(labels.at[chosen], labels.times[chosen]), tracked.entity, tracked.by_name)
    order = chosen[groups.order]
    fraud = labels.fraud[order]
    times, known = packed("q", labels.times[order]), packed("q", labels.known[order])
    totals = packed("q", np.concatenate(([0], np.cumsum(fraud, dtype=np.int64))))
    bounds = groups.bounds.tolist()
    for key, low, high in zip(groups.values(), bounds[:-1], bounds[1:], strict=True):
        held = tracked.labels_of(key)
        held.prompt.load(times[low:high], known[low:high], totals[low : high + 1])
        for place in (np.flatnonzero(fraud[low:high]) + low).tolist() if totals[high] > totals[low] else ():
            held.learn(times[place], known[place])
    _load_others(tracked, rows.table.select(list(tracked.entity)), labels, np.flatnonzero(~prompt))


def _load_others(
    tracked: TrackedEntity, entities: pa.Table, labels: LoadedLabels, rows: npt.NDArray[np.intp]
) -> None:
    rows = rows[np.argsort(labels.times[rows], kind="stable")]
    values = entities.take(labels.at[rows]).to_pylist()
    seqs = labels.book.seqs[rows].tolist()
    for row, seq, time, value in zip(rows.tolist(), seqs, labels.times[rows].tolist(), values, strict=True):
        label = labels.book.loaded_row(row)
        tracked.observe(seq, time, value, label, [], not labels.single[row])
