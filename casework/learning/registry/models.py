"""Which models are there, which one decides, and how does another take its place?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from casework.learning.registry import flips
from casework.safety import trials
from casework.safety.naming import reason_of
from data.errors import ConflictError, NotFoundError, PermissionDenied
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.model import registry

CHAMPION, CHALLENGER, REFUSED, RETIRED = "champion", "challenger", "refused", "retired"
GENERATIONS = 4
"""How many champions in a row are looked at when it is asked whether decisions go back and forth."""


def champion_id(ledger: Ledger | Writer) -> str:
    """The id of the model that decides, '' before there is one."""
    rows = ledger.read("SELECT model_id FROM models WHERE status = ?", [CHAMPION])
    return rows[0]["model_id"] if rows else ""


def standing(source: Ledger | Writer, model_id: str) -> dict[str, Any] | None:
    """Status, who asked for it, and whether people took it back; None for a model that is not on record."""
    rows = source.read("SELECT status, requested_by, rolled_back FROM models WHERE model_id = ?", [model_id])
    return rows[0] if rows else None


def predecessor(source: Ledger | Writer, model_id: str) -> str:
    """The champion whose place this model took when the gates or a person let it decide, '' if it was the first."""
    rows = source.read(
        "SELECT payload FROM events WHERE kind = 'model.promoted' AND subject = ? ORDER BY seq DESC",
        [f"model:{model_id}"],
    )
    told = (orjson.loads(row["payload"]) for row in rows)
    return next((str(each["before"]) for each in told if not each.get("rollback")), "")


def lineage(source: Ledger | Writer) -> list[str]:
    """The champion and those before it, oldest first, at most GENERATIONS."""
    found: list[str] = []
    model_id = champion_id(source)
    while model_id and model_id not in found and len(found) < GENERATIONS:
        found.insert(0, model_id)
        model_id = predecessor(source, model_id)
    return found


def register(
    w: Writer, result: Mapping[str, Any], *, requested_by: str, at: datetime, run_id: str = ""
) -> None:
    """Put a trained model on record as a challenger. The same model trained again keeps its row."""
    model_id = result["model_id"]
    if standing(w, model_id) is not None:
        return
    kept = ("metrics", "record", "gates", "card_files")
    manifest = {**{name: result[name] for name in kept}, "run_id": run_id}
    row = {
        "model_id": model_id,
        "status": CHALLENGER,
        "created_at": at,
        "requested_by": requested_by,
        "manifest": json.dumps(manifest),
        "files_sha256": result["manifest_sha256"],
        "approved_by": "",
        "approval": "",
        "rolled_back": False,
    }
    w.insert("models", [row])
    w.event(EventDraft(requested_by, "model.trained", f"model:{model_id}", row), at)


def promote(w: Writer, model_id: str, *, by: str, reason: str, at: datetime, rollback: bool = False) -> None:
    """Make a model the champion; the one before is retired, and trials of models end. The caller reloads what
    decides."""
    before = champion_id(w)
    if before == model_id:
        raise ConflictError("this model is the champion already", where=model_id)
    w.execute("UPDATE models SET status = ?, rolled_back = ? WHERE status = ?", [RETIRED, rollback, CHAMPION])
    w.execute(
        "UPDATE models SET status = ?, rolled_back = false, approved_by = ?, approved_at = ?, approval = ? "
        "WHERE model_id = ?",
        [CHAMPION, by, at, reason, model_id],
    )
    payload = {"model_id": model_id, "before": before, "reason": reason, "rollback": rollback}
    w.event(EventDraft(by, "model.promoted", f"model:{model_id}", payload), at)
    for trial in trials.running(w):
        if trial.model_id:
            trials.stop(w, trial.trial_id, by=by, reason=f"The champion is {model_id} now.", at=at)


def refuse(w: Writer, model_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Keep a challenger from deciding, with the sentence that says why."""
    w.execute(
        "UPDATE models SET status = ? WHERE model_id = ? AND status = ?", [REFUSED, model_id, CHALLENGER]
    )
    payload = {"model_id": model_id, "reason": reason}
    w.event(EventDraft(by, "model.refused", f"model:{model_id}", payload), at)
    for trial in trials.running(w):
        if trial.model_id == model_id:
            trials.stop(w, trial.trial_id, by=by, reason=f"{model_id} was turned down.", at=at)


