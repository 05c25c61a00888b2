"""How is a ledger's file copied whole while its owner goes on recording?

With writes held off, the file and its write-ahead log stand still; what is recorded meanwhile goes to the journal, and
is not in the copy. Another process does the copying: if this one opened and closed the file, the operating system
would drop the lock that DuckDB has on it.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from data.errors import CheckpointBusyError, DiskError, LedgerError
from data.ledger import Ledger
from data.storage.disk import DISK_HINT
from data.writer import Head

_COPY = "import shutil, sys; [shutil.copyfile(a, b) for a, b in zip(sys.argv[1::2], sys.argv[2::2])]"


def copy_ledger(ledger: Ledger, into: Path) -> Head:
    """Copy the ledger's file into a folder, under its own name; the last event in the copy.

    Writes wait while that takes; decisions do not. DiskError if the disk does not take the copy.
    """
    with ledger.held():
        with suppress(CheckpointBusyError):  # somebody reads: then the log is copied, too
            ledger.checkpoint()
        # Only now: the checkpoint has settled what was recorded since `held` began.
        last = ledger.read_settled("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")[0]
        pairs = [str(p) for file in _parts(ledger.path) if file.exists() for p in (file, into / file.name)]
        done = subprocess.run(
            [sys.executable, "-I", "-c", _COPY, *pairs], capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it was ended"])[-1].partition(": '")[0]
            kind = DiskError if "[Errno" in said else LedgerError
            hint = DISK_HINT if kind is DiskError else ""
            raise kind(f"the ledger cannot be copied ({said})", where=str(into), hint=hint)
        return Head(last["seq"], last["hash"])


def _parts(file: Path) -> tuple[Path, Path]:
    return file, file.with_name(file.name + ".wal")
