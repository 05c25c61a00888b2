"""Can a model be trained on history that ended long ago, and can settings be searched for on it?"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from casework.app import App
from casework.cli import main as program
from casework.deciding import importing, outcomes
from casework.deciding.outcomes import Told
from casework.workspace import Workspace
from data.simulator.chargebacks import is_fraud_reason
from data.simulator.config import InstitutionConfig
from data.simulator.institution import simulate
from tests.http.institution import make_workspace

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has imported four months of 2024 and their chargebacks, and nothing since."""
    folder = tmp_path_factory.mktemp("old")
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
    file = folder / "history.parquet"
    pq.write_table(old.transactions, file)
    told = [
        Told(row["transaction_id"], is_fraud_reason(row["reason_code"]), row["known_at"], row["reason_code"])
        for row in old.chargebacks.to_pylist()
    ]
    bank = make_workspace(folder / "bank")
    app = App.open(bank, lambda: NOW)
    try:
        importing.import_file(app, file, "history.parquet", actor="admin-1", at=NOW)
        outcomes.report(app, told, by="integrator-1", at=NOW)
    finally:
        app.close()
    return bank.root


@pytest.fixture
def bank(history: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(history, tmp_path / "bank"))


# The ready mapping of 2018 that every run trains on shows it too, see tests/http/test_ready_mappings.py.
@pytest.mark.soak
def test_training_counts_from_the_end_of_the_record_not_from_today(bank: Path) -> None:
    app = App.open(Workspace(bank), lambda: NOW)
    try:
        row = app.retrain("person", "risk-manager-1", "history of two years ago")
    finally:
        app.close()
    assert row["result"] == "promoted", row["sentence"]


@pytest.mark.soak
def test_a_search_for_settings_is_on_the_record_of_the_model_it_led_to(
    bank: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["secondlook", "train", "--tune", "--budget", "1", "--workspace", str(bank)]
    monkeypatch.setattr("sys.argv", words)

    with pytest.raises(SystemExit) as ended:
        program.main()

    said = capsys.readouterr().out
    manifest = next(json.loads(p.read_bytes()) for p in bank.glob("models/*/manifest.json"))
    found = manifest["search"]
    assert ended.value.code == 0, said
    assert f"search: {len(found['trials'])} settings tried" in said
    assert manifest["params"] == found["trials"][found["chosen"]]["settings"]
    assert found["average_precision_chosen"] >= found["average_precision_before"]
