"""Which models are there, which one decides, and how does another take its place?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from data.errors import ConflictError, NotFoundError, PermissionDenied
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

CHAMPION, CHALLENGER, REFUSED, RETIRED = "champion", "challenger", "refused", "retired"


def champion_id(ledger: Ledger | Writer) -> str:
    """The id of the model that decides, '' before there is one."""
    rows = ledger.read("SELECT model_id FROM models WHERE status = ?", [CHAMPION])
    return rows[0]["model_id"] if rows else ""


def register(w: Writer, result: Mapping[str, Any], *, requested_by: str, at: datetime) -> None:
    """Put a trained model on record as a challenger. The same model trained again keeps its row."""
    model_id = result["model_id"]
    if w.read("SELECT 1 FROM models WHERE model_id = ?", [model_id]):
        return
    kept = ("metrics", "record", "gates", "card_files")
    manifest = {name: result[name] for name in kept}
    row = {
        "model_id": model_id,
        "status": CHALLENGER,
        "created_at": at,
        "requested_by": requested_by,
        "manifest": json.dumps(manifest),
        "files_sha256": result["manifest_sha256"],
    }
    w.insert("models", [row])
    w.event(EventDraft(requested_by, "model.trained", f"model:{model_id}", row), at)


def promote(w: Writer, model_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Make a model the champion; the one before is retired. The caller reloads what decides."""
    before = champion_id(w)
    if before == model_id:
        raise ConflictError("this model is the champion already", where=model_id)
    w.execute("UPDATE models SET status = ? WHERE status = ?", [RETIRED, CHAMPION])
    w.execute("UPDATE models SET status = ? WHERE model_id = ?", [CHAMPION, model_id])
    payload = {"model_id": model_id, "before": before, "reason": reason}
    w.event(EventDraft(by, "model.promoted", f"model:{model_id}", payload), at)


def refuse(w: Writer, model_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Keep a challenger from deciding, with the sentence that says why."""
    w.execute(
        "UPDATE models SET status = ? WHERE model_id = ? AND status = ?", [REFUSED, model_id, CHALLENGER]
    )
    payload = {"model_id": model_id, "reason": reason}
    w.event(EventDraft(by, "model.refused", f"model:{model_id}", payload), at)


def sign_off(w: Writer, model_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Promote a challenger that passed its gates, by someone who did not ask for it, or bring back a retired one."""
    rows = w.read("SELECT status, requested_by FROM models WHERE model_id = ?", [model_id])
    if not rows:
        raise NotFoundError("there is no such model", where=model_id)
    if rows[0]["status"] not in (CHALLENGER, RETIRED):
        raise ConflictError(
            f"a {rows[0]['status']} model cannot be promoted", where=model_id, allowed="challenger, retired"
        )
    if rows[0]["requested_by"] == by:
        raise PermissionDenied(
            "you asked for this model, so someone else must sign it off",
            where=model_id,
            hint="Ask another risk manager.",
        )
    promote(w, model_id, by=by, reason=reason, at=at)


def table(ledger: Ledger) -> list[dict[str, Any]]:
    """Every model, newest first: id, status, when, who asked, metrics, gates, the judged record, and the digests of its
    files (`card_files` by name; none for a model from before cards were on record)."""
    rows = ledger.read(
        "SELECT model_id, status, created_at, requested_by, files_sha256, manifest FROM models "
        "ORDER BY created_at DESC"
    )
    return [_row(row) for row in rows]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in row.items() if name != "manifest"}
    return {**columns, "card_files": {}, **json.loads(row["manifest"])}


def one(ledger: Ledger, model_id: str) -> dict[str, Any]:
    """One model's row of `table`; NotFoundError if there is none."""
    found = [row for row in table(ledger) if row["model_id"] == model_id]
    if not found:
        raise NotFoundError("there is no such model", where=model_id)
    return found[0]
