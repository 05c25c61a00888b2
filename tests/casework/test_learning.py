"""Does training keep to its periods, and does a model come into force only the way it should?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.learning.registry import models
from casework.learning.retraining import child
from casework.learning.retraining.tables import Periods
from data.errors import ConflictError, NotFoundError, PermissionDenied
from data.ledger import Ledger
from engine.model import registry
from tests.http.test_models import saved
from tests.ledgers import new_ledger

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path / "ledger.duckdb", None, NOW) as made:
        yield made


def result(model_id: str, digest: str = "0" * 64) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "metrics": {},
        "record": {},
        "gates": [],
        "manifest_sha256": digest,
        "card_files": {},
    }


def trained(ledger: Ledger, model_id: str, by: str) -> None:
    with ledger.writing() as w:
        models.register(w, result(model_id), requested_by=by, at=NOW)


def trained_and_kept(ledger: Ledger, folder: Path, by: str, rounds: int = 5) -> str:
    """A challenger whose files are in the folder of all models; its id."""
    model_id = saved(folder, rounds)
    with ledger.writing() as w:
        known = result(model_id, registry.manifest_digest(folder / model_id))
        models.register(w, known, requested_by=by, at=NOW)
    return model_id


def test_judging_starts_an_embargo_after_training_and_ends_where_labels_are_mature() -> None:
    day = timedelta(days=1)
    periods = Periods.before(NOW, 35 * day, 14 * day, 7 * day)
    assert periods.judge_until == NOW - 35 * day
    assert periods.judge_from == NOW - 49 * day
    assert periods.train_until == NOW - 56 * day


def test_only_someone_else_signs_a_model_off(ledger: Ledger, tmp_path: Path) -> None:
    name = trained_and_kept(ledger, tmp_path, by="risk-manager-1")
    with ledger.writing() as w, pytest.raises(PermissionDenied, match="you asked for this model"):
        models.sign_off(w, name, by="risk-manager-1", reason="looks good", at=NOW, folder=tmp_path)
    with ledger.writing() as w:
        models.sign_off(w, name, by="risk-manager-2", reason="looked at the flips", at=NOW, folder=tmp_path)
    assert models.champion_id(ledger) == name


@pytest.mark.parametrize("harm", ["gone", "altered"])
def test_a_model_whose_files_are_not_those_on_record_cannot_be_signed_off(
    ledger: Ledger, tmp_path: Path, harm: str
) -> None:
    name = trained_and_kept(ledger, tmp_path, by="scheduler")
    trees = tmp_path / name / registry.TREES
    content = trees.read_bytes()
    trees.unlink()
    if harm == "altered":
        trees.write_bytes(content + b" ")
    why = "missing or not those on record, so the champion stays"
    with ledger.writing() as w, pytest.raises(ConflictError, match=why):
        models.sign_off(w, name, by="risk-manager-2", reason="looked at the flips", at=NOW, folder=tmp_path)
    assert models.champion_id(ledger) == ""


def test_a_promotion_retires_the_champion_before_and_can_be_taken_back(
    ledger: Ledger, tmp_path: Path
) -> None:
    first, second = (trained_and_kept(ledger, tmp_path, "scheduler", rounds) for rounds in (5, 6))
    for model_id in (first, second):
        with ledger.writing() as w:
            models.promote(w, model_id, by="gates", reason="passed", at=NOW)
    statuses = {row["model_id"]: row["status"] for row in models.table(ledger)}
    assert statuses == {first: "retired", second: "champion"}
    with ledger.writing() as w:
        reason = "the new one alarms too much"
        models.sign_off(w, first, by="risk-manager-1", reason=reason, at=NOW, folder=tmp_path)
    assert models.champion_id(ledger) == first


def test_a_refused_model_cannot_be_promoted(ledger: Ledger, tmp_path: Path) -> None:
    trained(ledger, "m_1", by="scheduler")
    with ledger.writing() as w:
        models.refuse(w, "m_1", by="gates", reason="worse", at=NOW)
    with ledger.writing() as w, pytest.raises(ConflictError, match="a refused model cannot be promoted"):
        models.sign_off(w, "m_1", by="risk-manager-2", reason="please", at=NOW, folder=tmp_path)


def test_a_model_nobody_trained_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match="m_9: there is no such model"):
        models.one(ledger, "m_9")


def test_a_training_child_always_leaves_a_result_that_says_what_went_wrong(tmp_path: Path) -> None:
    assert child.main(tmp_path) == 0
    told = (tmp_path / child.RESULT).read_text()
    assert "training failed: FileNotFoundError" in told and str(tmp_path) not in told
