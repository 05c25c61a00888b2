"""Which failures are the disk's, the memory's or a damaged file's, and is there room for a checkpoint?"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from data.errors import CheckpointBusyError, DiskError, LedgerError, MemoryShortError

_MARGIN = 16 * 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
DISK_HINT = "Make room, or the disk writable; if the answer stays the same then, restart the server."


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """DiskError in place of whatever the system, or DuckDB for it, says of a write that failed; MemoryShortError where
    it was memory that it lacked."""
    try:
        with short_of_memory_named():
            yield
    except (OSError, duckdb.IOException, duckdb.FatalException) as problem:
        raise _disk_error(problem, path) from problem
    except duckdb.TransactionException as problem:
        if "file" not in str(
            problem
        ):  # a commit that failed to be written names its file; other refusals do not
            raise
        raise _disk_error(problem, path) from problem


@contextmanager
def short_of_memory_named() -> Iterator[None]:
    """MemoryShortError in place of what DuckDB says when it finds no room within its limit."""
    try:
        yield
    except duckdb.OutOfMemoryException as problem:
        raise MemoryShortError(
            "this needs more memory than the ledger has left at this moment",
            hint="Nothing was changed. Try again in a moment, or ask for a shorter period; if it stays, give the "
            "machine more memory.",
        ) from problem


@contextmanager
def older_reads_named(path: Path) -> Iterator[None]:
    """CheckpointBusyError where a checkpoint finds a transaction that began before the last change was committed.

    DuckDB calls them "other write transactions"; one that reads what has been changed since is enough.
    """
    try:
        yield
    except duckdb.TransactionException as problem:
        if "other write transactions" not in str(problem):
            raise
        raise CheckpointBusyError(
            "something is being read that began before the last change",
            where=str(path),
            hint="Nothing is lost: the write-ahead log is moved by the next checkpoint.",
        ) from problem


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """LedgerError saying that the file is damaged, in place of what DuckDB says when it opens such a one; DiskError
    where it is the disk that takes nothing, and the file is whole."""
    try:
        yield
    except duckdb.Error as problem:
        said = str(problem).splitlines()[0]
        if any(os.strerror(number) in said for number in _FULL):
            raise _disk_error(problem, path) from problem
        if "orrupt" not in said and not isinstance(problem, duckdb.IOException):
            raise
        raise LedgerError(
            f"the ledger's file is damaged ({said})",
            where=str(path),
            hint="Put the newest backup into a new folder: `secondlook restore BACKUP DIR`. Keep the damaged one.",
        ) from problem


def _disk_error(problem: Exception, path: Path) -> DiskError:
    return DiskError(
        f"the disk does not take what is written ({_said(problem)})", where=str(path), hint=DISK_HINT
    )


def _said(problem: Exception) -> str:
    """The system's words, without the files that they are about."""
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    first = problem.args[0] if problem.args else ""
    if isinstance(problem, shutil.Error) and isinstance(first, list):  # of many files: one tells enough
        return str(first[0][-1]).partition(": '")[0]
    return (str(problem).splitlines() or [type(problem).__name__])[0]


def takes_nothing(problem: OSError) -> bool:
    """Whether it is the disk that is full or read-only; of other errors of the system the disk knows nothing."""
    return problem.errno in _FULL


def check_room(path: Path) -> None:
    """DiskError unless a checkpoint of this ledger would fit: one that fails half-way ends DuckDB until a restart."""
    log = wal_bytes(path)
    free = shutil.disk_usage(path.parent).free
    if free < 2 * log + _MARGIN:
        raise DiskError(
            f"there is no room for a checkpoint ({free // 2**20} MB free, the write-ahead log has {log // 2**20} MB)",
            where=str(path),
            hint="Make room; decisions go on into the journal and the write-ahead log meanwhile.",
        )


def wal_bytes(path: Path) -> int:
    """How long the write-ahead log of this ledger is."""
    log = path.with_name(path.name + ".wal")
    return log.stat().st_size if log.exists() else 0
