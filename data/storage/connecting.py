"""How is the ledger's file opened, so that nothing outside it can be reached and other files are refused?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from data.errors import LedgerError
from data.storage.lock_file import busy

_CONFIG = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
    # Commits stall while a checkpoint runs, so it is put off until `checkpoint` is called at a quiet moment.
    "checkpoint_threshold": "256MB",
    # A checkpoint needs up to some hundred megabytes for a moment, which the allocator would keep for later otherwise.
    "allocator_background_threads": "true",
    "allocator_flush_threshold": "16MB",
}


def connect(path: Path) -> Any:
    """The one connection, its settings locked. LedgerBusyError, or LedgerError if the file cannot be opened."""
    try:
        connection = duckdb.connect(str(path), config=_CONFIG)
    except duckdb.ConnectionException as problem:
        raise busy(path, "") from problem
    except duckdb.IOException as problem:
        if "lock" in str(problem).lower():
            raise busy(path, "") from problem
        if "Could not read" in str(problem):  # the file is shorter than it says
            raise
        raise LedgerError(f"the ledger cannot be opened ({problem})", where=str(path)) from problem
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # Only `buffers`, `checkpoints` and `Reads.on_one_thread` change these, and put them back.
    connection.execute("SET GLOBAL allowed_configs = ['memory_limit', 'threads', 'max_vacuum_tasks']")
    connection.execute("SET lock_configuration = true")
    return connection


def refuse_other_files(path: Path) -> None:
    """LedgerError unless there is a DuckDB file here."""
    hint = "Make a workspace with `secondlook init DIR --mapping FILE`."
    if not path.is_file():
        raise LedgerError("there is no ledger here", where=str(path), hint=hint)
    with path.open("rb") as file:
        if file.read(12)[8:] != b"DUCK":
            raise LedgerError("this file is not a DuckDB database", where=str(path), hint=hint)
