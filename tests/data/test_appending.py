"""Do rows reach a table as what they were, by whichever way they go, and are all others refused?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from data.errors import LedgerError
from data.storage.appending import CHANGES, Tables

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHAPE = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("n", pa.int64()),
        pa.field("x", pa.float64()),
        pa.field("yes", pa.bool_()),
        pa.field("raw", pa.binary()),
        pa.field("time", pa.timestamp("us")),
        pa.field("m", pa.decimal128(20, 4)),
        pa.field("names", pa.list_(pa.string())),
    ]
)
ROW = {
    "id": "a", "n": 1, "x": 0.5, "yes": True, "raw": b"\x00\xff", "time": AT, "m": Decimal("1.2500"), "names": ["b"],
}  # fmt: skip
NOTHING = dict.fromkeys(SHAPE.names[1:])
STORED = {**ROW, "time": AT.replace(tzinfo=None)}


@pytest.fixture
def connection() -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t (id VARCHAR NOT NULL, n BIGINT, x DOUBLE, yes BOOLEAN, raw BLOB, time TIMESTAMP, "
            "m DECIMAL(20, 4), names VARCHAR[])"
        )
        yield connection


@pytest.fixture
def tables(connection: Any) -> Tables:
    return Tables(connection, {"t": SHAPE})


def stored(connection: Any, *, by: str = "id") -> list[dict[str, Any]]:
    found = connection.execute(f"SELECT * FROM t ORDER BY {by}").fetchall()
    return [dict(zip(SHAPE.names, row, strict=True)) for row in found]


def test_plain_rows_fit_as_they_are(tables: Tables) -> None:
    rows = [ROW, {"id": "b"}, {**ROW, "x": 2}]
    assert tables.fitting("t", rows) is rows
    assert tables.fitting(CHANGES, rows) is rows


def test_numpys_values_become_plain_ones_with_their_zone(tables: Tables) -> None:
    odd = {**ROW, "n": np.int64(1), "x": np.float64(0.5), "yes": np.bool_(True)}
    found = tables.fitting("t", [odd, {**NOTHING, "id": "b"}])
    assert found == [ROW, {**NOTHING, "id": "b"}]
    assert [type(found[0][name]) for name in ("n", "x", "yes", "time")] == [int, float, bool, datetime]
    assert found[0]["time"].tzinfo is not None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "id": None}, r"t\.id: rows were refused \(a value is missing\)"),
        ({"n": 1}, r"t\.id: rows were refused \(a value is missing\)"),
        ({**ROW, "time": AT.replace(tzinfo=None)}, r"t\.time: a time without a time zone"),
        ({**ROW, "id": None, "n": np.int64(1)}, r"t\.id: rows were refused \(a value is missing\)"),
        ({**ROW, "n": "one"}, "t"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_before_it_is_written_down(
    row: dict[str, Any], said: str, tables: Tables
) -> None:
    with pytest.raises(LedgerError, match=said):
        tables.fitting("t", [ROW, row])


def test_names_that_are_not_there_are_refused_with_those_that_are(tables: Tables) -> None:
    tables.check_names("t", [ROW, {}])
    with pytest.raises(LedgerError, match="there is no table 'u'"):
        tables.check_names("u", [])
    with pytest.raises(LedgerError, match="the table has no column other, some"):
        tables.check_names("t", [ROW, {"id": "a", "some": 1, "other": 2}])


@pytest.mark.parametrize("count", [1, 256, 257, 1000, 1001])
def test_few_rows_and_many_are_stored_alike(count: int, connection: Any, tables: Tables) -> None:
    rows = [{**ROW, "n": n} for n in range(count)]
    tables.take({"t": rows})
    tables.append("t", rows)
    assert stored(connection, by="n") == [
        {**STORED, "n": n} for n in range(count) for _ in ("taken", "appended")
    ]


def test_a_missing_value_is_refused_among_few_rows_and_many(connection: Any, tables: Tables) -> None:
    for count in (1, 300, 1001):
        rows = [{**ROW, "id": None}] * count
        with pytest.raises(LedgerError, match="rows were refused"):
            tables.take({"t": rows})
        with pytest.raises(LedgerError, match="rows were refused"):
            tables.append("t", rows)
    tables.append("t", [ROW])  # nothing of the refused ones is left in the appender
    assert stored(connection) == [STORED]


def test_times_of_any_zone_are_stored_as_utc_and_those_of_none_refused(
    connection: Any, tables: Tables
) -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    tables.append("t", [{**ROW, "time": elsewhere}])
    assert stored(connection) == [STORED]
    with pytest.raises(LedgerError, match="zone"):
        tables.append("t", [{**ROW, "time": AT.replace(tzinfo=None)}])


def test_the_latest_change_of_a_number_wins_and_other_rows_stay(connection: Any, tables: Tables) -> None:
    tables.append("t", [{"id": name, "n": 1, "x": 0.5} for name in "abc"])
    key = {"table": "t", "key": "id"}
    tables.take(
        {
            CHANGES: [
                {**key, "column": "n", "of": "a", "value": 7},
                {**key, "column": "n", "of": "b", "value": 8},
                {**key, "column": "n", "of": "a", "value": 9},
                {**key, "column": "x", "of": "c", "value": 1.5},
                {**key, "column": "n", "of": "nobody", "value": 3},
            ]
        }
    )
    assert [(row["id"], row["n"], row["x"]) for row in stored(connection)] == [
        ("a", 9, 0.5), ("b", 8, 0.5), ("c", 1, 1.5),
    ]  # fmt: skip


def test_rows_written_down_as_json_come_back_as_they_were(tables: Tables) -> None:
    down = {**ROW, "raw": "\x00ÿ", "time": AT.isoformat(), "m": "1.2500"}
    change = {"table": "t", "key": "id", "column": "n", "of": "a", "value": 7}
    found = tables.revived({"t": [down, {"id": "b", "raw": None}], CHANGES: [change]})
    assert found == {"t": [ROW, {"id": "b", "raw": None}], CHANGES: [change]}


def test_rows_that_an_earlier_version_wrote_down_have_the_default_of_what_came_since(connection: Any) -> None:
    connection.execute("ALTER TABLE t ADD COLUMN raised DOUBLE DEFAULT 0")
    tables = Tables(connection, {"t": SHAPE.append(pa.field("raised", pa.float64()))})
    found = tables.revived({"t": [{"id": "a"}, {"id": "b", "raised": 1.5}]})
    assert found == {"t": [{"id": "a", "raised": 0.0}, {"id": "b", "raised": 1.5}]}
    assert type(found["t"][0]["raised"]) is float
