"""Which lines of a CSV file are rows, and which were taken along by a quote that somebody forgot to close?"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

_KEYS = ("transaction.", "entities.", "label.", "outcomes.")
_TIMES = ("transaction.occurred_at", "outcomes.known_at")
"""Places in a mapping: what must be written in one line, and the time that no row is without."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that is not a row: `reason` says why."""

    line: int
    reason: str


Refuse = Callable[[Malformed], None]


class CsvRows:
    """The rows of a CSV file with these columns in its header; `wanted` gives the mapping's place for those it names.

    A row whose quotes span lines is taken only where no key has a line break and none of its later lines looks like a
    row by itself: as many cells, and a time written like the row's. Such lines are refused, and never read as rows of
    their own: where the quotes were right after all, they are text that anybody may have written.
    """

    def __init__(self, header: Sequence[str], wanted: Mapping[str, str], delimiter: str) -> None:
        self._width, self._delimiter = len(header), delimiter
        places = [(header.index(name), name, place) for name, place in wanted.items()]
        self._keys = [found for found in places if found[2].startswith(_KEYS)]
        self._times = [at for at, _, place in places if place in _TIMES]

    def read(self, file: TextIO, refuse: Refuse) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of every well-formed row below the header; other lines go to `refuse`."""
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        next(reader)
        while True:
            line = lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                refuse(Malformed(line, f"not CSV ({problem})"))
                lines.again()
                continue
            if len(cells) == self._width:
                if len(lines.row) == 1 or not self._is_refused(line, lines.row, cells, refuse):
                    yield line, cells
            elif cells:
                refuse(Malformed(line, f"{len(cells)} cells where the header has {self._width}"))
                lines.again()

    def _is_refused(self, line: int, row: Sequence[str], cells: Sequence[str], refuse: Refuse) -> bool:
        """Whether a row of several lines is none; each line that would be a row is refused by itself."""
        last = line + len(row) - 1
        broken = next(
            ((name, place) for at, name, place in self._keys if "\n" in cells[at] or "\r" in cells[at]), None
        )
        taken = [line + nth for nth, text in enumerate(row) if nth and self._looks_like_a_row(text, cells)]
        if broken:
            refuse(
                Malformed(
                    line, f"a line break in '{broken[0]}' ({broken[1]}), whose quote ends on line {last}"
                )
            )
        elif taken:
            refuse(
                Malformed(
                    line, f"a quote that ends on line {last} only, and takes {len(taken)} more rows along"
                )
            )
        for also in taken:
            refuse(Malformed(also, f"within a quote from line {line} on"))
        return bool(broken or taken)

    def _looks_like_a_row(self, text: str, cells: Sequence[str]) -> bool:
        if not self._times:
            return False
        alone = next(csv.reader([text], delimiter=self._delimiter), [])
        return len(alone) == self._width and all(_shape(alone[at]) == _shape(cells[at]) for at in self._times)


def _shape(time: str) -> str:
    """How a time is written, whatever it says, and however exactly: 2026-03-01T11:00:00.5Z and 2026-03-01 11:00+00:00
    are both 9-9-9 9:9."""
    whole = re.sub(r"(?<=\d)\.\d+", "", time.strip())
    local = re.sub(r"(?<=:\d\d)\s*([A-Za-z]+|[+-]\d\d(:?\d\d)?)$", "", whole)
    numbers = re.sub(r"[A-Za-z]+", "A", re.sub(r"\d+", "9", local))
    return re.sub(r"(?<=9)A(?=9)", " ", numbers).replace(":9:9", ":9")


class _Lines:
    """The lines of a file, those of one row known until the next begins: a quote that is never closed takes the lines
    after it along, and they are rows."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.row: list[str] = []
        self._waiting: list[str] = []  # to be read again, the next one last
        self._read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else next(self._file)
        self.row.append(line)
        return line

    def begin(self) -> int:
        """The next row begins here; the number of its first line."""
        self._read += len(self.row)
        self.row.clear()
        return self._read + 1

    def again(self) -> None:
        """The first line alone was no row; what came along with it is read again."""
        self._waiting.extend(reversed(self.row[1:]))
        del self.row[1:]
