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

import duckdb

from data.errors import CheckpointBusyError, LedgerError
from data.storage.cursors import Cursors
from data.storage.disk import disk_errors, older_reads_named

_WHOLE_GROUP = 122_880
_GROUPS = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('case_transactions')"
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


def move_log_before_closing(connection: Any, path: Path, reads: Cursors) -> None:
    """Have nothing left for DuckDB to put together when it closes, which would take seconds or minutes. What is in the
    way of this is in its way, too: then it reads the log when it is opened again."""
    try:
        move_log(connection, path, reads, tidy=False)
    except (LedgerError, duckdb.Error) as problem:
        log.warning("the write-ahead log stays beside the ledger's file: %s", problem)


def small_groups(connection: Any) -> int:
    """How many checkpoints have left groups of rows that might be put together, judged by a narrow table that grows
    with nearly each: asking a wide one takes seconds where they are many."""
    groups = connection.execute(_GROUPS).fetchall()[0][0]
    rows = connection.execute("SELECT count(*) FROM case_transactions").fetchall()[0][0]
    return int(max(0, groups - -(-rows // _WHOLE_GROUP)))


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
