"""What is safe in the journal but not yet in DuckDB, and when does DuckDB get it?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from data.integrity.sealing import Sealer
from data.storage.journal import Journal, Rows

SETTLE_AFTER_SECONDS = 2.0
_MANY = 1500
"""Waiting events that are worth a round of their own before the time is up."""
log = logging.getLogger("secondlook.ledger")


class Backlog:
    """Recorded rows in order, and a thread that has them settled soon after the first of them.

    A round of settling takes what waits; what is recorded meanwhile waits for the next round. `add`, `restore` and
    `take` are called under the lock that guards the order of records, `done` by whoever took, `settle` without it.
    """

    def __init__(self, journal: Journal, settle: Callable[[], None]) -> None:
        self.journal = journal
        self._settle = settle
        self._waiting: list[Rows] = []
        self._taken: list[Rows] = []
        self._count = 0
        self._taken_count = 0
        self._thread: threading.Thread | None = None
        self._some = threading.Event()
        self._enough = threading.Event()
        self._stopping = False

    @property
    def events(self) -> int:
        """How many events DuckDB has not got."""
        return self._count + self._taken_count

    @property
    def last_taken(self) -> int:
        """The seq of the last event that was taken and is not done; 0 if there is none."""
        return int(self._taken[-1]["events"][-1]["seq"]) if self._taken else 0

    def add(self, record: Rows, sealer: Sealer | None = None) -> None:
        """Put one record on disk, under the ledger's seal, then count it among those waiting."""
        self._have_a_thread()
        self.journal.append(record, sealer)
        self.restore(record)
        self._some.set()
        if self._count >= _MANY:
            self._enough.set()

    def restore(self, record: Rows) -> None:
        """Count a record that is on disk already."""
        self._waiting.append(record)
        self._count += len(record["events"])

    def take(self) -> Sequence[Rows]:
        """All that waits, to be given to DuckDB; later records go to the journal's other part."""
        self._taken, self._waiting = self._taken + self._waiting, []
        self._taken_count, self._count = self._taken_count + self._count, 0
        self._some.clear()
        self._enough.clear()
        self.journal.turn()
        return self._taken

    def done(self) -> None:
        """DuckDB has what was taken."""
        self._taken, self._taken_count = [], 0
        self.journal.forget_turned()

    def stop(self) -> None:
        """End the thread; what waits is left to the caller."""
        self._stopping = True
        if self._thread is None or self._thread is threading.current_thread():
            return
        while self._thread.is_alive():
            self._some.set()  # again, since whoever takes meanwhile clears both
            self._enough.set()
            self._thread.join(0.1)

    def close(self) -> None:
        self.journal.close(keep=self.events > 0)

    def _have_a_thread(self) -> None:
        """Where none can be started, reads settle what waits, and the next record tries again."""
        if self._thread is not None:
            return
        made = threading.Thread(target=self._run, name="ledger-settling", daemon=True)
        try:
            made.start()
        except RuntimeError:
            log.exception("no thread can be started that gives DuckDB what is in the journal")
        else:
            self._thread = made

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._enough.wait(SETTLE_AFTER_SECONDS)
            if self._stopping:
                return
            try:
                self._settle()
            except Exception:  # the next round may do better, and nobody else would start one
                log.exception("%d events are safe in the journal, but DuckDB does not take them", self.events)
                self._enough.clear()  # not at once again


def together(records: Sequence[Rows]) -> Rows:
    """The rows of several records, by table."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        for table, rows in record.items():
            found.setdefault(table, []).extend(rows)
    return found
