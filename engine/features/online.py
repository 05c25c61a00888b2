"""What are the features of the next transaction, given everything seen so far, in microseconds?

Memory per entity value, rebuilt from the ledger at start. Same meaning as batch.py, other means.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pyarrow as pa

from data.errors import ConflictError
from data.transactions import Transaction
from engine.decision import FeatureValue
from engine.features import bulk
from engine.features.feature_set import EVERYONE, FeatureSet
from engine.features.known_labels import LabelRow
from engine.features.label_book import LabelBook
from engine.features.localtime import NIGHT_HOURS, SATURDAY, micros, zone
from engine.features.numbering import Numbering
from engine.features.tracked_entity import Entities, TrackedEntity

Own = Callable[[Transaction], FeatureValue]


class OnlineState:
    """The memory of one institution. Not thread-safe: one decision at a time.

    Transactions are added in `seq` order, late ones included; an outcome is observed after the transaction
    whose seq is its `reported_seq`. `features` looks and changes nothing.
    """

    def __init__(self, feature_set: FeatureSet) -> None:
        self.feature_set = feature_set
        self.newest_us: int | None = None
        self.rows = 0
        self._turned_us: int | None = None
        self._numberings: dict[str, Numbering] = {}
        self._tracked = [TrackedEntity(feature_set, e, self._numberings) for e in feature_set.entities]
        self._own = _own_features(feature_set)
        self._derived = [(f.name, f.expression.evaluate) for f in feature_set.features if f.expression]
        self._blank: dict[str, FeatureValue] = dict.fromkeys(feature_set.names)
        self._book = LabelBook()

    def features(self, transaction: Transaction) -> dict[str, FeatureValue]:
        """The features of `transaction` in declared order; None is missing. Does not add it."""
        row = self._blank.copy()
        now = micros(transaction.occurred_at)
        oldest = now - self.feature_set.horizon_us
        if self.newest_us is not None:
            oldest = max(oldest, self.newest_us - self.feature_set.memory_us)
        for name, read in self._own:
            row[name] = read(transaction)
        for tracked in self._tracked:
            tracked.look(transaction.entities, now, oldest, row)
        for name, evaluate in self._derived:
            row[name] = evaluate(row)
        return row

    def add(self, transaction: Transaction) -> None:
        """Remember `transaction` for those that follow."""
        now = micros(transaction.occurred_at)
        self.rows += 1
        if self.newest_us is None or now > self.newest_us:
            self.newest_us = now
        oldest = self.newest_us - self.feature_set.memory_us
        if now >= oldest:
            for tracked in self._tracked:
                tracked.add(transaction, now, oldest)

    def observe_outcome(
        self,
        transaction: Transaction,
        is_fraud: bool,
        *,
        known_at: datetime,
        reported_seq: int,
        recorded_at: datetime,
    ) -> None:
        """Learn an outcome of `transaction` (its seq, time and entities are read).

        A later row of the same transaction replaces an earlier one: later by reported_seq, then known_at, then
        recorded_at. An outcome of a transaction older than memory reaches changes nothing.
        """
        time = micros(transaction.occurred_at)
        row = LabelRow(reported_seq, max(micros(known_at), time), micros(recorded_at), is_fraud)
        self._observe(transaction.seq, time, transaction.entities, row)

    def _observe(self, seq: int, time: int, entities: Entities, row: LabelRow) -> None:
        if self.newest_us is not None and time < self.newest_us - self.feature_set.memory_us:
            return  # no window reaches it, and its other outcomes may be forgotten by now
        earlier = self._book.rows(seq)
        for tracked in self._tracked:
            tracked.observe(seq, time, entities, row, earlier, bool(earlier))
        self._book.add(seq, row)

    def bulk_load(self, transactions: pa.Table, outcomes: pa.Table | None = None) -> None:
        """Fill an empty state from ledger tables (columns as in `transactions` and `outcomes`), column-wise.

        Transactions older than the memory reaches are left out, and so are outcomes without a transaction.
        """
        if self.rows:
            raise ConflictError("this online state already holds transactions", hint="Load a new one.")
        with bulk.nothing_collected():
            self._load(transactions, outcomes)

    def _load(self, transactions: pa.Table, outcomes: pa.Table | None) -> None:
        times = bulk.micros_of(transactions["occurred_at"])
        self.rows = len(times)
        if not self.rows:
            return
        self.newest_us = int(times.max())
        recent = times >= self.newest_us - self.feature_set.memory_us
        if not recent.all():
            transactions, times = transactions.filter(pa.array(recent)), times[recent]
        if EVERYONE in self._numberings:
            transactions = transactions.append_column(EVERYONE, pa.repeat(pa.scalar(""), len(times)))
        rows = bulk.Rows.of(transactions, times, self._numberings)
        for tracked in self._tracked:
            if tracked.needs.histories:
                bulk.load_histories(tracked, rows, self.newest_us - self.feature_set.memory_us)
        if outcomes is not None and outcomes.num_rows:
            seqs = bulk.integers_of(transactions["seq"])
            labels = bulk.load_book(self._book, seqs, times, outcomes)
            for tracked in self._tracked:
                if tracked.needs.labels:
                    bulk.load_labels(tracked, rows, labels)

    @property
    def remembered(self) -> int:
        """Rows held in all histories, to see that memory is bounded."""
        return sum(tracked.remembered for tracked in self._tracked)

    @property
    def remembered_labels(self) -> int:
        """Outcome rows held, of all transactions, and entity values of which any is known."""
        return len(self._book) + sum(len(tracked.labels) for tracked in self._tracked)

    @property
    def numbered(self) -> int:
        """Values that have a number, of all columns."""
        return sum(map(len, self._numberings.values()))

    def trim(self) -> None:
        """Forget what no transaction can reach any more; for quiet moments (it visits every entity value)."""
        if self.newest_us is not None:
            oldest = self.newest_us - self.feature_set.memory_us
            self._book.forget_before(oldest)
            for tracked in self._tracked:
                tracked.trim(oldest)
            self._turn_numberings(self.newest_us)

    def _turn_numberings(self, newest: int) -> None:
        """Forget values no row that a window reaches can hold: those last met before a turn that lies further back than
        any window. What was loaded at the start looks its values up, too; it is older, and so gone by the first turn.
        """
        if self._turned_us is None:
            self._turned_us = newest
        elif newest - self._turned_us > self.feature_set.memory_us:
            for numbering in self._numberings.values():
                numbering.turn()
            self._turned_us = newest


def columns_read(feature_set: FeatureSet) -> tuple[str, ...]:
    """The columns of `transactions` that `bulk_load` reads; whoever loads millions of rows leaves the others where they
    are."""
    named = [name for entity in feature_set.entities for name in entity if name != EVERYONE]
    named += [f.of for f in feature_set.features if f.measure in ("max", "distinct") and f.of != "amount"]
    return ("seq", "occurred_at", "amount_minor", *dict.fromkeys(named))


def _own_features(feature_set: FeatureSet) -> list[tuple[str, Own]]:
    """The features of the transaction alone, and how each is read from it."""
    clock = zone(feature_set.time_zone)
    readers: dict[str, Own] = {
        "local_hour": lambda t: t.occurred_at.astimezone(clock).hour,
        "local_night": lambda t: t.occurred_at.astimezone(clock).hour < NIGHT_HOURS,
        "local_weekend": lambda t: t.occurred_at.astimezone(clock).weekday() >= SATURDAY,
    }
    return [
        (f.name, readers.get(f.measure) or _reader(f.of))
        for f in feature_set.features
        if f.measure in readers or f.measure in ("value", "attribute")
    ]


def _reader(name: str) -> Own:
    if name == "amount":
        return lambda t: t.amount_minor
    return lambda t: t.entities[name] if name in t.entities else t.attributes.get(name)
