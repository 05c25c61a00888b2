"""Does DuckDB give back what it holds of the ledger's file, and have as much room afterwards as before?"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from data.storage import buffers
from data.storage.connecting import connect
from tests.data.builders import new_ledger

MB = 1024 * 1024


def limit(connection: duckdb.DuckDBPyConnection) -> str:
    return str(connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])


def test_blocks_beyond_what_is_kept_go_and_the_limit_is_as_before(tmp_path: Path) -> None:
    with connect(tmp_path / "a.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT i, md5(i::VARCHAR) AS a FROM range(1_000_000) r(i)")
        connection.execute("CHECKPOINT")
        connection.execute("SELECT max(a), max(i) FROM t").fetchall()
        before, room = buffers.held_bytes(connection)[0], limit(connection)
        gone = buffers.give_back(connection, kept=4 * MB)
        assert before > 10 * MB
        assert gone > 0
        assert buffers.held_bytes(connection)[0] <= 5 * MB
        assert limit(connection) == room
        assert buffers.give_back(connection, kept=4 * MB) == 0  # there is nothing more to give
        assert connection.execute("SELECT count(DISTINCT a) FROM t").fetchall() == [(1_000_000,)]


def test_nothing_but_that_limit_and_the_threads_can_be_set(tmp_path: Path) -> None:
    with connect(tmp_path / "a.duckdb") as connection:
        with pytest.raises(duckdb.InvalidInputException, match="locked"):
            connection.execute("SET preserve_insertion_order = false")
        with pytest.raises(duckdb.InvalidInputException, match="locked"):
            connection.execute("SET GLOBAL allowed_configs = ['threads']")


def test_what_duckdb_frees_after_a_checkpoint_goes_back_to_the_system_by_itself(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        names = ("allocator_background_threads", "allocator_flush_threshold")
        found = [ledger.read(f"SELECT current_setting('{name}') AS v")[0]["v"] for name in names]
    assert found == [True, "16MB"]


def test_a_small_ledger_keeps_all_it_holds(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        assert buffers.give_back(ledger._connection) == 0
