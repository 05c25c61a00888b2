"""How is what is committed read, from any thread, while others write?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from data.storage.cursors import Cursors
from data.storage.rows import Parameters, View, fetch, fetch_arrow


class Reads(ABC):
    """Queries over the one connection. Each begins by giving DuckDB what has been recorded (`settle`)."""

    _connection: Any

    @cached_property
    def _cursors(self) -> Cursors:  # made by the first read, which opens the ledger
        return Cursors()

    @abstractmethod
    def settle(self) -> None:
        """Give DuckDB what has been recorded; the ledger says how."""

    def read(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Query what is committed, from any thread. Rows as dicts, times aware and in UTC."""
        self.settle()
        return self.read_settled(sql, parameters)

    def read_settled(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Like `read`, but without what was recorded since the last `settle`."""
        with self._cursors.of(self._connection, sql) as cursor:
            return fetch(cursor, sql, parameters)

    def read_arrow(self, sql: str, parameters: Parameters = (), **tables: pa.Table) -> pa.Table:
        """Query what is committed, as Arrow. `tables` are in-memory tables the query can name."""
        self.settle()
        with self._cursors.of(self._connection, sql) as cursor:
            return fetch_arrow(cursor, sql, parameters, tables)

    @contextmanager
    def on_one_thread(self) -> Iterator[None]:
        """For many small statements in a row: handing each to DuckDB's other threads takes a third of its time. Large
        queries meanwhile have one processor, whoever asks."""
        with self._connection.cursor() as cursor:  # the connection itself may be at work in another thread
            cursor.execute("SET GLOBAL threads = 1")
            try:
                yield
            finally:
                cursor.execute("RESET GLOBAL threads")

    @contextmanager
    def view(self) -> Iterator[View]:
        """Several queries of one and the same moment: what is committed meanwhile stays unseen."""
        self.settle()
        with self._cursors.of(self._connection, "several queries of one moment") as cursor:
            cursor.execute("BEGIN")
            try:
                yield View(cursor, self._cursors.check)
            finally:
                cursor.execute("ROLLBACK")

    def cut_off(self) -> None:
        """End what other threads read, and let them begin nothing more: they get LedgerError. For before `close`."""
        self._cursors.cut_off()


@dataclass(frozen=True, slots=True)
class Settled:
    """A ledger whose `read` does not wait for what was recorded last, and does not show it."""

    ledger: Reads

    def read(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Query what DuckDB has. Rows as dicts, times aware and in UTC."""
        return self.ledger.read_settled(sql, parameters)
