"""Does a retrain that is killed leave one valid champion? A shortened run of benchmarks.retrain_kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import retrain_kills
from casework.learning.registry import models
from data.ledger import Ledger
from engine.model import registry
from tests.http.institution import START, make_workspace
from tests.http.test_models import saved


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kills") / "bank"
    retrain_kills.make(made, payments=2_500)
    return made


@pytest.mark.soak
@pytest.mark.parametrize(("what", "stage"), [("server", "training"), ("child", "features")])
def test_killing_either_in_the_middle_of_a_run_leaves_one_valid_champion(
    root: Path, what: str, stage: str
) -> None:
    reached, ended = retrain_kills.kill_once(root, 1, what=what, stage=stage, after=0.1)
    assert ended == "killed", reached
    assert retrain_kills.looked_through(root) == []


def test_a_model_that_is_half_written_or_altered_is_found(tmp_path: Path) -> None:
    """The look itself, at a champion that was trained without a server."""
    place = make_workspace(tmp_path / "bank")
    model_id = saved(place.models)
    champion = place.model_folder(model_id)
    result = {"model_id": model_id, "metrics": {}, "record": {}, "gates": [], "card_files": {},
              "manifest_sha256": registry.manifest_digest(champion)}  # fmt: skip
    with Ledger.open(place.ledger_file) as ledger, ledger.writing() as w:
        models.register(w, result, requested_by="schedule", at=START)
        models.promote(w, model_id, by="schedule", reason="the first one", at=START)
    assert retrain_kills.looked_through(place.root) == []
    manifest = champion / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert "is not the one on record" in str(retrain_kills.looked_through(place.root))
