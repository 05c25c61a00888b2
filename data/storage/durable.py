"""Is what was written still there, under its name, after a power cut?

Forcing a file to disk forces its content. Its name stands in its folder, which must be forced for itself, once the file
is there or has been renamed; before that nothing in the ledger may rely on it.
"""

from __future__ import annotations

import os
from pathlib import Path


def force_names(folder: Path) -> None:
    """Force to disk which names the folder holds. OSError if the disk does not take it."""
    _force(folder)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and those above it that are missing, on disk; harmless where it is there."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    for each in missing:
        force_names(each.parent)


def force_all(folder: Path) -> None:
    """Force a folder to disk with everything in it, contents and names."""
    for at, _, files in os.walk(folder, topdown=False):
        for file in files:
            _force(Path(at, file))
        force_names(Path(at))


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
