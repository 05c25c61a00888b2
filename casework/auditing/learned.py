"""What was a model taught, and which models learned from one payment?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from casework.learning.labels import holdout, snapshot
from casework.learning.registry import models
from data.canonical import sha256_hex
from data.errors import NotFoundError
from data.ledger import Ledger

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
_MANIFEST = "manifest.json"
_RUNS = (
    "SELECT run_id, challenger_id, trigger, started_at, requested_by, result, sentence FROM retrains "
    "WHERE challenger_id <> ''"
)
_FIGURES = ("average_precision", "auc", "frauds", "rows", "measured_on")


def model(app: App, model_id: str) -> JSON | None:
    """Who asked for the model, who let it decide and in which words, what it was taught (rows, frauds, from, to, labels
    by source, snapshot, code), how it was measured, and whether its file is still the one on record. None where it is
    not on record here."""
    try:
        row = models.one(app.ledger, model_id)
    except NotFoundError:
        return None
    kept = (
        "model_id",
        "status",
        "created_at",
        "requested_by",
        "approved_by",
        "approved_at",
        "approval",
        "files_sha256",
    )
    manifest, intact = _manifest(app.workspace.models / model_id, row["files_sha256"])
    taught = manifest.get("snapshot") or {}
    run = next((each for each in app.ledger.read(_RUNS) if each["challenger_id"] == model_id), None)
    seen = app.ledger.read(
        "SELECT seen_by, count(*) AS flips FROM flip_views WHERE model_id = ? GROUP BY ALL", [model_id]
    )
    return {
        **{name: row[name] for name in kept},
        "intact": intact,
        "run": run,
        "taught": {
            **(manifest.get("labels") or {}).get("all", {}),
            "as_of": taught.get("as_of"),
            "snapshot_id": taught.get("snapshot_id"),
            "by_source": taught.get("labels") or {},
            "train_until": (manifest.get("notes") or {}).get("train_until"),
            "code_version": (manifest.get("notes") or {}).get("code_version"),
        },
        "measured": {name: (manifest.get("metrics") or {}).get(name) for name in _FIGURES},
        "flips_opened": seen,
    }


def by_models(app: App, seq: int) -> list[JSON]:
    """Every model whose snapshot held a label of this payment, oldest first: {model_id, status, run_id, as_of, use,
    value, weight, source}. `use`: taught (before the end of training), judged (after it, so models were held against
    it), exam (a golden case: asked, never taught) or held_out (nobody learns from it)."""
    rows = app.ledger.read(_RUNS + " ORDER BY started_at")
    status = {
        row["model_id"]: row["status"] for row in app.ledger.read("SELECT model_id, status FROM models")
    }
    occurred = _occurred(app.ledger, seq)
    found = []
    for run in rows:
        folder = app.workspace.snapshots / run["run_id"]
        for use, label in _labels(folder, seq):
            model_id = run["challenger_id"]
            manifest, _ = _manifest(app.workspace.models / model_id, "")
            until = (manifest.get("notes") or {}).get("train_until")
            late = use == "taught" and until and occurred >= datetime.fromisoformat(until).astimezone(UTC)
            found.append(
                {
                    "model_id": model_id,
                    "status": status.get(model_id, ""),
                    "run_id": run["run_id"],
                    "as_of": json.loads((folder / snapshot.MANIFEST).read_text())["as_of"],
                    "use": "judged" if late else use,
                    **label,
                }
            )
    return found


def _occurred(ledger: Ledger, seq: int) -> datetime:
    at: datetime = ledger.read("SELECT occurred_at FROM transactions WHERE seq = ?", [seq])[0]["occurred_at"]
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _labels(folder: Path, seq: int) -> list[tuple[str, JSON]]:
    """How a snapshot uses one payment; [] where it does not, or is gone."""
    names = (("exam", snapshot.GOLDEN), ("held_out", holdout.FILE), ("taught", snapshot.LABELS))
    for use, name in names:
        path = folder / name
        if not path.is_file() or not (folder / snapshot.MANIFEST).is_file():
            continue
        rows = pq.read_table(path, filters=[("seq", "=", seq)]).to_pylist()
        if rows:
            told = {key: rows[0].get(key) for key in ("value", "weight", "source")}
            return [(use, {**told, "source": told["source"] or "golden"})]
    return []


def _manifest(folder: Path, sha256: str) -> tuple[JSON, bool]:
    """The model's own record of its training, and whether it has the hash that the ledger holds."""
    path = folder / _MANIFEST
    if not path.is_file():
        return {}, False
    content = path.read_bytes()
    found: JSON = json.loads(content)
    return found, sha256_hex(content) == sha256
