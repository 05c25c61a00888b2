"""Are the ledger's tables declared as its migrations declare them: with the same columns, defaults and constraints?

A default fills what the program leaves out of a row. One that somebody changed in the file would have the program
itself record what it never meant, and vouch for it; so would a column that may be missing, or compares without case.
What the migrations declare is read from a database in memory that they were run in, a tenth of a second once.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

from data.errors import LedgerError
from data.storage import schema
from data.storage.connecting import connect
from data.storage.rows import View

Declared = dict[str, Counter[str]]
"""For each table its columns and constraints, as DuckDB writes them."""

_TABLES = "SELECT table_name, sql FROM system.main.duckdb_tables() WHERE NOT internal"
_BETWEEN = ", "
_SHOWN, _LONGEST = 5, 120


def found(view: View) -> list[str]:
    """What is declared otherwise, such as "cases: segment VARCHAR DEFAULT('x')", in order. Tables that are gone, or
    that no migration makes, are left to the sums."""
    made = _made_by(tuple(schema.shipped_migrations()))
    own = _of_institution(view)
    told = []
    for table, there in sorted(_declared(view).items()):
        ours = made.get(table, there)
        strange = there - ours - (own if table == "transactions" else Counter())
        told += [f"{table}: {part[:_LONGEST]}" for part in sorted(strange)]
        if not strange:
            told += [f"{table} without {part}" for part in sorted(ours - there)]
    return told


def sentence(parts: list[str]) -> str:
    """What `found` told."""
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f"tables are declared otherwise than by the program: {'; '.join(parts[:_SHOWN])}{more}"


def refuse(view: View, where: str) -> None:
    """LedgerError where something is declared otherwise."""
    if parts := found(view):
        raise LedgerError(
            sentence(parts),
            where=where,
            hint="It could have the program record what it never meant, so nothing was changed: put back a backup.",
        )


@lru_cache(maxsize=2)
def _made_by(_: tuple[schema.Migration, ...]) -> Declared:
    with connect(Path(":memory:")) as memory:
        schema.migrate(memory, at=None, where="")
        return _declared(View(memory))


def _declared(view: View) -> Declared:
    rows = {row["table_name"]: row["sql"] for row in view.read(_TABLES)}
    return {
        table: Counter(sql[sql.index("(") + 1 : sql.rindex(")")].split(_BETWEEN))
        for table, sql in rows.items()
    }


def _of_institution(view: View) -> Counter[str]:
    """The columns that the institution's own fields are, with and without the quotes that some names need."""
    rows = view.read("SELECT name, type FROM fields")
    return Counter(f"{name} {row['type']}" for row in rows for name in (row["name"], f'"{row["name"]}"'))
