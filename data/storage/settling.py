"""How does DuckDB get what was recorded, whole and once, and what if it cannot be seen how a write ended?

A commit may have come through although it raised. The file is the judge; where not even that can be read, because
memory or disk are short just then, the question stays open, and is put again before anything else is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from data.errors import DiskError
from data.storage.backlog import Backlog, together
from data.storage.disk import DISK_HINT, disk_errors
from data.storage.journal import Rows, pending
from data.storage.memory import Memory
from data.writer import Head, Writer


class Settling(Memory):
    """The ledger's way from the journal into DuckDB, and what is true after a failure.

    Two locks, always taken in this order: `_database` guards DuckDB's one write transaction, `_order` the chain, the
    seqs and the journal.
    """

    path: Path
    _database: threading.RLock
    _order: threading.RLock
    _backlog: Backlog
    _adopt: Callable[[Writer], None]
    _open_question = False
    _unknown: Writer | None = None
    """A write of which it could not be seen whether it came through."""

    def settle(self) -> None:
        """Give DuckDB what has been recorded; costs nothing when there is nothing."""
        if not (self._backlog.events or self._open_question):
            return
        with self._database, disk_errors(self.path):
            self._ask_the_file()
            self._backlog.journal.prepare()
            with self._order:
                records = self._backlog.take()
            if records:
                self._settle(records)

    def _settle(self, records: Sequence[Rows]) -> None:
        self._connection.execute("BEGIN")
        try:
            self._tables.take(together(records))
            last = records[-1]["events"][-1]
            self._seal_tables(Head(last["seq"], last["hash"]))
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._backlog.done()

    def _undo(self, writer: Writer) -> None:
        """Of a write that raised, keep nothing, or all if its commit had come through."""
        self._unknown = writer
        with disk_errors(self.path):
            self._roll_back()

    def _roll_back(self) -> None:
        self._open_question = True
        with suppress(duckdb.TransactionException):  # none is open where the commit came through
            self._connection.execute("ROLLBACK")
        self._ask_the_file()

    def _ask_the_file(self) -> None:
        """Have memory say what the file does, after a failure. Raises what DuckDB does; then the question stays."""
        if not self._open_question:
            return
        with self._order:
            self._reload_sums()
            stored = self._stored_head()
            if self._unknown is not None and self._head != self._unknown.head == stored:
                self._adopt(self._unknown)
            if stored.seq >= self._backlog.last_taken > 0:
                self._backlog.done()
            self._unknown, self._open_question = None, False

    def _refuse_unless_known(self) -> None:
        """DiskError while nobody knows after which event the next one comes."""
        if self._unknown is not None:
            raise DiskError(
                "it cannot be seen whether the write before came through",
                where=str(self.path),
                hint=DISK_HINT,
            )

    def _recover(self) -> None:
        """Give DuckDB what the journal of a process that died holds beyond its last commit."""
        head = self._head
        records = map(self._tables.revived, self._backlog.journal.records(self.sealer, head.seq))
        for rows in pending(records, head.seq, head.hash, str(self.path)):
            self._backlog.restore(rows)
            self._head = Head(rows["events"][-1]["seq"], rows["events"][-1]["hash"])
        if self._backlog.events:
            self.settle()
            self._load_memory()
