"""What does an UPDATE make of a row, where its text alone tells?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

_SET = re.compile(r"\s*UPDATE\s+\"?\w+\"?\s+SET\s+", re.IGNORECASE)
_ONE = re.compile(
    r"\s*\"?(\w+)\"?\s*=\s*(?:(\?)|(NULL)\b|(\d+)(?![\w.])|'([^']*)'(?!'))\s*(,|$|(?=WHERE\b))", re.IGNORECASE
)
_STORED_AS_IT_IS: dict[pa.DataType, tuple[type, ...]] = {
    pa.int64(): (int,),
    pa.float64(): (float, int),
    pa.string(): (str,),
    pa.bool_(): (bool,),
    pa.timestamp("us"): (datetime,),
}
_MARK = object()


@dataclass(frozen=True, slots=True)
class Assigned:
    """Columns by name and what each is set to; `_MARK` for the next of the parameters."""

    columns: tuple[str, ...]
    values: tuple[Any, ...]

    def after(
        self, schema: pa.Schema, rows: Sequence[Sequence[Any]], parameters: Sequence[Any]
    ) -> list[Sequence[Any]] | None:
        """The rows, tuples in the order of the schema, as they are then; None where DuckDB could store another value
        than the one given."""
        given = iter(parameters)
        changed: list[tuple[int, Any]] = []
        for name, value in zip(self.columns, self.values, strict=True):
            value = next(given) if value is _MARK else value
            place = schema.get_field_index(name)
            if place < 0 or not (
                value is None or type(value) in _STORED_AS_IT_IS.get(schema.types[place], ())
            ):
                return None
            changed.append((place, value))
        return [_with(row, changed) for row in rows]


@lru_cache(maxsize=1024)
def assigned(sql: str) -> Assigned | None:
    """What an UPDATE sets, where that is plain values and marks; None for anything that DuckDB has to work out."""
    start = _SET.match(sql)
    if start is None:
        return None
    columns: list[str] = []
    values: list[Any] = []
    place, sign = start.end(), ","
    while sign == ",":
        found = _ONE.match(sql, place)
        if found is None:
            return None
        name, mark, null, number, text, sign = found.groups()
        columns.append(name)
        values.append(_MARK if mark else None if null else int(number) if number else text)
        place = found.end()
    return Assigned(tuple(columns), tuple(values))


def _with(row: Sequence[Any], changed: Sequence[tuple[int, Any]]) -> Sequence[Any]:
    made = list(row)
    for place, value in changed:
        made[place] = value
    return made
