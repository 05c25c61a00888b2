"""What do the first rows of a file show about each of its columns?"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.incoming.source_file import column_names, open_source
from data.incoming.typed_sql import ISO_TIME, NUMBER_TEXT

SAMPLE = 20_000
"""Rows that are looked at."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMBER, _TIME = re.compile(NUMBER_TEXT), re.compile(ISO_TIME)


@dataclass(frozen=True)
class ColumnProfile:
    """One column of the sample: its cells that are not empty, as texts, in order. `timed` if the file says that
    they are times."""

    name: str
    rows: int
    cells: tuple[str, ...]
    timed: bool = False

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name in small letters and without accents: TX_DateTime is tx, date, time."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return tuple(word.lower() for word in _WORDS.findall(plain))

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(self.cells)

    @property
    def distinct(self) -> int:
        return len(self.counts)

    @property
    def is_unique(self) -> bool:
        return self.distinct == len(self.cells) == self.rows

    @cached_property
    def is_time(self) -> bool:
        return self.timed or (bool(self.cells) and self.share(_TIME) == 1.0)

    @cached_property
    def is_number(self) -> bool:
        return bool(self.cells) and not self.timed and self.share(_NUMBER) == 1.0

    @cached_property
    def numbers(self) -> list[float]:
        return [float(cell) for cell in self.cells] if self.is_number else []

    @cached_property
    def is_whole(self) -> bool:
        return self.is_number and all(number.is_integer() for number in self.numbers)

    @cached_property
    def never_falls(self) -> bool:
        return all(a <= b for a, b in pairwise(self.numbers))

    def share(self, pattern: re.Pattern[str]) -> float:
        """The share of cells that match wholly."""
        return sum(bool(pattern.fullmatch(cell)) for cell in self.cells) / max(len(self.cells), 1)

    def has(self, *words: str) -> bool:
        """Whether its name has one of these words."""
        return not set(words).isdisjoint(self.words)


def profiles(path: Path) -> list[ColumnProfile]:
    """The columns of a file, in order. MappingError where it cannot be read at all."""
    names = column_names(path)
    source = open_source(path, dict.fromkeys(names, "suggest"))
    batches: list[pa.RecordBatch] = []
    for batch in source.batches:
        batches.append(batch.slice(0, SAMPLE - sum(b.num_rows for b in batches)))
        if sum(b.num_rows for b in batches) >= SAMPLE:
            break
    rows = pa.Table.from_batches(batches, source.schema)
    return [_profile(name, rows[name]) for name in names]


def _profile(name: str, column: pa.ChunkedArray) -> ColumnProfile:
    texts = (_text(value) for value in column.to_pylist())
    timed = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    return ColumnProfile(name, len(column), tuple(text for text in texts if text), timed)


def _text(value: Any) -> str:
    if value is None or value != value:  # a missing number
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
