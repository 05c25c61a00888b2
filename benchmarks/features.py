"""How fast are features, in batch over millions of rows and online for one transaction?

    python -m benchmarks.features [handbook_transactions.parquet] [--rows N]

Without a file (the Fraud Detection Handbook's transactions) made-up rows of the same shape are used.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa

from data.transactions import Transaction
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.features.spec import FeatureSet, load_features

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "handbook_transactions.parquet"
MAPPING: Any = SimpleNamespace(entities={"customer": "c", "terminal": "t"}, attributes={}, time_zone="UTC")
DAY = 86_400_000_000
FROM_FILE = """
    SELECT ROW_NUMBER() OVER (ORDER BY TX_DATETIME, TRANSACTION_ID) AS seq,
        CAST(TRANSACTION_ID AS VARCHAR) AS transaction_id, CAST(TX_DATETIME AS TIMESTAMP) AS occurred_at,
        CAST(CUSTOMER_ID AS VARCHAR) AS customer, CAST(TERMINAL_ID AS VARCHAR) AS terminal,
        CAST(TX_AMOUNT * 100 AS BIGINT) AS amount_minor, TX_FRAUD = 1 AS fraud
    FROM '{path}' ORDER BY 1 LIMIT {rows}"""
MADE_UP = """
    SELECT i + 1 AS seq, CAST(i AS VARCHAR) AS transaction_id,
        make_timestamp(1522540800000000 + i * 9000000) AS occurred_at,
        CAST(hash(i) % 5000 AS VARCHAR) AS customer, CAST(hash(i + 77) % 10000 AS VARCHAR) AS terminal,
        CAST(hash(i + 5) % 20000 AS BIGINT) AS amount_minor, hash(i + 9) % 120 = 0 AS fraud
    FROM range({rows}) r(i)"""


def book() -> FeatureSet:
    """The Handbook's features: 15 columns, 12 of them windows."""
    rows = ["{name: amount, measure: value}", "{name: night, measure: local_night}"]
    rows.append("{name: weekend, measure: local_weekend}")
    for days in (1, 7, 30):
        rows.append(f"{{name: n_{days}, entity: customer, measure: count, window: {days}d}}")
        rows.append(f"{{name: m_{days}, entity: customer, measure: mean, window: {days}d}}")
        rows.append(f"{{name: f_{days}, entity: terminal, measure: fraud_count, window: {days}d}}")
        rows.append(f"{{name: r_{days}, entity: terminal, measure: fraud_share, window: {days}d}}")
    return declared(rows)


def wide() -> FeatureSet:
    """48 features of every kind for the online engine."""
    rows = []
    for entity, other in (("customer", "terminal"), ("terminal", "customer")):
        for window in ("1h", "1d", "7d", "30d"):
            for measure in ("count", "sum", "mean"):
                rows.append(_row(f"{entity}_{measure}_{window}", entity, measure, window))
        for window in ("7d", "30d"):
            for measure in ("max", "std", "seconds_since_last"):
                rows.append(_row(f"{entity}_{measure}_{window}", entity, measure, window))
            rows.append(_row(f"{entity}_distinct_{window}", entity, f"distinct, of: {other}", window))
        rows.append(_row(f"{entity}_first", entity, "seconds_since_first", "365d"))
    rows.append(_row("pair_first", "[customer, terminal]", "seconds_since_first", "365d"))
    rows.append(_row("pair_count_30d", "[customer, terminal]", "count", "30d"))
    rows.append(_row("terminal_share_30d", "terminal", "fraud_share", "30d"))
    rows += ["{name: night, measure: local_night}", "{name: amount, measure: value}"]
    return declared([*rows, "{name: ratio, derived: amount / customer_mean_30d}"])


def _row(name: str, entity: str, measure: str, window: str) -> str:
    return f"{{name: {name}, entity: {entity}, measure: {measure}, window: {window}}}"


