"""Where do benchmarks get an institution of any size, as ledger-like tables or as a whole workspace?

python -m benchmarks.institutions WORKSPACE TRANSACTIONS    make a workspace with that much history
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.incoming.mapping import load_mapping
from data.simulator import InstitutionConfig, is_fraud_reason, simulate
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features

RULES = Path(__file__).resolve().parents[1] / "rules"
PER_CUSTOMER, PER_MERCHANT, DAYS = 40, 400, 150
START = date(2026, 1, 5)
END = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=DAYS)

PART = 1_000_000

# Several institutions make a larger one: their people, cards, devices and merchants are told apart by a number.
PART_OF = """
    SELECT * REPLACE (transaction_id || '_{part}' AS transaction_id, customer || '_{part}' AS customer,
        card || '_{part}' AS card, merchant || '_{part}' AS merchant, device || '_{part}' AS device)
    FROM made"""
LEDGER_LIKE = """
    SELECT row_number() OVER (ORDER BY occurred_at, transaction_id) AS seq,
        * REPLACE (CAST(occurred_at AT TIME ZONE 'UTC' AS TIMESTAMP) AS occurred_at),
        CAST(amount * 100 AS BIGINT) AS amount_minor
    FROM '{folder}/transactions-*.parquet' ORDER BY seq"""
OUTCOMES = """
    SELECT t.seq AS transaction_seq, b.fraud AS is_fraud, CAST(b.known_at AT TIME ZONE 'UTC' AS TIMESTAMP) AS known_at,
        CAST(0 AS BIGINT) AS reported_seq, CAST(b.known_at AT TIME ZONE 'UTC' AS TIMESTAMP) AS recorded_at
    FROM '{folder}/outcomes-*.parquet' b JOIN transactions t USING (transaction_id) ORDER BY 1"""


def config(transactions: int, seed: int = 7) -> InstitutionConfig:
    """An institution of that size: 40 payments a customer and 400 a merchant over 150 days, 1 % fraud."""
    return InstitutionConfig(
        seed=seed,
        transactions=transactions,
        customers=max(500, transactions // PER_CUSTOMER),
        merchants=max(100, transactions // PER_MERCHANT),
        days=DAYS,
        start=START,
    )


def demo_features() -> FeatureSet:
    """The demo institution's features."""
    mapping = load_mapping(RULES / "mapping.yaml")
    return load_features((RULES / "features.yaml").read_bytes(), "features.yaml", mapping)


def write_history(folder: Path, transactions: int) -> list[Path]:
    """Write transactions-N.parquet and outcomes-N.parquet, at most a million payments each, so that ten million do
    not have to fit into memory at once. Returns the transaction files."""
    files = []
    for part, first in enumerate(range(0, transactions, PART)):
        made = simulate(config(min(PART, transactions - first), seed=7 + part))
        reasons = made.chargebacks["reason_code"].to_pylist()
        back = made.chargebacks.append_column(
            "fraud", pa.array([is_fraud_reason(reason) for reason in reasons])
        )
        ids = pc.binary_join_element_wise(back["transaction_id"], pa.scalar(str(part)), "_")
        pq.write_table(back.set_column(0, "transaction_id", ids), folder / f"outcomes-{part}.parquet")
        files.append(folder / f"transactions-{part}.parquet")
        with closing(duckdb.connect()) as connection:
            connection.register("made", made.transactions)
            connection.execute(f"COPY ({PART_OF.format(part=part)}) TO '{files[-1]}'")
    return files


def ledger_like(transactions: int) -> duckdb.DuckDBPyConnection:
    """A connection with `transactions` and `outcomes` as a ledger has them, in memory."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    with tempfile.TemporaryDirectory(prefix="history-") as folder:
        write_history(Path(folder), transactions)
        connection.execute(f"CREATE TABLE transactions AS {LEDGER_LIKE.format(folder=folder)}")
        connection.execute(f"CREATE TABLE outcomes AS {OUTCOMES.format(folder=folder)}")
    return connection


def history_file(folder: Path, transactions: int) -> Path:
    """One Parquet file of that many payments in order of time, as a bank would hand them over."""
    write_history(folder, transactions)
    path = folder / "history.parquet"
    with closing(duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder)})) as connection:
        parts = f"FROM '{folder}/transactions-*.parquet'"
        connection.execute(f"COPY (SELECT * {parts} ORDER BY occurred_at, transaction_id) TO '{path}'")
    return path
