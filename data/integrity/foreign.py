"""What does the ledger's file hold besides tables, that could speak in the program's place?

A function stored in the file stands before DuckDB's own of that name: with one called sha256, every digest worked out
in SQL would be what its author likes. Views, triggers, types and schemas can mislead in like manner. The program stores
none of them. What lists them is asked for by its full name, in front of which nothing can be put.
"""

from __future__ import annotations

from data.errors import LedgerError
from data.storage.rows import View

_KINDS = {
    "view": "view_name FROM system.main.duckdb_views() WHERE NOT internal",
    "trigger": "trigger_name FROM system.main.duckdb_triggers()",
    "index": "index_name FROM system.main.duckdb_indexes()",
    "sequence": "sequence_name FROM system.main.duckdb_sequences()",
    "type": "type_name FROM system.main.duckdb_types() WHERE NOT internal",
    "schema": "schema_name FROM system.main.duckdb_schemas() WHERE NOT internal",
}
_OBJECTS = " UNION ALL ".join(f"SELECT 'the {kind}' AS kind, {rest}" for kind, rest in _KINDS.items())
# Apart, since DuckDB lists its own three thousand as well: some 10 ms.
_FUNCTIONS = (
    "SELECT 'the function' AS kind, function_name FROM system.main.duckdb_functions() WHERE NOT internal"
)
_SHOWN = 5


def found(view: View, *, functions: bool = True) -> list[str]:
    """What is there and should not be, such as 'the view v', in order; without `functions`, all but those."""
    queries = (_OBJECTS, _FUNCTIONS) if functions else (_OBJECTS,)
    return sorted({" ".join(row.values()) for sql in queries for row in view.read(sql)})


def sentence(names: list[str]) -> str:
    """What `found` told."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"the file holds something that the program never put there: {', '.join(names[:_SHOWN])}{more}"


def refuse(view: View, where: str, *, functions: bool) -> None:
    """LedgerError where something is there; `functions` as in `found`."""
    if names := found(view, functions=functions):
        raise LedgerError(
            sentence(names),
            where=where,
            hint="It could answer in place of the program, so nothing was read or changed: put back a backup.",
        )
