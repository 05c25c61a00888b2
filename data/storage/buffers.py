"""How much of the ledger's file does DuckDB keep in memory, and how is the rest given back?

Every block that is written or read stays in DuckDB's buffers until they reach its limit, four fifths of the machine's
memory. A server would grow by two kilobytes a payment for weeks. So after a checkpoint the limit is drawn in for a
moment, which makes DuckDB drop what was used least lately, and then set back: no query has less room than before.
"""

from __future__ import annotations

import logging
from typing import Any

import duckdb

KEPT_BYTES = 128 * 1024 * 1024
_SLACK_BYTES = 32 * 1024 * 1024
_BUSY_BYTES = 64 * 1024 * 1024
_CACHED = "BASE_TABLE"
log = logging.getLogger("secondlook.ledger")


def held_bytes(connection: Any) -> tuple[int, int]:
    """Bytes of the file's blocks that DuckDB holds, and bytes of everything else it does at this moment."""
    rows = connection.execute("SELECT tag, memory_usage_bytes FROM duckdb_memory()").fetchall()
    cached = sum(size for tag, size in rows if tag == _CACHED)
    return cached, sum(size for _, size in rows) - cached


def give_back(connection: Any, kept: int = KEPT_BYTES) -> int:
    """Drop blocks beyond `kept` bytes; how many bytes went. 0 where little would, or a query is using much memory."""
    cached, working = held_bytes(connection)
    if cached <= kept + min(kept, _SLACK_BYTES) or working > _BUSY_BYTES:
        return 0
    try:
        connection.execute(f"SET GLOBAL memory_limit = '{kept + working}B'")
    except duckdb.OutOfMemoryException:  # more is in use at this moment than there would be room for
        log.info("DuckDB keeps %d MB of the ledger's file: all of it is in use", cached // 2**20)
        return 0
    finally:
        connection.execute("RESET GLOBAL memory_limit")  # what it shows of itself is rounded
    return cached - held_bytes(connection)[0]