def sign_off(
    w: Writer, model_id: str, *, by: str, reason: str, at: datetime, folder: Path, least_flips: int = 0
) -> None:
    """Promote a challenger that passed its gates, by someone who did not ask for it and has opened `least_flips` of
    its flips (all where there are fewer), or bring back a retired one. ConflictError where its files in the folder of
    all models cannot be loaded."""
    _check_signer(w, model_id, by)
    known = one(w, model_id)
    if known["status"] == CHALLENGER:
        flips.check_opened(w, model_id, known["record"].get("flips") or [], by, least_flips)
    _check_files(w, model_id, folder)
    promote(w, model_id, by=by, reason=reason_of(reason, "a sign-off"), at=at)


def turn_down(w: Writer, model_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Refuse a challenger that waits for a sign-off, although it passed its gates."""
    _check_waiting(w, model_id, (CHALLENGER,))
    refuse(w, model_id, by=by, reason=reason_of(reason, "turning a model down"), at=at)


def can_roll_back(source: Ledger | Writer) -> bool:
    """Whether a model decided before the champion, so that one step back leads to it."""
    return bool(predecessor(source, champion_id(source)))


def roll_back(w: Writer, *, by: str, reason: str, at: datetime, folder: Path) -> str:
    """Have the champion before decide again, in one step and without a second person: it has decided before. Returns
    its id. ConflictError where there was none, or where its files in the folder of all models cannot be loaded."""
    now = champion_id(w)
    before = predecessor(w, now) if now else ""
    if not before:
        raise ConflictError(
            "there is no model before this one",
            where=now or "models",
            hint="Turn the kill switch on: then rules decide and no model.",
        )
    _check_files(w, before, folder)
    promote(w, before, by=by, reason=reason_of(reason, "a rollback"), at=at, rollback=True)
    return before


def _check_files(w: Writer, model_id: str, folder: Path) -> None:
    """ConflictError unless the model can be loaded and is the one on record: who decides cannot do without."""
    digest = one(w, model_id)["files_sha256"]
    try:
        registry.load(folder / model_id, manifest_sha256=digest)
    except (NotFoundError, registry.ModelAlteredError, OSError) as problem:
        raise ConflictError(
            "the files of this model are missing or not those on record, so the champion stays",
            where=model_id,
            hint="Put its folder back from a backup, or turn the kill switch on: then rules decide and no model.",
        ) from problem


def _check_signer(w: Writer, model_id: str, by: str) -> None:
    known = _check_waiting(w, model_id, (CHALLENGER, RETIRED))
    if known["requested_by"] == by:
        raise PermissionDenied(
            "you asked for this model, so someone else must sign it off",
            where=model_id,
            hint="Ask another risk manager.",
        )


def _check_waiting(w: Writer, model_id: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    known = standing(w, model_id)
    if known is None:
        raise NotFoundError("there is no such model", where=model_id)
    if known["status"] not in allowed:
        raise ConflictError(
            f"a {known['status']} model cannot be promoted", where=model_id, allowed=", ".join(allowed)
        )
    return known


def table(ledger: Ledger | Writer) -> list[dict[str, Any]]:
    """Every model, newest first: id, status, when, who asked, who let it decide and when, metrics, gates, the judged
    record, and the digests of its files (`card_files` by name; none for a model from before cards were on record)."""
    rows = ledger.read(
        "SELECT model_id, status, created_at, requested_by, files_sha256, approved_by, approved_at, approval, "
        "rolled_back, manifest FROM models "
        "ORDER BY created_at DESC"
    )
    return [_row(row) for row in rows]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in row.items() if name != "manifest"}
    return {**columns, "card_files": {}, **json.loads(row["manifest"])}


def one(ledger: Ledger | Writer, model_id: str) -> dict[str, Any]:
    """One model's row of `table`; NotFoundError if there is none."""
    found = [row for row in table(ledger) if row["model_id"] == model_id]
    if not found:
        raise NotFoundError("there is no such model", where=model_id)
    return found[0]
