"""How does a file of history get into a workspace that may be deciding meanwhile?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.app import App
from data import ingest

Progress = Callable[[str, int, int], None]


def import_file(
    app: App, path: Path, name: str, *, actor: str, at: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Import one CSV or Parquet file; `name` is what its owner calls it. Decisions wait until it is in."""
    with app.changing_history():
        report = ingest.import_file(app.ledger, app.mapping, path, at=at, actor=actor, progress=progress)
    return {"file": name, **asdict(report)}
