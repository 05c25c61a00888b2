"""Who owns this workspace right now?"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from data.errors import LedgerBusyError
from data.storage.disk import disk_errors


class LockFile:
    """An exclusive lock on `path`, held until `release` or the death of the process. The file holds the pid.

    flock rather than lockf: it also excludes a second opening within the same process.
    """

    def __init__(self, path: Path, *, guards: Path) -> None:
        """Take the lock, or raise LedgerBusyError naming the process that has it. `guards` is the ledger.

        DiskError where nothing can be written beside it.
        """
        self.path, self._handle = path, -1
        with disk_errors(path):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._handle, 0)
                os.write(self._handle, f"{os.getpid()}\n".encode())
            except BlockingIOError as problem:
                owner = os.read(self._handle, 32).decode("ascii", "replace").strip()
                os.close(self._handle)
                raise busy(guards, owner) from problem
            except OSError:
                os.close(self._handle)
                raise

    @property
    def is_held(self) -> bool:
        return self._handle >= 0

    def release(self) -> None:
        """Give the lock back; harmless when done twice."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1


def busy(ledger: Path, owner: str) -> LedgerBusyError:
    """The error that names the owning process (`owner` is its pid, or empty where it is not known)."""
    name = f"process {owner}" if owner else "another process"
    return LedgerBusyError(
        f"the ledger is in use by {name}",
        where=str(ledger),
        hint="One process owns a ledger: send the command through the running server, or stop it first.",
    )
