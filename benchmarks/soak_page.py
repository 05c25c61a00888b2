"""Where do the results of a soak go, so that the next one replaces them and nobody copies figures by hand?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import machine

PAGE = Path(__file__).parents[1] / "docs" / "soak.md"
_HEAD = """# The soak

What is too long for every run of the tests. `make soak` does all of it and writes its results here; each part can be
run alone, with the command that stands beside its figures.
"""


def record(name: str, command: str, lines: Sequence[str], page: Path = PAGE) -> None:
    """Put these lines under the heading `name`, in place of what stood there."""
    text = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    made = "\n".join([f"## {name}", "", f"`{command}`", "", *lines, "", machine() + ".", ""])
    there = _place(name)
    text = there.sub(lambda _: made + "\n", text) if there.search(text) else text.rstrip() + "\n\n" + made
    page.write_text(text.rstrip() + "\n", encoding="utf-8")


def section(name: str, page: Path = PAGE) -> str:
    """What stands under the heading `name`, '' if there is none."""
    found = _place(name).search(page.read_text(encoding="utf-8")) if page.exists() else None
    return found[0] if found else ""


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
