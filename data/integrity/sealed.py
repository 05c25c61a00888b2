"""How does a ledger come by its key and its sums, and how do they live through a change of its schema?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data.errors import LedgerError
from data.events import GENESIS
from data.integrity import declared, foreign
from data.integrity.keyring import Keyring, LedgerKey
from data.integrity.sealing import Sealer
from data.integrity.table_sums import TableSums
from data.storage import schema
from data.storage.rows import View

KEY_ID = "key_id"
"""The row of `about` that names the ledger's key."""


def key_id_of(connection: Any) -> str:
    """The name of the ledger's key, '' for a ledger that has none (or no tables yet)."""
    named = connection.execute("SELECT table_name FROM system.main.duckdb_tables()").fetchall()
    tables = {name for (name,) in named}
    if not {"about", "state_seals"} <= tables:
        return ""
    rows = connection.execute("SELECT value FROM about WHERE name = ?", [KEY_ID]).fetchall()
    return str(rows[0][0]) if rows else ""


def fresh_sums(connection: Any, key: LedgerKey) -> TableSums:
    """Sums under that key, of nothing yet."""
    shapes = schema.arrow_schemas(connection)
    return TableSums(connection, shapes, schema.column_defaults(connection), Sealer(key))


def stored_sums(connection: Any, keyring: Keyring) -> TableSums | None:
    """The sums as they were last stored; None where the ledger has no key. LedgerError if the key is not there.

    `was_sealed` of them says whether they are the program's own, as of the last event.
    """
    key_id = key_id_of(connection)
    if not key_id:
        return None
    sums = fresh_sums(connection, keyring.find(key_id))
    sums.load(*stored_head(connection))
    return sums


def stored_head(connection: Any) -> tuple[int, bytes]:
    """Seq and hash of the last event in the file; 0 and GENESIS before the first."""
    rows = connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchall()
    return rows[0] if rows else (0, GENESIS)


def migrate(connection: Any, keyring: Keyring, *, at: datetime | None, where: str) -> None:
    """Bring the schema up to date. A sealed ledger must be unaltered for that: its sums are taken anew in the same
    transaction, so that no kill leaves tables of another shape than their sums.

    LedgerError as in `schema.migrate`, for tables that something other than the program has changed or declared, or for
    whatever is in the file and no table. Functions, and how tables are declared, are looked at in a sealed ledger only:
    in another anybody can redo all else.
    """
    behind = schema.is_behind(connection, where)
    is_sealed = bool(key_id_of(connection))
    foreign.refuse(View(connection), where, functions=is_sealed)
    sums = stored_sums(connection, keyring) if behind else None
    altered = [] if sums is None else sums.differing() if sums.was_sealed else ["the sums of all tables"]
    if altered:
        raise LedgerError(
            f"tables were changed by something other than the program: {', '.join(altered)}",
            where=where,
            hint="Verify it with the version of Second Look that wrote it, before bringing it up to date.",
        )
    if sums is None:
        schema.migrate(connection, at=at, where=where)
        if is_sealed:
            declared.refuse(View(connection), where)
    else:
        schema.migrate(connection, at=at, where=where, finish=lambda: _renew(connection, keyring, where))


def _renew(connection: Any, keyring: Keyring, where: str) -> None:
    declared.refuse(View(connection), where)
    sums = stored_sums(connection, keyring)
    if sums is None:
        return
    sums.recount()
    sums.write(*stored_head(connection))
