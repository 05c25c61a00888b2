"""How does a file get into a database in memory as it is, with the lines that are no rows kept apart?"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from data.errors import MappingError
from data.incoming.source_file import SourceFile


def read_raw(connection: Any, source: SourceFile) -> None:
    """Read the whole file into a new table `raw`, and its malformed lines into `refused` (line, field, reason).

    MappingError where it holds no rows at all, or is damaged.
    """
    connection.register("_file", pa.RecordBatchReader.from_batches(source.schema, source.batches))
    try:
        connection.execute("CREATE TABLE raw AS SELECT * FROM _file")
    except duckdb.Error as problem:
        said = str(problem).splitlines()[0]
        raise MappingError(
            f"the file is damaged ({said})", where=source.name, hint="Export it again."
        ) from problem
    connection.unregister("_file")
    if not source.malformed and not connection.execute("SELECT count(*) FROM raw").fetchone()[0]:
        raise MappingError("the file has a header but no rows", where=source.name)
    if source.malformed:
        bad = {
            "line": [malformed.line for malformed in source.malformed],
            "field": ["line"] * len(source.malformed),
            "reason": [malformed.reason for malformed in source.malformed],
        }
        connection.register("_malformed", pa.table(bad))
        connection.execute("INSERT INTO refused BY NAME SELECT * FROM _malformed")
        connection.unregister("_malformed")


def raw_types(connection: Any) -> dict[str, str]:
    """The type of each column of `raw`."""
    return {row[0]: row[1] for row in connection.execute("DESCRIBE raw").fetchall()}
