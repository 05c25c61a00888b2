"""How do rows cross between Python and DuckDB without losing a zone, a digit or a column?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from data.errors import LedgerError

Parameters = Sequence[Any] | Mapping[str, Any]


def fetch(connection: Any, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
    """Run a query; rows as dicts, times aware and in UTC."""
    connection.execute(sql, bindable(parameters))
    description = connection.description
    if description is None:
        return []
    names = [column[0] for column in description]
    times = [column[0] for column in description if str(column[1]).startswith("TIMESTAMP")]
    rows = [dict(zip(names, row, strict=True)) for row in connection.fetchall()]
    for name in times:
        for row in rows:
            if row[name] is not None:
                row[name] = aware(row[name])
    return rows


def fetch_arrow(
    connection: Any, sql: str, parameters: Parameters, tables: Mapping[str, pa.Table]
) -> pa.Table:
    """Run a query that may name in-memory `tables`; the result as Arrow."""
    for name, table in tables.items():
        connection.register(name, table)
    # After a failure the transaction is aborted, and its rollback takes the names with it.
    result = connection.sql(sql, params=bindable(parameters) or None).to_arrow_table()
    for name in tables:
        connection.unregister(name)
    return result


class View:
    """Reads over one connection whose transaction is already open. `check` is called before each, and may refuse it."""

    def __init__(self, connection: Any, check: Callable[[], None] = lambda: None) -> None:
        self._connection, self._check = connection, check

    def read(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Rows as dicts, times aware and in UTC."""
        self._check()
        return fetch(self._connection, sql, parameters)

    def read_arrow(self, sql: str, parameters: Parameters = (), **tables: pa.Table) -> pa.Table:
        """The same as Arrow."""
        self._check()
        return fetch_arrow(self._connection, sql, parameters, tables)


def aware(at: datetime) -> datetime:
    """A time as DuckDB gives it (UTC, perhaps without saying so), saying so."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def bindable(parameters: Parameters) -> Any:
    """Query parameters with aware times turned into the naive UTC that the columns hold."""
    if isinstance(parameters, Mapping):
        return {name: _naive(value) for name, value in parameters.items()}
    return [_naive(value) for value in parameters]


def _naive(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def build_table(name: str, schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of the ledger table `name` as Arrow; LedgerError for a wrong type or a naive time."""
    return pa.table([_column(name, field, rows) for field in schema], schema=schema)


def _column(table: str, field: pa.Field, rows: Sequence[Mapping[str, Any]]) -> pa.Array:
    values = [row.get(field.name) for row in rows]
    if pa.types.is_timestamp(field.type):
        for value in values:
            if value is not None and value.tzinfo is None:
                raise LedgerError(
                    "a time without a time zone", where=f"{table}.{field.name}", allowed="aware UTC"
                )
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as problem:
        where = f"{table}.{field.name}"
        raise LedgerError(f"a value does not fit the column ({problem})", where=where) from problem
