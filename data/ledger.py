"""Where is the record kept, who may write to it, and what does it hold in memory?"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from data import schema
from data.appending import Tables
from data.backlog import Backlog, together
from data.commitments import SaltSource
from data.connecting import connect, refuse_other_files
from data.errors import LedgerBusyError, LedgerError
from data.events import GENESIS, EventDraft
from data.id_index import IdIndex
from data.journal import Journal, Rows, pending
from data.lock_file import LockFile
from data.rows import Parameters, View, fetch, fetch_arrow
from data.writer import Head, Writer

if TYPE_CHECKING:
    from data.mapping import Mapping

__all__ = ["Head", "Ledger", "Writer"]

_ID_BATCH = 200_000
_MOST_WAITING = 8000


class Ledger:
    """A workspace's DuckDB file and the one connection to it. Threads read together; one writes at a time.

    Two locks, always taken in this order: `_database` guards DuckDB's one write transaction, `_order` the chain, the
    seqs and the journal. Recording takes `_order` alone, so that it goes on while DuckDB settles or checkpoints.
    """

    def __init__(self, path: Path, lock: LockFile, connection: Any, salts: SaltSource) -> None:
        self.path = path
        self._lock_file = lock
        self._connection = connection
        self._salts = salts
        self._database = threading.RLock()
        self._order = threading.RLock()
        self._writing = False
        self._backlog = Backlog(Journal(path.with_suffix(".journal")), self.settle)
        self._head: Head
        self._next_transaction_seq: int
        self._ids: IdIndex
        self._load_memory()
        self._recover()

    @classmethod
    def create(
        cls,
        path: Path,
        mapping: Mapping | None = None,
        *,
        at: datetime,
        actor: str = "system",
        salts: SaltSource = secrets.token_bytes,
    ) -> Ledger:
        """Make a new ledger with the mapping's fields. LedgerError if the file exists."""
        if path.exists():
            raise LedgerError("there is already a file", where=str(path), hint="Choose another directory.")
        try:
            ledger = cls._own(path, salts, at.astimezone(UTC).replace(tzinfo=None))
            try:
                ledger._introduce(mapping, at, actor)
            except BaseException:
                ledger.close()
                raise
        except LedgerBusyError:
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return ledger

    @classmethod
    def open(cls, path: Path, *, salts: SaltSource = secrets.token_bytes) -> Ledger:
        """Open an existing ledger and own it.

        LedgerBusyError if another process owns it; LedgerError for a missing file, a file that is no
        ledger, or one with a newer schema.
        """
        refuse_other_files(path)
        return cls._own(path, salts, None)

    @classmethod
    def _own(cls, path: Path, salts: SaltSource, migrated_at: datetime | None) -> Ledger:
        """Take the lock, connect and bring the schema up to date; on failure all of it is given back."""
        lock = LockFile(path.with_suffix(".lock"), guards=path)
        connection = None
        try:
            connection = connect(path)
            schema.migrate(connection, at=migrated_at, where=str(path))
            return cls(path, lock, connection, salts)
        except BaseException:
            if connection is not None:
                connection.close()
            lock.release()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and give the lock back; harmless when done twice."""
        self._backlog.stop()
        with self._database, self._order:
            try:
                self.settle()
            finally:
                self._backlog.close()
                self._connection.close()
                self._lock_file.release()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. Writers wait meanwhile, but for those that only record."""
        with self._database:
            self.settle()
            self._connection.execute("CHECKPOINT")

    @property
    def fields(self) -> tuple[schema.Field, ...]:
        """The institution's entities, attributes and personal fields."""
        return self._fields

    @property
    def about(self) -> dict[str, str]:
        """What the workspace is about: institution, base_currency, time_zone, mapping_sha256."""
        return {row["name"]: row["value"] for row in self.read("SELECT name, value FROM about")}

    @property
    def next_transaction_seq(self) -> int:
        """The seq the next transaction will get."""
        return self._next_transaction_seq

    @property
    def last_event(self) -> Head:
        """Seq and hash of the last committed event."""
        return self._head

    def seq_of(self, transaction_id: str) -> int | None:
        """The seq of a committed transaction id, or None."""
        return self._ids.get(transaction_id)

    def read(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Query what is committed, from any thread. Rows as dicts, times aware and in UTC."""
        self.settle()
        return self.read_settled(sql, parameters)

    def read_settled(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Like `read`, but without what was recorded since the last `settle`."""
        with self._connection.cursor() as cursor:
            return fetch(cursor, sql, parameters)

    def read_arrow(self, sql: str, parameters: Parameters = (), **tables: pa.Table) -> pa.Table:
        """Query what is committed, as Arrow. `tables` are in-memory tables the query can name."""
        self.settle()
        with self._connection.cursor() as cursor:
            return fetch_arrow(cursor, sql, parameters, tables)

    @contextmanager
    def view(self) -> Iterator[View]:
        """Several queries of one and the same moment: what is committed meanwhile stays unseen."""
        self.settle()
        with self._connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield View(cursor)
            finally:
                cursor.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One write: everything done with the Writer is committed together, or nothing is.

        Other threads wait. LedgerError when this thread already has a write open: pass its Writer on instead.
        """
        with self._database:
            self.settle()  # most of it while others still record
            with self._alone():
                self.settle()
                self._connection.execute("BEGIN")
                writer = self._writer()
                try:
                    yield writer
                    writer.flush()
                    self._connection.execute("COMMIT")
                    self._adopt(writer)
                except BaseException:
                    self._undo(writer)
                    raise

    @contextmanager
    def recording(self) -> Iterator[Writer]:
        """A write that only adds rows and events, at least one: it is on disk, in the journal, when this ends.

        DuckDB gets it with others at the next `settle`, which every read begins with, so nobody can tell. It waits
        neither for DuckDB nor for a checkpoint, and therefore cannot query or update: LedgerError.
        """
        if self._backlog.events >= _MOST_WAITING:
            self.settle()
        with self._alone():
            writer = self._writer(only_adds=True)
            yield writer
            if "events" not in writer.pending:
                raise LedgerError("nothing is recorded without an event", hint="Use `event`.")
            self._backlog.add(
                {name: self._tables.fitting(name, rows) for name, rows in writer.pending.items()}
            )
            self._adopt(writer)

    @property
    def can_record(self) -> bool:
        """Whether `recording` would begin at once: no write is open, and DuckDB is not far behind."""
        free = self._backlog.events < _MOST_WAITING and self._order.acquire(blocking=False)
        if free:
            self._order.release()
        return free

    @property
    def waiting(self) -> int:
        """How many events are on disk in the journal, but not yet in DuckDB."""
        return self._backlog.events

    def settle(self) -> None:
        """Give DuckDB what has been recorded; costs nothing when there is nothing."""
        if not self._backlog.events:
            return
        with self._database:
            self._backlog.journal.prepare()
            with self._order:
                records = self._backlog.take()
            if records:
                self._settle(records)

    def _settle(self, records: Sequence[Rows]) -> None:
        self._connection.execute("BEGIN")
        try:
            for table, rows in together(records).items():
                self._tables.append_arrow(table, self._tables.as_arrow(table, rows))
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.TransactionException):
                self._connection.execute("ROLLBACK")
            if self._stored_head().seq >= records[-1]["events"][-1]["seq"]:
                self._backlog.done()  # the commit succeeded before the exception
            raise
        self._backlog.done()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._order:
            if self._writing:
                raise LedgerError(
                    "a write is already open in this thread", hint="Pass its Writer on instead."
                )
            self._writing = True
            try:
                yield
            finally:
                self._writing = False

    def _writer(self, *, only_adds: bool = False) -> Writer:
        return Writer(
            self._connection,
            self._tables,
            self._fields,
            self._head,
            self._next_transaction_seq,
            self._ids,
            self._salts,
            only_adds=only_adds,
        )

    def _recover(self) -> None:
        """Give DuckDB what the journal of a process that died holds beyond its last commit."""
        head = self._head
        records = map(self._tables.revived, self._backlog.journal.records())
        for rows in pending(records, head.seq, head.hash, str(self.path)):
            self._backlog.restore(rows)
            self._head = Head(rows["events"][-1]["seq"], rows["events"][-1]["hash"])
        if self._backlog.events:
            self.settle()
            self._load_memory()

    def _undo(self, writer: Writer) -> None:
        # The commit itself may have succeeded before the exception (an interrupt): the file is the judge.
        with suppress(duckdb.TransactionException):
            self._connection.execute("ROLLBACK")
        if self._head != writer.head and self._stored_head() == writer.head:
            self._adopt(writer)

    def _adopt(self, writer: Writer) -> None:
        self._head = writer.head
        self._next_transaction_seq = writer.next_transaction_seq
        self._ids.add(writer.new_ids)
        for first, last in writer.bulk_seqs:
            self._ids.add_bulk(self._id_batches(first, last))

    def _introduce(self, mapping: Mapping | None, at: datetime, actor: str) -> None:
        fields = mapping.fields if mapping else ()
        about = mapping.about if mapping else {}
        with self.writing() as writer:
            schema.add_fields(self._connection, fields)
            writer.insert("about", [{"name": name, "value": value} for name, value in about.items()])
            shown = [{"name": f.name, "role": f.role, "type": f.type, "unit": f.unit} for f in fields]
            writer.event(EventDraft(actor, "ledger.created", "ledger", {"fields": shown, **about}), at)
        self._load_memory()

    def _load_memory(self) -> None:
        self._tables = Tables(self._connection, schema.arrow_schemas(self._connection))
        self._fields = schema.stored_fields(self._connection)
        self._head = self._stored_head()
        last = self._connection.execute("SELECT coalesce(max(seq), 0) FROM transactions").fetchall()[0][0]
        self._next_transaction_seq = last + 1
        self._ids = IdIndex(self._id_of)
        self._ids.add_bulk(self._id_batches(1, last))

    def _stored_head(self) -> Head:
        rows = self._connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchall()
        return Head(*rows[0]) if rows else Head(0, GENESIS)

    def _id_of(self, seq: int) -> str | None:
        # Only ids that DuckDB has are looked up here; waiting for more could wait for a recording in this thread.
        rows = self.read_settled("SELECT transaction_id FROM transactions WHERE seq = ?", [seq])
        return rows[0]["transaction_id"] if rows else None

    def _id_batches(self, first: int, last: int) -> Iterator[tuple[list[str], np.ndarray]]:
        sql = "SELECT transaction_id, seq FROM transactions WHERE seq BETWEEN ? AND ?"
        for start in range(first, last + 1, _ID_BATCH):
            batch = self.read_arrow(sql, [start, min(start + _ID_BATCH - 1, last)])
            yield batch["transaction_id"].to_pylist(), batch["seq"].to_numpy()
