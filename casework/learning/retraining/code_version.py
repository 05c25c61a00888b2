"""Which code trained this model?"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

from data.canonical import sha256_hex

ROOT = Path(__file__).resolve().parents[3]
_READ = ("engine", "data", "casework/learning")


@cache
def code_version() -> str:
    """The release, and a digest over every module that training reads: two runs with the same one ran the same code."""
    files = sorted(path for folder in _READ for path in (ROOT / folder).rglob("*.py"))
    told = "".join(
        f"{path.relative_to(ROOT).as_posix()}\0{sha256_hex(path.read_bytes())}\n" for path in files
    )
    return f"{version('second-look')}+{sha256_hex(told.encode())[:12]}"
