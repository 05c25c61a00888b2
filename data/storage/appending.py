"""How do rows reach a table in the least time, and never as something they were not?

Few rows of plain Python values go through an appender kept for each table, which spares DuckDB the planning of an
INSERT (half the time). Many rows, and rows with any other kind of value, go through Arrow, which converts or refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa

from data.errors import LedgerError
from data.integrity.table_sums import TableSums
from data.storage.rows import aware, build_table
from data.storage.schema import column_defaults

CHANGES = "_changes"
"""Where a record keeps the numbers that it changes in rows of earlier ones, among its rows by table."""
_FEW = 1000
_NUMBERS: dict[pa.DataType, tuple[str, Callable[[float], float]]] = {
    pa.int64(): ("BIGINT", round),
    pa.float64(): ("DOUBLE", float),
}
_FEW_TO_SUM = 256
"""Rows up to which Python is done with their sum before DuckDB has planned the query for it (up to 10 ms)."""
_TIMES = (datetime,)
_FROM_JSON: dict[pa.DataType, Callable[[str], Any]] = {
    pa.binary(): lambda text: text.encode("latin-1"),
    pa.timestamp("us"): datetime.fromisoformat,
    pa.decimal128(20, 4): Decimal,
}
_PLAIN: dict[pa.DataType, tuple[type, ...]] = {
    pa.int64(): (int,),
    pa.float64(): (float, int),
    pa.string(): (str,),
    pa.bool_(): (bool,),
    pa.binary(): (bytes,),
    pa.timestamp("us"): _TIMES,
    pa.decimal128(20, 4): (Decimal,),
    pa.list_(pa.string()): (list,),
}


class Tables:
    """The ledger's tables as things to append to, over the one writing connection."""

    def __init__(
        self, connection: Any, schemas: Mapping[str, pa.Schema], sums: TableSums | None = None
    ) -> None:
        self.sums = sums
        self._connection = connection
        self._schemas = schemas
        self._names = {table: frozenset(schema.names) for table, schema in schemas.items()}
        self._appenders: dict[str, Any] = {}
        self._kinds = {
            table: [(field.name, _PLAIN[field.type], field.nullable) for field in schema]
            for table, schema in schemas.items()
        }
        self._plain = {
            table: [(field.name, _PLAIN[field.type]) for field in schema] for table, schema in schemas.items()
        }

    @property
    def shapes(self) -> dict[str, pa.Schema]:
        """Every table's columns."""
        return dict(self._schemas)

    def check_names(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """LedgerError for an unknown table or column."""
        if table not in self._schemas:
            raise LedgerError(f"there is no table '{table}'", allowed=", ".join(self._schemas))
        known = self._names[table]
        for row in rows:
            if not row.keys() <= known:
                what = f"the table has no column {', '.join(sorted(row.keys() - known))}"
                raise LedgerError(what, where=table, allowed=", ".join(self._schemas[table].names))

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows whose names have been checked. LedgerError for a value the column cannot hold."""
        plain = self._plain_rows(table, rows) if len(rows) <= _FEW else None
        if plain is None:
            self.append_arrow(table, build_table(table, self._schemas[table], rows))
            return
        appender = self._appenders.get(table) or self._connection.appender(table)
        self._appenders[table] = appender
        try:
            appender.append_rows(plain)
            appender.flush()
        except duckdb.Error as problem:
            # What it has buffered must not come up in a later write.
            appender.clear()
            raise LedgerError(f"rows were refused ({problem})", where=table) from problem
        if self.sums is not None:
            self.sums.added(table, plain)

    def take(self, recorded: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Append recorded rows of several tables, then change what they change. Few rows of a table go through its
        appender, many as Arrow, which lets other threads run meanwhile."""
        for table, rows in recorded.items():
            if table != CHANGES and len(rows) <= _FEW_TO_SUM:
                self.append(table, rows)
            elif table != CHANGES:
                self.append_arrow(table, self.as_arrow(table, rows))
        self.change(recorded.get(CHANGES, ()))

    def change(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Set numbers in rows that are there, the latest change of each winning; one statement for all rows of a table
        that change the same columns."""
        latest: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
        for row in changes:
            rows = latest.setdefault((row["table"], row["key"]), {})
            rows.setdefault(row["of"], {})[row["column"]] = row["value"]
        alike: dict[tuple[str, str, tuple[str, ...]], dict[str, dict[str, float]]] = {}
        for (table, key), rows in latest.items():
            for of, values in rows.items():
                alike.setdefault((table, key, tuple(sorted(values))), {})[of] = values
        for (table, key, columns), rows in alike.items():
            self._set_numbers(table, key, columns, rows)

    def _set_numbers(
        self, table: str, key: str, columns: Sequence[str], rows: Mapping[str, Mapping[str, float]]
    ) -> None:
        names, settings = list(rows), []
        bound: list[Any] = []
        told: dict[str, dict[str, float]] = {name: {} for name in names}
        for column in columns:
            kind, made = _NUMBERS[self._schemas[table].field(column).type]
            settings.append(
                f'"{column}" = list_extract(CAST(? AS {kind}[]), list_position(CAST(? AS VARCHAR[]), "{key}"))'
            )
            for name in names:
                told[name][column] = made(rows[name][column])
            bound += [[values[column] for values in told.values()], names]
        sql = f'UPDATE "{table}" SET {", ".join(settings)} WHERE "{key}" IN (SELECT unnest(CAST(? AS VARCHAR[])))'
        if self.sums is None:
            self._connection.execute(sql, [*bound, names])
        else:
            self.sums.set_numbers(table, key, sql, [*bound, names], told)

    def fitting(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Rows whose names have been checked, as plain values that the columns can hold; LedgerError for others."""
        if table == CHANGES:
            return rows
        for name, kinds, may_miss in self._kinds[table]:
            for row in rows:
                value = row.get(name)
                if value is None:
                    if not may_miss:
                        raise LedgerError("rows were refused (a value is missing)", where=f"{table}.{name}")
                elif type(value) not in kinds:
                    return self._converted(table, rows)
                elif kinds is _TIMES and value.tzinfo is None:
                    raise LedgerError(
                        "a time without a time zone", where=f"{table}.{name}", allowed="aware UTC"
                    )
        return rows

    def _converted(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Rows with numpy's values, for example, as Arrow would read them back."""
        found = self.as_arrow(table, rows).to_pylist()
        times = [name for name, kinds, _ in self._kinds[table] if kinds is _TIMES]
        return [{**row, **{name: row[name] and aware(row[name]) for name in times}} for row in found]

    def revived(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        """Rows that were written down as JSON, with the values their columns hold. Where an earlier version wrote them,
        columns that came since have their default, as in the rows that were in the file."""
        return {
            table: [dict(row) if table == CHANGES else self._revived_row(table, row) for row in some]
            for table, some in rows.items()
        }

    def _revived_row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        found = {**self._defaults.get(table, {}), **row}
        for field in self._schemas[table]:
            revive = _FROM_JSON.get(field.type)
            if revive is not None and found.get(field.name) is not None:
                found[field.name] = revive(found[field.name])
        return found

    @cached_property
    def _defaults(self) -> dict[str, dict[str, Any]]:
        """What columns hold where a row says nothing, by table."""
        found: dict[str, dict[str, Any]] = {}
        for (table, column), said in column_defaults(self._connection).items():
            (value,) = self._connection.execute(f"SELECT {said}").fetchall()[0]
            is_double = self._schemas[table].field(column).type == pa.float64()
            found.setdefault(table, {})[column] = float(value) if is_double else value
        return found

    def as_arrow(self, table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        """Rows whose names have been checked, as the table's columns. LedgerError for a value it cannot hold."""
        made = build_table(table, self._schemas[table], rows)
        for field in made.schema:
            if not field.nullable and made[field.name].null_count:
                raise LedgerError("rows were refused (a value is missing)", where=f"{table}.{field.name}")
        return made

    def append_arrow(self, table: str, rows: pa.Table) -> None:
        """Append Arrow rows by column name."""
        self._connection.register("_rows", rows)
        try:
            self._connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM _rows')
        except duckdb.Error as problem:
            raise LedgerError(f"rows were refused ({problem})", where=table) from problem
        if self.sums is not None:
            if rows.num_rows <= _FEW_TO_SUM and self._is_as_stored(table, rows):
                columns = [rows[name].to_pylist() for name in self._schemas[table].names]
                self.sums.added(table, zip(*columns, strict=True))
            else:
                self.sums.added_arrow(table, "_rows", rows.column_names)
        self._connection.unregister("_rows")

    def _is_as_stored(self, table: str, rows: pa.Table) -> bool:
        """Whether Arrow rows have all the columns of the table, in the types it holds them in."""
        found = {field.name: field.type for field in rows.schema}
        return found == {field.name: field.type for field in self._schemas[table]}

    def _plain_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]] | None:
        """The rows as tuples if every value is exactly what its column holds, else None."""
        columns = []
        for name, kinds in self._plain[table]:
            values = [row.get(name) for row in rows]
            for value in values:
                if value is not None and type(value) not in kinds:
                    return None
                if kinds == (datetime,) and value is not None and value.tzinfo is None:
                    return None
            columns.append(values)
        return list(zip(*columns, strict=True))
