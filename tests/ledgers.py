"""How does a test come by a new ledger or workspace? It is made once a session for each kind of it, then copied."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from data.incoming.mapping import Mapping
from data.ledger import Ledger

_FOLDER = tempfile.TemporaryDirectory(prefix="secondlook-test-ledgers-")
_MADE: dict[tuple[str, datetime], Path] = {}
_WORKSPACES: dict[str, Path] = {}


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


def new_workspace(root: Path, kind: str, make: Callable[[Path], object]) -> None:
    """What `make` leaves in an empty folder, in `root`: made when this kind is first asked for, afterwards copied.

    The copies share the ledger's key. Each is held to its own heads alone, since the first one stays where it is.
    """
    if kind not in _WORKSPACES:
        first = Path(_FOLDER.name) / f"workspace-{len(_WORKSPACES)}"
        make(first)
        _WORKSPACES[kind] = first
    shutil.copytree(_WORKSPACES[kind], root, dirs_exist_ok=True)
