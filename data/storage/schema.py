"""Which tables does the ledger have, and how is an older file brought up to date?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import duckdb
import pyarrow as pa

from data.canonical import sha256_hex
from data.errors import LedgerError

ROLES = ("entity", "attribute", "personal")
TYPES = {
    "entity": "VARCHAR",
    "personal": "VARCHAR",
    "number": "DOUBLE",
    "category": "VARCHAR",
    "flag": "BOOLEAN",
}

_ARROW = {
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "TIMESTAMP": pa.timestamp("us"),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "BLOB": pa.binary(),
    "DECIMAL(20,4)": pa.decimal128(20, 4),
    "VARCHAR[]": pa.list_(pa.string()),
}


Shapes = dict[str, pa.Schema]
"""Each table's columns."""


@dataclass(frozen=True, slots=True)
class Field:
    """One of the institution's own fields. `type` is the ledger's column type: VARCHAR, DOUBLE or BOOLEAN.

    Entities and attributes are columns of `transactions`; personal fields are rows of `personal_values`.
    """

    name: str
    role: str
    type: str = "VARCHAR"
    unit: str = ""

    @property
    def in_transactions(self) -> bool:
        return self.role != "personal"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema, as shipped."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return sha256_hex(self.sql.encode())


def shipped_migrations() -> list[Migration]:
    """The migrations this program knows, in order (files named 0001_words.sql)."""
    found = []
    for file in resources.files("data").joinpath("migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def is_behind(connection: Any, where: str) -> bool:
    """Whether this is a ledger that lacks some of the migrations. LedgerError for a file that is no ledger."""
    applied = _applied(connection, where)
    return bool(applied) and any(m.number not in applied for m in shipped_migrations())


def migrate(
    connection: Any, *, at: datetime | None, where: str, finish: Callable[[], None] = lambda: None
) -> None:
    """Bring the open database up to date in one transaction; whoever is killed meanwhile has changed nothing.

    `at` (naive UTC, or None where nobody knows) stamps what is applied. `finish` is called in the same transaction
    after the last migration, if there was any. LedgerError for a file that is no ledger, has a newer schema, or was
    made by migrations that have since changed.
    """
    applied = _applied(connection, where)
    known = shipped_migrations()
    if applied and max(applied) > known[-1].number:
        raise LedgerError(
            f"the ledger has schema {max(applied)}, newer than the {known[-1].number} this program knows",
            where=where,
            hint="Use the version of Second Look that wrote it, or a newer one.",
        )
    for migration in known:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise LedgerError(
                f"the ledger was made with another version of migration {migration.number:04d}",
                where=where,
                hint="Make a new workspace, or use the program that made this one.",
            )
    if missing := [migration for migration in known if migration.number not in applied]:
        try:
            _apply(connection, missing, at, finish)
        except duckdb.CatalogException as problem:
            said = str(problem).splitlines()[0]
            raise LedgerError(
                f"the tables do not fit the list of migrations that made them ({said})",
                where=where,
                hint="Something else changed the file: put back a backup.",
            ) from problem


def _applied(connection: Any, where: str) -> dict[int, str]:
    try:
        return dict(connection.execute("SELECT number, sha256 FROM schema_migrations").fetchall())
    except duckdb.CatalogException:
        # Only now: listing the tables takes ten times as long as reading this one.
        if not connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]:
            return {}
    raise LedgerError(
        "this is a DuckDB database, but not a Second Look ledger",
        where=where,
        hint="Make a workspace with `secondlook init DIR --mapping FILE`.",
    )


def _apply(
    connection: Any, missing: Sequence[Migration], at: datetime | None, finish: Callable[[], None]
) -> None:
    connection.execute("BEGIN")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (number BIGINT NOT NULL, name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, applied_at TIMESTAMP)"
        )
        for migration in missing:
            connection.execute(migration.sql)
            row = [migration.number, migration.name, migration.sha256, at]
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)", row)
        finish()
        connection.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.TransactionException):  # none is open where the commit itself failed
            connection.execute("ROLLBACK")
        raise


def add_fields(connection: Any, fields: Iterable[Field]) -> None:
    """Add the institution's fields: a column of `transactions` each, but for personal ones."""
    for field in fields:
        if field.in_transactions:
            connection.execute(f'ALTER TABLE transactions ADD COLUMN "{field.name}" {field.type}')
        row = [field.name, field.role, field.type, field.unit]
        connection.execute("INSERT INTO fields VALUES (?, ?, ?, ?)", row)


def stored_fields(connection: Any) -> tuple[Field, ...]:
    """The institution's fields, in the order they were added."""
    rows = connection.execute("SELECT name, role, type, unit FROM fields ORDER BY rowid").fetchall()
    return tuple(Field(*row) for row in rows)


def arrow_schemas(connection: Any) -> Shapes:
    """Each table's columns as an Arrow schema, for building rows to append. LedgerError for a type that none has."""
    rows = connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE NOT internal"
        " ORDER BY table_name, column_index"
    ).fetchall()
    columns: dict[str, list[pa.Field]] = {}
    for table, column, kind, nullable in rows:
        if kind not in _ARROW:
            raise LedgerError(
                f"{table}.{column} has the type {kind}, which the program gives no column",
                hint="Something else changed the file: put back a backup.",
            )
        columns.setdefault(table, []).append(pa.field(column, _ARROW[kind], nullable))
    return {table: pa.schema(fields) for table, fields in columns.items()}


def column_defaults(connection: Any) -> dict[tuple[str, str], str]:
    """The SQL expression that fills a column left out, by table and column."""
    rows = connection.execute(
        "SELECT table_name, column_name, column_default FROM duckdb_columns() WHERE NOT internal"
        " AND column_default IS NOT NULL"
    ).fetchall()
    return {(table, column): default for table, column, default in rows}
