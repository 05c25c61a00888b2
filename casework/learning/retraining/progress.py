"""How far is a training run, as its own process says?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = "progress.json"
STAGES = {
    "snapshot": 0.0,
    "features": 0.10,
    "search": 0.25,
    "training": 0.45,
    "judging": 0.65,
    "model card": 0.85,
    "done": 1.0,
}
"""Stages in order, with about the share of a run that lies before each."""

Tell = Callable[[str], None]
"""Called with the stage that begins."""


def silent(stage: str) -> None:
    """For whoever trains without anybody watching."""


def teller(folder: Path) -> Tell:
    """A function that writes the stage that begins into a run's folder, whole or not at all."""
    began = time.monotonic()

    def tell(stage: str) -> None:
        part = folder / (FILE + ".part")
        told = {"stage": stage, "share": STAGES[stage], "seconds": round(time.monotonic() - began, 2)}
        part.write_text(json.dumps(told))
        part.replace(folder / FILE)

    return tell


def told(folder: Path) -> dict[str, Any]:
    """The last stage told and the share done; at the snapshot where nothing was told yet."""
    try:
        return dict(json.loads((folder / FILE).read_text()))
    except FileNotFoundError:
        return {"stage": "snapshot", "share": 0.0}
