"""How is a model kept on disk so that what is loaded is what was trained, and nothing stored is executed?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from data.canonical import canonical_json, rfc3339, sha256_hex
from data.errors import ConflictError, InputError, NotFoundError
from engine.model.boosting import xgb
from engine.model.calibration import Calibrator
from engine.model.dataset import Encoders
from engine.model.novelty import Novelty
from engine.model.scoring import Model
from engine.model.train import TrainedModel

FORMAT = 1
TREES, MANIFEST = "model.ubj", "manifest.json"
LIBRARIES = ("xgboost-cpu", "xgboost", "numpy", "scipy", "pyarrow")
HINT = "Restore the folder from a backup, or train a new model"


class ModelAlteredError(InputError):
    """A stored model is not what was saved."""


def save(
    models: Path,
    trained: TrainedModel,
    *,
    created_at: datetime,
    snapshot: Mapping[str, Any] | None = None,
    feature_file_sha256: str = "",
    notes: Mapping[str, Any] | None = None,
) -> Model:
    """Write `models`/<model_id>/{model.ubj, manifest.json} and return the model under its id.

    `snapshot` is the manifest of the rows it learned from, `notes` whatever else the record should hold
    (JSON only). The same model saved twice is the same folder; its first manifest stays.
    """
    trees = bytes(trained.booster.save_raw("ubj"))
    scoring = _scoring_part(sha256_hex(trees), trained.encoders, trained.calibrator, trained.novelty)
    model_id = _model_id(scoring)
    folder = models / model_id
    if (folder / MANIFEST).exists():
        return load(folder)
    manifest = {
        "format": FORMAT,
        "model_id": model_id,
        "created_at": rfc3339(created_at),
        "scoring": scoring,
        "params": dict(trained.params),
        "search": dict(trained.search),
        "seed": trained.seed,
        "features": _features(trained.encoders, feature_file_sha256),
        "snapshot": dict(snapshot or {}),
        "labels": dict(trained.label_summary),
        "metrics": dict(trained.metrics),
        "reference": trained.reference.to_json(),
        "libraries": _libraries(),
        "notes": dict(notes or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / TREES, trees)
    _write(folder / MANIFEST, canonical_json(manifest))  # last: a folder without it is not a model
    return load(folder)


def load(folder: Path, *, manifest_sha256: str = "") -> Model:
    """Read a model after checking every byte that decides a score.

    `manifest_sha256` is the digest the ledger holds; with it the whole record is checked, without it the
    scoring part only (its digest is the model's id). Raises NotFoundError, or ModelAlteredError with a
    sentence.
    """
    manifest = _read_manifest(folder, manifest_sha256)
    scoring = manifest["scoring"]
    trees = folder / TREES
    if not trees.is_file():
        raise NotFoundError(f"the model has no {TREES}", where=str(folder), hint=HINT)
    content = trees.read_bytes()
    if sha256_hex(content) != scoring["trees_sha256"]:
        raise ModelAlteredError(
            "the trees are not those that were saved, so the model is not loaded",
            where=str(trees),
            allowed=f"SHA-256 {scoring['trees_sha256'][:12]}...",
            hint=HINT,
        )
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    return Model(
        str(manifest["model_id"]),
        booster,
        Encoders.from_json(scoring["encoders"]),
        Calibrator.from_json(scoring["calibrator"]),
        Novelty.from_json(scoring["novelty"]),
        manifest,
    )


def manifest_digest(folder: Path) -> str:
    """SHA-256 of a stored manifest; it covers the trees too, by their digest. For the ledger to keep."""
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFoundError(f"there is no {MANIFEST}", where=str(folder), hint=HINT)
    return sha256_hex(path.read_bytes())


def list_models(models: Path) -> list[str]:
    """Ids of the complete models in a folder, sorted."""
    return sorted(p.parent.name for p in models.glob(f"m_*/{MANIFEST}"))


def _read_manifest(folder: Path, expected: str) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFoundError(f"there is no {MANIFEST}", where=str(folder), hint=HINT)
    content = path.read_bytes()
    if expected and sha256_hex(content) != expected:
        raise ModelAlteredError(
            "the manifest is not the one on record, so the model is not loaded", where=str(path), hint=HINT
        )
    try:
        manifest = json.loads(content)
        known = manifest["format"] == FORMAT
        intact = manifest["model_id"] == _model_id(manifest["scoring"])
    except (ValueError, KeyError, TypeError) as problem:
        raise ModelAlteredError("the manifest cannot be read", where=str(path), hint=HINT) from problem
    if not known:
        raise InputError(
            f"the model is of format {manifest['format']}", where=str(path), allowed=f"format {FORMAT}"
        )
    if not intact:
        raise ModelAlteredError(
            "the manifest was altered after the model was saved, so the model is not loaded",
            where=str(path),
            hint=HINT,
        )
    return manifest


def _scoring_part(
    trees_sha256: str, encoders: Encoders, calibrator: Calibrator, novelty: Novelty
) -> dict[str, Any]:
    """Everything that a score depends on; its digest is the model's id."""
    return {
        "trees_sha256": trees_sha256,
        "encoders": encoders.to_json(),
        "calibrator": calibrator.to_json(),
        "novelty": novelty.to_json(),
    }


def _model_id(scoring: Mapping[str, Any]) -> str:
    return "m_" + sha256_hex(canonical_json(scoring))[:12]


def _features(encoders: Encoders, file_sha256: str) -> dict[str, Any]:
    inputs = [[name, "category" if name in encoders.categories else "number"] for name in encoders.names]
    return {
        "inputs": inputs,
        "inputs_sha256": sha256_hex(canonical_json(inputs)),
        "file_sha256": file_sha256,
    }


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # one of the two XGBoost distributions is always absent
    return found


def _write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a crash leaves no half file under the final name."""
    if path.exists() and path.read_bytes() != content:
        raise ConflictError("another file of that name is already there", where=str(path))
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(content)
    part.replace(path)
