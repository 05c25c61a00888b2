"""How is the online memory filled from a whole ledger at once, column by column?"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.features.feature_set import NUMBER
from engine.features.history import NO_INTEGER, NO_NUMBER, Codes, Column, History, RunningSum
from engine.features.label_book import LabelBook
from engine.features.tracked_entity import TrackedEntity

Integers = npt.NDArray[np.int64]

Maker = Callable[[int, int], Any]  # makes the part of a history that rows low..high fill

_FITS = float(2**62)


def micros_of(column: pa.ChunkedArray) -> Integers:
    """A timestamp column (naive is UTC) as microseconds since 1970."""
    values = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return np.asarray(values.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64)


def integers_of(column: pa.ChunkedArray, missing: int = 0) -> Integers:
    filled = pc.fill_null(column.cast(pa.int64()), missing)
    return np.asarray(filled.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64)


@dataclass(frozen=True)
class Grouped:
    """Rows in order of (entity value, time): group i, whose value is keys[i], is order[bounds[i]:bounds[i + 1]]."""

    keys: list[Hashable]
    order: npt.NDArray[np.intp]
    bounds: list[int]

    def spans(self) -> Iterator[tuple[Hashable, int, int]]:
        return zip(self.keys, self.bounds[:-1], self.bounds[1:], strict=True)


def grouped(table: pa.Table, entity: tuple[str, ...], times: Integers) -> Grouped:
    """Group rows by an entity's value; rows with a missing part are left out."""
    numbers, values = _numbered(table[entity[0]])
    keys: list[Any] = values
    for name in entity[1:]:
        more, values = _numbered(table[name])
        pairs = np.where((numbers < 0) | (more < 0), -1, numbers * max(len(values), 1) + more)
        found, numbers = np.unique(pairs, return_inverse=True)
        skip = int(len(found) > 0 and found[0] < 0)
        numbers = numbers - skip
        width = max(len(values), 1)
        keys = [(*_parts(keys[pair // width]), values[pair % width]) for pair in found[skip:].tolist()]
    order = np.lexsort((times, numbers))
    order = order[np.searchsorted(numbers[order], 0) :]
    sizes = np.bincount(numbers[order], minlength=len(keys))
    return Grouped(keys, order, [0, *np.cumsum(sizes).tolist()])


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _numbered(column: pa.ChunkedArray) -> tuple[Integers, list[Any]]:
    """Each row's value as a number (-1 for missing), and the values in order of their numbers."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return integers_of(pa.chunked_array([encoded.indices]), -1), encoded.dictionary.to_pylist()


def load_histories(tracked: TrackedEntity, table: pa.Table, times: Integers) -> None:
    """Fill the histories of one entity; `times` are the table's times in microseconds."""
    groups = grouped(table, tracked.entity, times)
    order, needs = groups.order, tracked.needs
    amounts = integers_of(table["amount_minor"])[order]
    unpriced = np.asarray(table["amount_minor"].is_null())[order]
    makers: list[Maker] = [
        _times_of_unpriced(times[order], unpriced) if unpriced.any() and needs.sums else _nothing,
        _running(amounts, 1) if needs.sums else _nothing,
        _running(amounts, 2) if needs.squares else _nothing,
        _columns([_comparable(table[_column(n)], tracked.kinds.get(n, ""))[order] for n in needs.columns]),
        _codes([_coded(table[n], c.of)[order] for n, c in zip(needs.codes, tracked.numberings, strict=True)]),
    ]
    ordered = _array("q", times[order])
    for key, low, high in groups.spans():
        parts: list[Any] = [make(low, high) for make in makers]
        unpriced_times, sums, squares, columns, codes = parts
        tracked.histories[key] = History(ordered[low:high], sums, squares, columns, codes, unpriced_times)


def _nothing(low: int, high: int) -> None:
    return None


def _times_of_unpriced(times: Integers, unpriced: npt.NDArray[np.bool_]) -> Maker:
    return lambda low, high: times[low:high][unpriced[low:high]].tolist() or None


def _columns(values: list[npt.NDArray[Any]]) -> Maker:
    arrays = [_array("d" if v.dtype == np.float64 else "q", v) for v in values]
    return lambda low, high: tuple([Column(a[low:high]) for a in arrays]) if arrays else ()


def _codes(values: list[Integers]) -> Maker:
    arrays = [_array("q", v) for v in values]
    return lambda low, high: tuple([Codes(a[low:high]) for a in arrays]) if arrays else ()


def _column(name: str) -> str:
    return "amount_minor" if name == "amount" else name


def _array(code: str, values: npt.NDArray[Any]) -> array:
    return array(code, values.tobytes())


def _running(amounts: Integers, power: int) -> Maker:
    """A maker of running sums of rows low..high: cut from one total where it fits in 8 bytes, else exact Python."""
    size = float(np.abs(amounts.astype(np.float64)).max(initial=0.0))
    if size**power * len(amounts) < _FITS:
        totals = _array("q", np.concatenate(([0], np.cumsum(amounts**power, dtype=np.int64))))
        return lambda low, high: RunningSum.continuing(totals[low : high + 1])
    return lambda low, high: RunningSum(amount**power for amount in amounts[low:high].tolist())


def _comparable(column: pa.ChunkedArray, kind: str) -> npt.NDArray[Any]:
    if kind != NUMBER:
        return integers_of(column, NO_INTEGER)
    filled = pc.fill_null(column.cast(pa.float64()), NO_NUMBER)
    return np.asarray(filled.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)


def _coded(column: pa.ChunkedArray, number: Callable[[Hashable], int]) -> Integers:
    numbers, values = _numbered(column)
    known = np.array([*(number(value) for value in values), -1], dtype=np.int64)
    return known[numbers]


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


def load_labels(tracked: TrackedEntity, table: pa.Table, labels: LoadedLabels) -> None:
    """Fill the known labels of one entity: those known in time column-wise, the others row by row."""
    prompt = labels.single & (labels.known <= labels.times + tracked.delay_us + 1)
    entities = table.select(list(tracked.entity))
    rows = np.flatnonzero(prompt)
    groups = grouped(entities.take(labels.at[rows]), tracked.entity, labels.times[rows])
    order = rows[groups.order]
    fraud = labels.fraud[order]
    times, known = _array("q", labels.times[order]), _array("q", labels.known[order])
    totals = _array("q", np.concatenate(([0], np.cumsum(fraud, dtype=np.int64))))
    for key, low, high in groups.spans():
        held = tracked.labels_of(key)
        held.prompt.load(times[low:high], known[low:high], totals[low : high + 1])
        for place in (np.flatnonzero(fraud[low:high]) + low).tolist() if totals[high] > totals[low] else ():
            held.learn(times[place], known[place])
    _load_others(tracked, entities, labels, np.flatnonzero(~prompt))


def _load_others(
    tracked: TrackedEntity, entities: pa.Table, labels: LoadedLabels, rows: npt.NDArray[np.intp]
) -> None:
    rows = rows[np.argsort(labels.times[rows], kind="stable")]
    values = entities.take(labels.at[rows]).to_pylist()
    seqs = labels.book.seqs[rows].tolist()
    for row, seq, time, value in zip(rows.tolist(), seqs, labels.times[rows].tolist(), values, strict=True):
        label = labels.book.loaded_row(row)
        tracked.observe(seq, time, value, label, [], not labels.single[row])
