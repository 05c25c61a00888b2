"""Do batch and online agree on the real thing: the demo's features, its mapping, a DuckDB ledger, late chargebacks?"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data import reading
from data.incoming.ingest import import_file
from data.incoming.mapping import load_mapping
from data.ledger import Ledger
from data.simulator.config import InstitutionConfig
from data.simulator.institution import simulate
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.features.spec import load_features

RULES = Path(__file__).resolve().parents[3] / "rules"
AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder: Path = tmp_path_factory.mktemp("parity")
    made = simulate(
        InstitutionConfig(transactions=4_000, customers=60, merchants=30, days=60, fraud_rate=0.05)
    )
    pq.write_table(made.transactions, folder / "history.parquet")
    mapping = load_mapping(RULES / "mapping.yaml")
    opened = Ledger.create(folder / "ledger.duckdb", mapping, at=AT)
    import_file(opened, mapping, folder / "history.parquet", at=AT, actor="admin-1")
    with opened.writing() as w:
        w.insert(
            "outcomes",
            [
                {
                    "transaction_seq": opened.seq_of(row["transaction_id"]),
                    "is_fraud": True,
                    "known_at": row["known_at"].astimezone(UTC),
                    "reported_seq": 0,
                    "source": "test",
                    "reason_code": row["reason_code"],
                    "recorded_at": AT,
                }
                for row in made.chargebacks.to_pylist()
            ],
        )
    return opened


def test_every_demo_feature_of_every_payment_is_the_same_both_ways(ledger: Ledger) -> None:
    features = load_features(
        (RULES / "features.yaml").read_bytes(), "features.yaml", load_mapping(RULES / "mapping.yaml")
    )
    batch = batch_features(ledger, features).to_pylist()
    state = OnlineState(features)
    transactions = list(reading.transactions(ledger))
    by_seq = {t.seq: t for t in transactions}
    for told in ledger.read("SELECT * FROM outcomes ORDER BY known_at"):
        state.observe_outcome(
            by_seq[told["transaction_seq"]],
            told["is_fraud"],
            known_at=told["known_at"],
            reported_seq=told["reported_seq"],
            recorded_at=told["recorded_at"],
        )
    learned = 0
    for transaction, theirs in zip(transactions, batch, strict=True):
        ours = state.features(transaction)
        state.add(transaction)
        for name in features.names:
            assert same(ours[name], theirs[name]), (transaction.seq, name, ours[name], theirs[name])
        learned += bool(ours["merchant_frauds_learned_7d"])
    assert learned > 20, "the stream must exercise label features"


def same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-9)
    return a == b
