"""What is being read just now, and may anything more be read?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from data.errors import LedgerError
from data.storage.disk import short_of_memory_named

_SHOWN = 120


class Cursors:
    """The open reads of one connection, so that they can be cut off when the ledger is to be closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Any, tuple[threading.Thread, str]] = {}
        self._closer = 0

    @contextmanager
    def of(self, connection: Any, what: str) -> Iterator[Any]:
        """A cursor to read `what` with. LedgerError once reading has been cut off, but for the thread that closes."""
        with connection.cursor() as cursor:
            with self._lock:
                self.check()
                self._open[cursor] = (threading.current_thread(), what)
            try:
                with short_of_memory_named():
                    yield cursor
            except duckdb.InterruptException as cut:
                raise _closing() from cut
            finally:
                with self._lock:
                    self._open.pop(cursor, None)

    @property
    def under_way(self) -> list[str]:
        """What is being read: the thread, and the beginning of its query, which holds no values."""
        with self._lock:
            open_now = list(self._open.values())
        return [f"{thread.name}: {' '.join(what.split())[:_SHOWN]}" for thread, what in open_now]

    def cut_off(self) -> None:
        """End every read under way; from now on this thread alone may read."""
        with self._lock:
            self._closer = threading.get_ident()
            for cursor in self._open:
                cursor.interrupt()

    def check(self) -> None:
        """LedgerError once reading has been cut off, but for the thread that closes."""
        if self._closer not in (0, threading.get_ident()):
            raise _closing()


def _closing() -> LedgerError:
    return LedgerError("the ledger is being closed", hint="Ask again once it is served.")