def declared(rows: list[str]) -> FeatureSet:
    text = "version: 1\nlabel_delay: 7d\nfeatures:\n" + "".join(f"  - {row}\n" for row in rows)
    return load_features(text, "features.yaml", MAPPING)


def bare_query() -> str:
    """What one would write by hand for the same 12 windows: the least that batch could cost."""
    columns = []
    for days in (1, 7, 30):
        for entity, value, delay in (("customer", "amount_minor", 0), ("terminal", "CAST(fraud AS INT)", 7)):
            reach = f"{(days + delay) * DAY} PRECEDING AND {delay * DAY + 1} PRECEDING"
            window = f"(PARTITION BY {entity} ORDER BY epoch_us(occurred_at) RANGE BETWEEN {reach})"
            columns += [f"COUNT(*) OVER {window}", f"SUM({value}) OVER {window}"]
    named = ", ".join(f"{column} AS c{number}" for number, column in enumerate(columns))
    return f"SELECT seq, {named} FROM transactions ORDER BY seq"


@contextmanager
def timed(what: str, rows: int) -> Iterator[None]:
    """Print wall and processor seconds: on a busy machine only the second can be compared."""
    wall, cpu = time.perf_counter(), _cpu()
    yield
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    print(f"{what:<52} {wall:7.2f} s wall {cpu:7.2f} s cpu {rows / wall:12,.0f} rows/s")


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def ledger_like(path: Path, rows: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    query = FROM_FILE.format(path=path, rows=rows) if path.exists() else MADE_UP.format(rows=rows)
    connection.execute(f"CREATE TABLE transactions AS {query}")
    connection.execute(
        """CREATE TABLE outcomes AS
        SELECT seq AS transaction_seq, fraud AS is_fraud, occurred_at + INTERVAL 7 DAY AS known_at,
            CAST(0 AS BIGINT) AS reported_seq, occurred_at AS recorded_at FROM transactions"""
    )
    return connection


def transactions(table: pa.Table) -> list[Transaction]:
    return [
        Transaction(
            transaction_id=row["transaction_id"],
            occurred_at=row["occurred_at"].replace(tzinfo=UTC),
            amount_minor=row["amount_minor"],
            entities={"customer": row["customer"], "terminal": row["terminal"]},
            seq=row["seq"],
        )
        for row in table.to_pylist()
    ]


def measure_batch(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    for _ in range(2):
        with timed("bare window query, 12 columns", rows):
            connection.sql(bare_query()).to_arrow_table()
        with timed("batch_features, the book's 15", rows):
            batch_features(connection, book())
    with timed("batch_features of one transaction, 48", 1):
        batch_features(connection, wide(), first_seq=rows, last_seq=rows)


def measure_online(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    table = connection.sql("FROM transactions ORDER BY seq").to_arrow_table()
    outcomes = connection.sql("FROM outcomes ORDER BY transaction_seq").to_arrow_table()
    for name, features in (("the book's 15", book()), ("48 features, with pairs", wide())):
        loaded = rows - min(20_000, rows // 2)
        state = OnlineState(features)
        with timed(f"bulk_load, {name}", loaded):
            state.bulk_load(table.slice(0, loaded), outcomes.slice(0, loaded))
        stream = transactions(table.slice(loaded))
        looked = added = 0.0
        for transaction in stream:
            begin = time.perf_counter()
            state.features(transaction)
            middle = time.perf_counter()
            state.add(transaction)
            looked, added = looked + middle - begin, added + time.perf_counter() - middle
        each = 1e6 / len(stream)
        print(f"online, {name}: features {looked * each:.1f} us, add {added * each:.1f} us a transaction")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", default=DEFAULT)
    parser.add_argument("--rows", type=int, default=1_754_155)
    arguments = parser.parse_args()
    connection = ledger_like(arguments.path, arguments.rows)
    rows = connection.sql("SELECT COUNT(*) FROM transactions").fetchall()[0][0]
    measure_batch(connection, rows)
    measure_online(connection, rows)


if __name__ == "__main__":
    main()
