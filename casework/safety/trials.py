"""Which other settings are tried on live traffic, as a shadow or for a share of an entity, and who started that?

A shadow may be any sound set, since nobody obeys it. A rollout decides real payments, so its settings are an approved
set, a candidate that somebody else added, or a trained model that was not refused. Features stay those of the set that
decides: both arms share one memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from casework.safety.naming import new_id, reason_of
from data import approved
from data.canonical import canonical_json
from data.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

SHADOW, ROLLOUT = "shadow", "rollout"
MOST_SHADOWS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """One running trial. `set_id` and `model_id` name what is tried, '' for that which decides."""

    trial_id: str
    kind: str
    name: str
    set_id: str
    model_id: str
    entity: str
    share: float
    started_by: str
    started_at: datetime


def keep_candidate(w: Writer, files: Mapping[str, bytes], *, by: str, reason: str, at: datetime) -> str:
    """Store a set so that it can be tried; returns its set_id. The same set keeps whoever added it first."""
    set_id = approved.set_id_of(files)
    if w.read("SELECT 1 FROM candidate_sets WHERE set_id = ?", [set_id]):
        return set_id
    hashes = approved.keep(w, files, at)
    payload = {"set_id": set_id, "files": hashes, "reason": reason}
    w.event(EventDraft(by, "candidate.added", f"set:{set_id}", payload), at)
    row = {"set_id": set_id, "files": canonical_json(hashes).decode(), "added_by": by, "added_at": at}
    w.insert("candidate_sets", [{**row, "reason": reason}])
    return set_id


def files_of(ledger: Ledger, set_id: str) -> dict[str, bytes]:
    """The files of an approved set or of a candidate. NotFoundError for an unknown id."""
    try:
        return dict(approved.load(ledger, set_id).files)
    except NotFoundError:
        rows = ledger.read("SELECT files FROM candidate_sets WHERE set_id = ?", [set_id])
        if not rows:
            raise
        hashes: dict[str, str] = orjson.loads(rows[0]["files"])
        held = approved.contents(ledger, hashes.values())
        return {path: held[sha256] for path, sha256 in hashes.items()}


def start(w: Writer, wanted: Trial, *, reason: str, at: datetime) -> None:
    """Begin a trial. ConflictError beyond the most there may be; see `check_rollout` for who may."""
    why = reason_of(reason, "a trial")
    same = [trial for trial in running(w) if trial.kind == wanted.kind]
    if wanted.kind == ROLLOUT and same:
        raise ConflictError("a rollout runs already", where=same[0].trial_id, hint="Stop it first.")
    if wanted.kind == SHADOW and len(same) >= MOST_SHADOWS:
        raise ConflictError(f"{MOST_SHADOWS} shadows run already", hint="Stop one first.")
    if any(trial.set_id == wanted.set_id and trial.model_id == wanted.model_id for trial in same):
        raise ConflictError("this runs already", where=wanted.set_id or wanted.model_id)
    row = {name: getattr(wanted, name) for name in Trial.__dataclass_fields__}
    w.event(
        EventDraft(wanted.started_by, "trial.started", f"trial:{wanted.trial_id}", {**row, "reason": why}), at
    )
    w.insert("trials", [{**row, "reason": why, "stopped_by": "", "stopped_reason": ""}])


def stop(w: Writer, trial_id: str, *, by: str, reason: str, at: datetime) -> None:
    """End a trial at once. NotFoundError, ConflictError if it has ended, InputError without a reason."""
    why = reason_of(reason, "stopping a trial")
    rows = w.read("SELECT stopped_at FROM trials WHERE trial_id = ?", [trial_id])
    if not rows:
        raise NotFoundError("there is no such trial", where=trial_id)
    if rows[0]["stopped_at"] is not None:
        raise ConflictError("this trial has ended already", where=trial_id)
    w.event(EventDraft(by, "trial.stopped", f"trial:{trial_id}", {"reason": why}), at)
    w.execute(
        "UPDATE trials SET stopped_at = ?, stopped_by = ?, stopped_reason = ? WHERE trial_id = ?",
        [at, by, why, trial_id],
    )


def running(source: Ledger | Writer) -> list[Trial]:
    """Trials that nobody has stopped, oldest first."""
    columns = ", ".join(Trial.__dataclass_fields__)
    rows = source.read(f"SELECT {columns} FROM trials WHERE stopped_at IS NULL ORDER BY started_at, trial_id")
    return [Trial(**row) for row in rows]


def check_shadowed_model(source: Ledger, model_id: str) -> None:
    """Any model on record may answer as a shadow, also a refused one, but for the champion, whose answer is the
    decision. InputError otherwise."""
    rows = source.read("SELECT status FROM models WHERE model_id = ?", [model_id])
    if not rows or rows[0]["status"] == "champion":
        raise InputError(
            f"{model_id[:64]} cannot be a shadow",
            where="model_id",
            allowed="a model on record that does not decide",
        )


def check_rollout(source: Ledger, set_id: str, model_id: str, by: str) -> None:
    """Whether this person may let these settings decide: InputError if they are neither an approved set nor a
    candidate nor a usable model, PermissionDenied to whoever added the candidate or asked for the model."""
    if bool(set_id) == bool(model_id):
        raise InputError("give either a set or a model", where="set_id", allowed="set_id or model_id")
    if model_id:
        rows = source.read("SELECT status, requested_by AS by FROM models WHERE model_id = ?", [model_id])
        usable = bool(rows) and rows[0]["status"] in ("challenger", "retired")
        what, allowed = (
            f"{model_id[:64]} cannot decide",
            "a challenger that was not refused, or a retired model",
        )
    elif source.read("SELECT 1 FROM approved_sets WHERE set_id = ? LIMIT 1", [set_id]):
        return
    else:
        rows = source.read("SELECT added_by AS by FROM candidate_sets WHERE set_id = ?", [set_id])
        usable, what, allowed = bool(rows), f"{set_id[:64]} is not known", "an approved set or a candidate"
    if not usable:
        raise InputError(what, where="rollout", allowed=allowed)
    if rows[0]["by"] == by:
        raise PermissionDenied(
            "what you proposed decides payments only when somebody else starts it",
            where=set_id or model_id,
            hint="Ask another risk manager.",
        )


def trial_id(kind: str, set_id: str, model_id: str, at: datetime) -> str:
    return new_id(kind, set_id, model_id, at.isoformat())
