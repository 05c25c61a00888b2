"""Where does work under way lie, so that what a kill leaves of it is found at the next start and removed?"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX, _SUFFIX = "import-", ".unfinished"
_COMMAND = "secondlook-command-"


def working_folder(beside: Path) -> tempfile.TemporaryDirectory[str]:
    """A new folder for an import, beside the ledger's file: whoever owns that knows whose it is, and that of a process
    which died is no longer needed."""
    return tempfile.TemporaryDirectory(prefix=_PREFIX, suffix=_SUFFIX, dir=beside.parent)


def left_beside(ledger: Path) -> list[Path]:
    """The folders of imports there. Only the owner of the ledger may take them for leftovers, before one begins."""
    return sorted(ledger.parent.glob(f"{_PREFIX}*{_SUFFIX}"))


def remove_spilled(ledger: Path) -> None:
    """Remove what DuckDB put on disk for queries that found no room in memory. Only before the file is opened."""
    shutil.rmtree(ledger.with_name(ledger.name + ".tmp"), ignore_errors=True)


@contextmanager
def command_folder(what: str) -> Iterator[Path]:
    """A new folder in the system's temporary one for the length of the block, for a command that owns no ledger.

    What commands left that died is removed first. The folder gets the name it could be found by once it is locked, so
    that nobody takes it for a dead one's.
    """
    for left in left_by_commands():
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{_COMMAND}"))
    handle = _held(folder)
    try:
        if handle is not None:  # where nothing can be locked it keeps a name that nobody looks for
            folder = folder.rename(folder.with_name(f"{_COMMAND}{what}-{folder.name[-8:]}{_SUFFIX}"))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def left_by_commands() -> Iterator[Path]:
    """This user's folders of commands whose process is dead; nobody else gets one while its taker removes it."""
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_COMMAND}*{_SUFFIX}")):
        handle = _held(folder)
        if handle is not None:
            try:
                yield folder
            finally:
                os.close(handle)


def _held(folder: Path) -> int | None:
    """The folder, locked until it is closed or the process dies; None where it is not this user's, or another has
    it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone by now, no folder, or not to be opened by this user
        return None
    try:
        if os.fstat(handle).st_uid == os.getuid():
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
    except OSError:  # its process lives, or there are no locks at this place
        pass
    os.close(handle)
    return None
