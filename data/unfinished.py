"""Where does work under way lie, so that what a kill leaves of it is found at the next start and removed?"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

_PREFIX, _SUFFIX = "import-", ".unfinished"


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
