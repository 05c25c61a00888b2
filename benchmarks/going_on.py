"""How does a check that is too long for one sitting go on with its folder and with what it counted before?"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Self


class Kept:
    """Mixed into a dataclass of numbers, lists and Counters: what was counted is kept in a file as JSON."""

    __dataclass_fields__: Any

    def save(self, file: Path) -> None:
        file.write_text(json.dumps({part.name: getattr(self, part.name) for part in fields(self)}))

    @classmethod
    def load(cls, file: Path) -> Self:
        """What was counted so far; nothing yet where there is no file."""
        counts = cls()
        if file.exists():
            for name, value in json.loads(file.read_text()).items():
                setattr(counts, name, Counter(value) if isinstance(getattr(counts, name), Counter) else value)
        return counts


@contextmanager
def kept_folder(wanted: Path | None, prefix: str) -> Iterator[Path]:
    """The folder to go on with, or a temporary one."""
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix=prefix) as temporary:
        yield Path(temporary) / "workspace"
