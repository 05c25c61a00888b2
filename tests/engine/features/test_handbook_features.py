"""Do our windows give the features that the Fraud Detection Handbook published for one week of its data?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from engine.features.batch import batch_features
from engine.features.spec import load_features

SHARED = Path(
    os.environ.get("SECOND_LOOK_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data")
)
TRANSACTIONS, WEEK = SHARED / "handbook_transactions.parquet", SHARED / "handbook_features_week.parquet"
MAPPING: Any = SimpleNamespace(entities={"customer": "c", "terminal": "t"}, attributes={}, time_zone="UTC")
DAYS = (1, 7, 30)
# The customers and terminals of a sample of the week; whole histories, so every window is whole.
SAMPLE = "CUSTOMER_ID % 10 = 0 OR TERMINAL_ID % 10 = 0"

pytestmark = pytest.mark.skipif(not WEEK.exists(), reason=f"the Handbook's data is not in {SHARED}")


def declared() -> str:
    """The book's windows hold whole seconds (t - w, t], the present payment included: ours end one second later
    and do not hold it, so they are a second shorter and one payment poorer."""
    rows = ["{name: amount, measure: value}", "{name: night, measure: local_night}"]
    rows.append("{name: weekend, measure: local_weekend}")
    for d in DAYS:
        rows.append(f"{{name: n_{d}, entity: customer, measure: count, window: {d * 86_400 - 1}s}}")
        rows.append(f"{{name: s_{d}, entity: customer, measure: sum, window: {d * 86_400 - 1}s}}")
        rows.append(f"{{name: f_{d}, entity: terminal, measure: fraud_count, window: {d}d}}")
        rows.append(f"{{name: r_{d}, entity: terminal, measure: fraud_share, window: {d}d}}")
    return "version: 1\nlabel_delay: 604799s\nfeatures:\n" + "".join(f"  - {row}\n" for row in rows)


@pytest.fixture(scope="module")
def compared() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE TABLE transactions AS
            SELECT ROW_NUMBER() OVER (ORDER BY TX_DATETIME, TRANSACTION_ID) AS seq,
                CAST(TRANSACTION_ID AS VARCHAR) AS transaction_id, CAST(TX_DATETIME AS TIMESTAMP) AS occurred_at,
                CAST(CUSTOMER_ID AS VARCHAR) AS customer, CAST(TERMINAL_ID AS VARCHAR) AS terminal,
                CAST(TX_AMOUNT * 100 AS BIGINT) AS amount_minor, TX_FRAUD = 1 AS fraud
            FROM '{TRANSACTIONS}' WHERE ({SAMPLE}) AND TX_DATETIME < '2018-08-15'"""
        )
        connection.execute(
            """CREATE TABLE outcomes AS
            SELECT seq AS transaction_seq, fraud AS is_fraud, occurred_at + INTERVAL 7 DAY AS known_at,
                CAST(0 AS BIGINT) AS reported_seq, occurred_at AS recorded_at FROM transactions"""
        )
        start = connection.sql(
            "SELECT MIN(seq) FROM transactions WHERE occurred_at >= '2018-08-08'"
        ).fetchall()
        features = load_features(declared(), "features.yaml", MAPPING)
        ours = batch_features(connection, features, first_seq=start[0][0])
        connection.register("ours", ours)
        connection.execute(
            f"CREATE TABLE compared AS SELECT b.*, o.* FROM ours o JOIN '{WEEK}' b"
            " ON b.TRANSACTION_ID = CAST(o.transaction_id AS BIGINT)"
        )
        yield connection


def differing(connection: duckdb.DuckDBPyConnection, rows: str, condition: str) -> tuple[int, int]:
    """(rows compared, rows for which the condition does not hold)."""
    query = f"SELECT COUNT(*), COUNT(*) FILTER (WHERE NOT ({condition})) FROM compared WHERE {rows}"
    return connection.sql(query).fetchall()[0]


@pytest.mark.parametrize("days", DAYS)
def test_counts_and_means_of_customers_are_the_books_but_for_payments_in_one_second(
    compared: duckdb.DuckDBPyConnection, days: int
) -> None:
    count, mean = f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW", f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"
    ours = f"(s_{days} + amount) / 100.0 / (n_{days} + 1)"
    equal = f"n_{days} + 1 = {count} AND ABS({ours} - {mean}) < 1e-6"
    rows, different = differing(compared, "CUSTOMER_ID % 10 = 0", equal)
    assert rows > 6_000
    assert different <= 2


@pytest.mark.parametrize("days", DAYS)
def test_known_frauds_of_terminals_are_the_books(compared: duckdb.DuckDBPyConnection, days: int) -> None:
    count, risk = f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW", f"TERMINAL_ID_RISK_{days}DAY_WINDOW"
    equal = (
        f"ABS(COALESCE(r_{days}, 0) - {risk}) < 1e-9 AND ABS(f_{days} - {risk} * {count}) < 1e-6"
        f" AND (r_{days} IS NULL) = ({count} = 0)"
    )
    rows, different = differing(compared, "TERMINAL_ID % 10 = 0", equal)
    assert rows > 6_000
    assert different == 0


def test_nights_and_weekends_are_the_books(compared: duckdb.DuckDBPyConnection) -> None:
    _, different = differing(
        compared, "TRUE", "night = (TX_DURING_NIGHT = 1) AND weekend = (TX_DURING_WEEKEND = 1)"
    )
    assert different == 0
