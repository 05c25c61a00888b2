"""How does a child process query a snapshot as if it were the ledger?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data.export import Snapshot


@contextmanager
def opened(snapshot: Snapshot, *, threads: int = 1) -> Iterator[Any]:
    """A DuckDB connection in memory that has the snapshot's `transactions` (ordered by seq) and `outcomes`."""
    transactions = pa.concat_tables([pq.read_table(path) for path in snapshot.transaction_files]).sort_by(
        "seq"
    )
    connection = duckdb.connect(config={"enable_external_access": "false", "threads": str(threads)})
    try:
        connection.register("transactions", transactions)
        connection.register("outcomes", pq.read_table(snapshot.outcomes_file))
        yield connection
    finally:
        connection.close()
