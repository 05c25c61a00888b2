"""How does a test come by a new ledger? It is made once a session for each mapping and moment, then copied."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from data.ledger import Ledger
from data.mapping import Mapping

_FOLDER = tempfile.TemporaryDirectory(prefix="secondlook-test-ledgers-")
_MADE: dict[tuple[str, datetime], Path] = {}


def new_ledger(path: Path, mapping: Mapping | None, at: datetime) -> Ledger:
    """An open ledger at `path` as `Ledger.create` makes it without a key; running every migration costs thrice this.

    LedgerError if there is a file.
    """
    if path.exists():
        return Ledger.create(path, mapping, at=at)
    kind = (mapping.sha256 if mapping else "", at)
    if kind not in _MADE:
        template = Path(_FOLDER.name) / f"{len(_MADE)}.duckdb"
        Ledger.create(template, mapping, at=at).close()
        _MADE[kind] = template
    shutil.copyfile(_MADE[kind], path)
    return Ledger.open(path)
