"""Can a model be trained on history that ended long ago?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from casework.app import App
from casework.deciding import importing, outcomes
from casework.deciding.outcomes import Told
from data.simulator.chargebacks import is_fraud_reason
from data.simulator.config import InstitutionConfig
from data.simulator.institution import simulate
from tests.http.institution import make_workspace

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_training_counts_from_the_end_of_the_record_not_from_today(tmp_path: Path) -> None:
    old = simulate(
        InstitutionConfig(
            seed=3,
            start=date(2024, 1, 1),
            days=120,
            transactions=8_000,
            customers=400,
            merchants=80,
            fraud_rate=0.05,
        )
    )
    history = tmp_path / "history.parquet"
    pq.write_table(old.transactions, history)
    app = App.open(make_workspace(tmp_path / "bank"), lambda: NOW)
    try:
        importing.import_file(app, history, "history.parquet", actor="admin-1", at=NOW)
        told = [
            Told(
                row["transaction_id"],
                is_fraud_reason(row["reason_code"]),
                row["known_at"],
                row["reason_code"],
            )
            for row in old.chargebacks.to_pylist()
        ]
        outcomes.report(app, told, by="integrator-1", at=NOW)
        row = app.retrain("person", "risk-manager-1", "history of two years ago")
    finally:
        app.close()
    assert row["result"] == "promoted", row["sentence"]
