"""How does a file of transactions enter a ledger that others write to meanwhile, in steps that hold them up briefly?

Reading, checking and ordering the file happen beside everything else; then its rows are appended some at a time, each
step a commit with the event that vouches for it. An import that dies half-way has stored whole steps. The same file
again finds those rows as duplicates and stores the rest, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from data.incoming.ingest import (
    ImportReport,
    Progress,
    beyond_memory,
    check_fields,
    newest_of,
    report_of,
    silent,
    store_chunk,
    store_import,
    store_quarantine,
)
from data.incoming.mapping_columns import Mapping
from data.incoming.source_file import SourceFile, open_source
from data.incoming.staging import Staging, chunks
from data.ledger import Ledger
from data.outcome_rows import NEWS, import_id_of, store_news
from data.writer import Writer

STEP = 250
"""Rows of one commit: few enough that a payment hardly notices waiting for them."""


class Beside(Protocol):
    """Whoever goes on working while a file is imported, and has a memory of the ledger to keep up."""

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else takes seqs within the block, which holds one step."""

    def stored(self, first_seq: int, last_seq: int) -> None:
        """Transactions, and the labels that came with them, are in the ledger. Called within `alone`."""

    def told(self, outcomes: list[dict[str, Any]]) -> None:
        """Outcome rows about earlier transactions are in the ledger. Called within `alone`."""

    def pause(self) -> None:
        """Called between steps, for others to take their turn."""


def import_in_steps(
    ledger: Ledger,
    mapping: Mapping,
    path: Path,
    beside: Beside,
    *,
    at: datetime,
    actor: str,
    progress: Progress | None = None,
    memory: timedelta | None = None,
) -> ImportReport:
    """Import a CSV or Parquet file as `ingest.import_file` does, but in steps of at most `STEP` rows.

    Between the first and the last seq of the report lie those that others took meanwhile. MappingError for a file
    that does not fit the mapping, before anything is written.
    """
    tell = progress or silent
    check_fields(ledger, mapping)
    tell("read", 0, 1)
    source = open_source(path, mapping.columns)
    with closing(Staging(mapping, ledger.path, threads=1)) as staging:
        staging.load(source)
        tell("check", 0, 1)
        staging.check(path.name, at)
        import_id = import_id_of(source.sha256, ledger.last_event.seq)
        steps = _Steps(ledger, staging, beside, import_id, at, actor)
        return steps.run(source, tell, memory)


@dataclass(slots=True)
class _Steps:
    """One import on its way: `labels`, `taken_back`, `accepted`, `first` and `last` seq are what is stored so far."""

    ledger: Ledger
    staging: Staging
    beside: Beside
    import_id: str
    at: datetime
    actor: str
    labels: int = 0
    taken_back: int = 0
    accepted: int = 0
    first: int = 0
    last: int = 0

    def run(self, source: SourceFile, tell: Progress, memory: timedelta | None) -> ImportReport:
        sql = "SELECT seq, transaction_id, content_sha256 FROM transactions SEMI JOIN _ids USING (transaction_id)"
        self.staging.exclude_known(self.ledger.read_arrow(sql, _ids=self.staging.ids()))
        self._late_labels()
        total = self.staging.number(1, self._salt().hex())
        beyond = beyond_memory(self.staging, newest_of(self.ledger), memory)
        for low, high in chunks(1, total, STEP):
            with self.beside.alone():
                self._step(low, high)
            tell("store", high, total)
            self.beside.pause()
        self._late_labels()  # of rows that somebody else recorded meanwhile
        seqs = (self.first, self.last)
        report = report_of(
            self.staging,
            self.import_id,
            source.name,
            self.accepted,
            seqs,
            labels=self.labels,
            beyond_memory=beyond,
            taken_back=self.taken_back,
        )
        with self.ledger.writing() as writer:
            store_quarantine(writer, self.staging, self.import_id, source.name)
            store_import(writer, report, source, self.staging.mapping, self.at, self.actor)
        return report

    def _salt(self) -> bytes:
        with self.ledger.writing() as writer:
            return writer.salt()

    def _step(self, low: int, high: int) -> None:
        with self.ledger.writing() as writer:
            self._exclude_met(writer, low, high)
            first = writer.next_transaction_seq
            count = self.staging.cut_step(low, high, first)
            if not count:
                return
            last = first + count - 1
            writer.take_seqs(count)
            labels = store_chunk(writer, self.staging, (first, last), self.import_id, self.at, "step")
            # Told one by one: packing the whole index of ids anew in every step would cost more than the step.
            writer.new_ids.update(self.staging.rows("SELECT transaction_id, seq FROM step"))
        self.labels += labels
        self.accepted += count
        self.first, self.last = self.first or first, last
        self.beside.stored(first, last)

    def _exclude_met(self, writer: Writer, low: int, high: int) -> None:
        """Refuse rows that the ledger has got since the file was compared with it."""
        ids = self.staging.rows(f"SELECT transaction_id FROM numbered WHERE seq BETWEEN {low} AND {high}")
        met = [seq for seq in (writer.seq_of(row[0]) for row in ids) if seq is not None]
        if met:
            sql = "SELECT seq, transaction_id, content_sha256 FROM transactions WHERE list_contains(?, seq)"
            self.staging.exclude_known(writer.read_arrow(sql, [met]), "numbered")

    def _late_labels(self) -> None:
        """Record what the file says of transactions the ledger has, where it is news."""
        told = self.staging.take_late()
        if not told.num_rows:
            return
        for part in _parts(self.ledger.read_arrow(NEWS, _told=told)):
            with self.beside.alone():
                with self.ledger.writing() as writer:
                    source = f"outcomes:{self.import_id}"
                    rows = store_news(writer, part, source=source, actor=self.actor, at=self.at)
                self.labels += len(rows)
                self.taken_back += sum(row["takes_back"] for row in rows)
                self.beside.told(rows)
            self.beside.pause()


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, rows.num_rows, STEP):
        yield rows.slice(start, STEP)
