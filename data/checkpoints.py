"""How is the write-ahead log moved into the file, and what is waited for?

DuckDB refuses where a transaction is open that began before the last change was committed, be it one that only reads:
it still needs the rows as they were. Reads that begin while no writer writes are in nobody's way. So the caller keeps
writers out, and what was being read before has a moment to end.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from data.cursors import Cursors
from data.disk import disk_errors, older_reads_named
from data.errors import CheckpointBusyError

_PAUSES_SECONDS = (0.01, 0.04, 0.1, 0.15)
"""Most queries take milliseconds; for longer ones writers are not to wait."""
log = logging.getLogger("secondlook.ledger")


def move_log(connection: Any, path: Path, reads: Cursors, *, tidy: bool) -> None:
    """Checkpoint; with `tidy` the small groups of rows that checkpoints leave are put together, which takes seconds of
    processor time and hundreds of megabytes where they are many. Raises as `_move` does."""
    if not tidy:
        connection.execute("SET GLOBAL max_vacuum_tasks = 0")
    try:
        _move(connection, path, reads)
    finally:
        if not tidy:
            connection.execute("RESET GLOBAL max_vacuum_tasks")


def _move(connection: Any, path: Path, reads: Cursors) -> None:
    """Checkpoint, with writers kept out by the caller, who may wait 0.3 s. CheckpointBusyError where a read that began
    earlier lasts longer; the log says which are under way."""
    for pause in (*_PAUSES_SECONDS, None):
        try:
            with disk_errors(path), older_reads_named(path):
                connection.execute("CHECKPOINT")
            return
        except CheckpointBusyError:
            if pause is None:
                log.info("a checkpoint is put off, this is being read: %s", "; ".join(reads.under_way))
                raise
            time.sleep(pause)
