"""What stands for all rows of a table, so that one that was changed, added or taken away behind our back shows?

A row's digest is SHA-256 over a secret, the table's name and its columns in the order of their names, each as
`name=<length in bytes>:<value>;`; missing values leave no part. A table's sum is the number of its rows and two sums
of 60 bits of their digests: what a change of one row does to it is known without reading the others. Python and SQL
make the same digests: Python for a few rows, SQL for many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

_DIGITS = 15
_EPOCH = datetime(1970, 1, 1)  # naive, like what the columns hold
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sum:
    """The number of a table's rows, and two sums over their digests."""

    rows: int = 0
    first: int = 0
    second: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.rows + other.rows, self.first + other.first, self.second + other.second)

    def __sub__(self, other: Sum) -> Sum:
        return Sum(self.rows - other.rows, self.first - other.first, self.second - other.second)


def of_rows(secret: str, table: str, schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> Sum:
    """The sum over rows given as tuples in the order of the table's columns; times aware or naive UTC."""
    # Each field is asked for once: `schema.names` and `schema.types` are made anew at every mention.
    fields = sorted(enumerate(schema), key=lambda placed: placed[1].name)
    columns = [(place, f"{field.name}=".encode(), _TEXT[field.type]) for place, field in fields]
    start = f"{secret}{table};".encode()
    count = first = second = 0
    for row in rows:
        parts = [start]
        for place, name, text in columns:
            value = row[place]
            if value is not None:
                content = text(value).encode()
                parts.append(b"%b%d:%b;" % (name, len(content), content))
        digest = hashlib.sha256(b"".join(parts)).hexdigest()
        count += 1
        first += int(digest[:_DIGITS], 16)
        second += int(digest[_DIGITS : 2 * _DIGITS], 16)
    return Sum(count, first, second)


def sum_sql(
    secret: str, table: str, schema: pa.Schema, source: str, given: Mapping[str, str] | None = None
) -> str:
    """A query for `rows`, `first`, `second` over `source`, equal to `of_rows`.

    `given` says which expression stands for each column (default: the column itself).
    """
    named = given or {name: f'"{name}"' for name in schema.names}
    parts = "".join(
        f", {_part_sql(name, _SQL[schema.field(name).type].format(named[name]))}"
        for name in sorted(schema.names)
    )
    bits = "coalesce(sum(CAST('0x' || substr(d, {0}, {1}) AS BIGINT)), 0)"
    return (
        f"SELECT count(*) AS rows, {bits.format(1, _DIGITS)} AS first, {bits.format(_DIGITS + 1, _DIGITS)} AS second "
        f"FROM (SELECT sha256(concat('{secret}{table};'{parts})) AS d FROM {source})"
    )


def _part_sql(name: str, text: str) -> str:
    # || makes the whole part null where a value is missing, and concat() then reads it as an empty text.
    return f"'{name}=' || strlen({text}) || ':' || {text} || ';'"


def _time(at: datetime) -> str:
    naive = at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    return str((naive - _EPOCH) // _MICROSECOND)


def _texts(values: Sequence[str | None]) -> str:
    return "".join(f"{len(value.encode())}:{value}" for value in values if value is not None)


_TEXT: dict[pa.DataType, Callable[[Any], str]] = {
    pa.int64(): lambda value: str(int(value)),
    pa.float64(): lambda value: format(float(value), ".16e"),
    pa.string(): str,
    pa.bool_(): lambda value: "true" if value else "false",
    pa.binary(): lambda value: hashlib.sha256(value).hexdigest(),
    pa.timestamp("us"): _time,
    pa.decimal128(20, 4): lambda value: format(value, ".4f"),
    pa.list_(pa.string()): _texts,
}
_SQL: dict[pa.DataType, str] = {
    pa.int64(): "CAST(CAST({0} AS BIGINT) AS VARCHAR)",
    # A NaN may carry a sign, which DuckDB writes down and Python does not.
    pa.float64(): "replace(format('{{:.16e}}', CAST({0} AS DOUBLE)), '-nan', 'nan')",
    pa.string(): "CAST({0} AS VARCHAR)",
    pa.bool_(): "CAST(CAST({0} AS BOOLEAN) AS VARCHAR)",
    pa.binary(): "sha256(CAST({0} AS BLOB))",
    pa.timestamp("us"): "CAST(epoch_us(CAST({0} AS TIMESTAMP)) AS VARCHAR)",
    pa.decimal128(20, 4): "CAST(CAST({0} AS DECIMAL(20, 4)) AS VARCHAR)",
    pa.list_(pa.string()): "array_to_string(list_transform({0}, lambda x: strlen(x) || ':' || x), '')",
}
