"""How does a file of history get into a workspace that may be deciding meanwhile?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.app import App
from data import ingest
from data.errors import InputError

Progress = Callable[[str, int, int], None]


def import_file(
    app: App, path: Path, name: str, *, actor: str, at: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Import one CSV or Parquet file; `name` is what its owner calls it. Decisions wait until it is in."""
    with app.changing_history():
        try:
            report = ingest.import_file(app.ledger, app.mapping, path, at=at, actor=actor, progress=progress)
        except InputError as error:
            error.where = error.where.replace(str(path), name)  # they know it by that name
            raise
    return {"file": name, **asdict(report)}
