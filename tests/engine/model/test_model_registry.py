"""How a model is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from model_payments import AT, payments

from data.errors import NotFoundError
from engine.measuring.drift import Profile
from engine.model import Model, ModelAlteredError, TrainedModel, list_models, load, manifest_digest, save


@pytest.fixture
def folder(trained: TrainedModel, tmp_path: Path) -> Path:
    return tmp_path / save(tmp_path, trained, created_at=AT).model_id


def test_what_is_loaded_scores_as_what_was_saved(trained: TrainedModel, folder: Path) -> None:
    matrix = trained.encoders.matrix(payments(500, seed=4)[0])

    loaded = load(folder)

    for ours, theirs in zip(loaded.score_matrix(matrix), trained.model().score_matrix(matrix), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.novel == trained.novelty
    assert loaded.encoders == trained.encoders


def test_the_record_says_what_the_model_learned_from_and_with_what(saved: tuple[Path, Model]) -> None:
    manifest = saved[1].manifest

    assert manifest["created_at"] == "2026-01-01T00:00:00.000000Z"
    assert manifest["labels"]["all"]["rows"] == 6000
    assert manifest["params"]["rounds"] == 40
    assert [name for name, _ in manifest["features"]["inputs"]] == list(saved[1].names)
    assert set(manifest["metrics"]["average_precision"]) == {"value", "low", "high"}
    assert {"xgboost-cpu", "xgboost"} & set(manifest["libraries"])
    assert Profile.from_json(manifest["reference"]).rows == 6000


def test_the_same_model_saved_twice_is_one_folder_with_its_first_record(
    trained: TrainedModel, folder: Path
) -> None:
    before = manifest_digest(folder)

    again = save(folder.parent, trained, created_at=AT + timedelta(days=1))

    assert list_models(folder.parent) == [again.model_id] == [folder.name]
    assert manifest_digest(folder) == before


def test_altered_trees_are_refused(folder: Path) -> None:
    path = folder / "model.ubj"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(ModelAlteredError, match="the trees are not those that were saved"):
        load(folder)


def test_a_calibrator_altered_in_the_manifest_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["scoring"]["calibrator"]["shift"] -= 3.0
    path.write_text(json.dumps(manifest))

    with pytest.raises(ModelAlteredError, match="the manifest was altered after the model was saved"):
        load(folder)


def test_a_prettier_metric_is_found_against_the_digest_on_record(folder: Path) -> None:
    on_record = manifest_digest(folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["metrics"]["brier"] = 0.0
    path.write_text(json.dumps(manifest))

    with pytest.raises(ModelAlteredError, match="the manifest is not the one on record"):
        load(folder, manifest_sha256=on_record)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\x80\x04pickle"])
def test_a_manifest_that_is_not_one_is_refused(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)

    with pytest.raises(ModelAlteredError, match="the manifest cannot be read"):
        load(folder)


@pytest.mark.parametrize("name", ["manifest.json", "model.ubj"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(NotFoundError, match=name):
        load(folder)
