"""How well does novelty without labels find fraud, beside an isolation forest on the same inputs?

    python -m benchmarks.cold_start handbook_transactions.parquet

The file is the simulated card data of the Fraud Detection Handbook, all days in one Parquet file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from sklearn.ensemble import IsolationForest

from data.incoming.mapping import load_mapping
from data.mappings import text
from engine.features.batch import batch_features
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.measuring import metrics
from engine.model import cold_start
from engine.templates import scaffold

SEEN, TRIED = 50_000, 100_000
UNTIL, ONE_IN = "2018-08-15", 4


def main(path: Path) -> None:
    features, table, fraud = _prepared(path)
    seen, tried = table.slice(len(table) - SEEN - TRIED, SEEN), table.slice(len(table) - TRIED)
    truth = fraud[-TRIED:]
    fitted = cold_start.fit(seen, features)
    ours = np.array([fitted.novelty_total(row) for row in tried.to_pylist()])
    forest = IsolationForest(n_estimators=100, random_state=1).fit(_numbers(seen, fitted))
    theirs = -forest.score_samples(_numbers(tried, fitted))
    print(
        f"{TRIED:,} payments, {int(truth.sum()):,} frauds ({truth.mean():.2%}); "
        f"usual learned from {SEEN:,} without labels"
    )
    print(f"{'':24}{'AP':>8}{'AUC':>8}{'top 100':>10}{'top 1000':>10}")
    for name, score in (("novelty", ours), ("isolation forest", theirs)):
        order = np.argsort(-score, kind="stable")
        top = [truth[order[:k]].mean() for k in (100, 1000)]
        area = metrics.average_precision(truth, score), metrics.auc(truth, score)
        print(f"{name:24}{area[0]:8.3f}{area[1]:8.3f}{top[0]:10.0%}{top[1]:10.0%}")


def _prepared(path: Path) -> tuple[FeatureSet, pa.Table, np.ndarray]:
    mapping = load_mapping(text("handbook").encode())
    features = load_features(scaffold(mapping)["features.yaml"], "features.yaml", mapping)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE transactions AS SELECT row_number() OVER (ORDER BY TX_DATETIME, TRANSACTION_ID) AS seq, "
            "CAST(TRANSACTION_ID AS VARCHAR) AS transaction_id, CAST(TX_DATETIME AS TIMESTAMP) AS occurred_at, "
            "CAST(CUSTOMER_ID AS VARCHAR) AS customer, CAST(TERMINAL_ID AS VARCHAR) AS terminal, "
            "CAST(TX_AMOUNT * 100 AS BIGINT) AS amount_minor, TX_FRAUD = 1 AS fraud "
            f"FROM '{path}' WHERE CUSTOMER_ID % {ONE_IN} = 0 AND TX_DATETIME < '{UNTIL}'"
        )
        connection.execute(
            "CREATE TABLE outcomes AS SELECT seq AS transaction_seq, fraud AS is_fraud, occurred_at AS known_at, "
            "CAST(0 AS BIGINT) AS reported_seq, occurred_at AS recorded_at FROM transactions LIMIT 0"
        )
        fraud = connection.sql("SELECT fraud FROM transactions ORDER BY seq").fetchnumpy()["fraud"]
        return features, batch_features(connection, features), np.asarray(fraud).astype(np.int8)


def _numbers(table: pa.Table, fitted: cold_start.ColdStart) -> np.ndarray:
    """The same inputs as numbers, missing as -1."""
    columns = [
        table[name].cast(pa.float64()) for name in fitted.seen if not pa.types.is_boolean(table[name].type)
    ]
    flags = [
        table[name].cast(pa.int8()).cast(pa.float64())
        for name in fitted.seen
        if pa.types.is_boolean(table[name].type)
    ]
    return np.column_stack([np.nan_to_num(each.to_numpy(), nan=-1.0) for each in (*columns, *flags)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
