"""Does a backtest reproduce the split of the Fraud Detection Handbook's chapter 3, and reach its figures?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from data.incoming.mapping import load_mapping
from engine.features.spec import load_features
from engine.measuring.backtest import Backtest, Protocol, backtest
from engine.measuring.labelled_history import Window

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data" / "handbook_transactions.parquet"
FILES = ROOT / "benchmarks" / "handbook_files"
pytestmark = pytest.mark.skipif(not DATA.is_file(), reason=f"the Handbook's transactions are not at {DATA}")


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def found() -> Backtest:
    """Two months are enough: a habit of two months does nearly as well as one of four."""
    mapping = load_mapping(FILES / "mapping.yaml")
    features = load_features((FILES / "features.yaml").read_bytes(), "features.yaml", mapping)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(
        """
        CREATE TABLE given AS
        SELECT row_number() OVER (ORDER BY TX_DATETIME, TRANSACTION_ID) AS seq,
               CAST(TRANSACTION_ID AS VARCHAR) AS transaction_id, CAST(TX_DATETIME AS TIMESTAMP) AS occurred_at,
               CAST(round(TX_AMOUNT * 100) AS BIGINT) AS amount_minor, CAST(CUSTOMER_ID AS VARCHAR) AS customer,
               CAST(TERMINAL_ID AS VARCHAR) AS terminal, TX_FRAUD = 1 AS fraud
        FROM read_parquet(?)
        WHERE TX_DATETIME >= TIMESTAMP '2018-06-15' AND TX_DATETIME < TIMESTAMP '2018-08-15'
        """,
        [str(DATA)],
    )
    con.execute("CREATE TABLE transactions AS SELECT * EXCLUDE (fraud) FROM given ORDER BY seq")
    con.execute(
        "CREATE TABLE outcomes AS SELECT seq AS transaction_seq, fraud AS is_fraud, "
        "occurred_at + INTERVAL 7 DAY AS known_at, 0 AS reported_seq FROM given"
    )
    protocol = Protocol(
        train=Window(day("2018-07-25"), day("2018-08-01")),
        test=Window(day("2018-08-08"), day("2018-08-15")),
        entity="customer",
    )
    try:
        return backtest(con, features, protocol)
    finally:
        con.close()


def test_the_split_is_the_published_one(found: Backtest) -> None:
    assert (found.train_rows, found.train_frauds) == (67_240, 598)
    assert (found.test_rows, found.test_frauds) == (58_264, 385)


def test_our_own_features_and_defaults_reach_more_than_the_book(found: Backtest) -> None:
    assert found.average_precision.value >= 0.71
    assert found.auc.value >= 0.87
    assert found.card_precision is not None
    assert found.card_precision.value >= 0.28
    assert found.average_precision.low < found.average_precision.value < found.average_precision.high


def test_probabilities_are_calibrated_on_the_week_to_come(found: Backtest) -> None:
    scores = found.scores

    assert scores.probability.mean() == pytest.approx(scores.y.mean(), rel=0.35)
    assert found.reliability.brier < 0.0035
