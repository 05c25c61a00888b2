"""What is safe in the journal but not yet in DuckDB, and when does DuckDB get it?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from data.errors import SecondLookError
from data.journal import Journal, Rows

Gathered = Mapping[str, Sequence[Mapping[str, Any]]]
SETTLE_AFTER_SECONDS = 2.0
log = logging.getLogger("secondlook.ledger")


class Backlog:
    """Recorded rows in order, and a thread that has them settled soon after the first of them.

    Everything but `stop` is called under the ledger's write lock. `events` counts the events waiting.
    """

    def __init__(self, journal: Journal, settle: Callable[[], None]) -> None:
        self.journal = journal
        self.events = 0
        self._settle = settle
        self._records: list[Rows] = []
        self._gathered: list[Gathered] = []
        self._thread: threading.Thread | None = None
        self._some = threading.Event()
        self._stopping = threading.Event()

    def add(self, record: Rows, gathered: Gathered) -> None:
        """Put one record on disk, then count it among those waiting."""
        self.journal.append(record)
        self._gathered.append(gathered)
        self.restore(record)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ledger-settling", daemon=True)
            self._thread.start()
        self._some.set()

    def restore(self, record: Rows) -> None:
        """Count a record that is on disk already."""
        self._records.append(record)
        self.events += record["events"].num_rows

    def rows(self, table: str) -> Iterator[Mapping[str, Any]]:
        """The waiting rows of one table, as they were given."""
        return (row for gathered in self._gathered for row in gathered.get(table, ()))

    def tables(self) -> Rows:
        """All waiting rows, one Arrow table for each table of the ledger."""
        names = dict.fromkeys(name for record in self._records for name in record)
        return {
            name: pa.concat_tables([r[name] for r in self._records if name in r]).combine_chunks()
            for name in names
        }

    def clear(self) -> None:
        """DuckDB has everything."""
        self._records, self._gathered, self.events = [], [], 0
        self._some.clear()
        self.journal.rewind()

    def stop(self) -> None:
        """End the thread; what waits is left to the caller."""
        self._stopping.set()
        self._some.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def close(self) -> None:
        self.journal.close(keep=self.events > 0)

    def _run(self) -> None:
        while True:
            self._some.wait()
            if self._stopping.wait(SETTLE_AFTER_SECONDS):
                return
            try:
                self._settle()
            except (SecondLookError, OSError, RuntimeError):
                log.exception("%d events are safe in the journal, but DuckDB does not take them", self.events)
