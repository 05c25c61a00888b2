"""Which retrain runs were there, who asked for each and why, and what came of it?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.learning.registry import models
from data.errors import NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

RUNNING, PROMOTED, REFUSED, WAITING = "running", "promoted", "refused", "waits_for_sign_off"
FAILED, CANCELLED = "failed", "cancelled"
TRIGGERS = ("schedule", "labels", "drift", "person")


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants a retrain and why. `trigger` is one of TRIGGERS; `search_seconds` how long to search for better
    settings first (0: train with the policy's)."""

    trigger: str
    by: str
    reason: str = ""
    search_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a run: its result, the sentence that says why, and what the child found out (JSON)."""

    result: str
    sentence: str
    found: Mapping[str, Any]
    cancelled_by: str = ""


def begin(ledger: Ledger, request: Request, at: datetime) -> str:
    """Put a run on record as running; its id."""
    run_id = "run_" + secrets.token_hex(6)
    row = {
        "run_id": run_id,
        "trigger": request.trigger,
        "requested_by": request.by,
        "started_at": at,
        "finished_at": None,
        "result": RUNNING,
        "sentence": "",
        "champion_id": models.champion_id(ledger),
        "challenger_id": "",
        "gates": "[]",
        "reason": request.reason,
        "cancelled_by": "",
    }
    payload = {**row, "search_seconds": request.search_seconds}
    with ledger.writing() as w:
        w.insert("retrains", [row])
        w.event(EventDraft(request.by, "retrain.started", f"retrain:{run_id}", payload), at)
    return run_id


def finish(w: Writer, run_id: str, by: str, ending: Ending, at: datetime) -> None:
    """Put on record what came of a run."""
    answers, challenger = ending.found.get("gates", []), str(ending.found.get("model_id", ""))
    w.execute(
        "UPDATE retrains SET finished_at = ?, result = ?, sentence = ?, challenger_id = ?, gates = ?, "
        "cancelled_by = ? WHERE run_id = ?",
        [at, ending.result, ending.sentence, challenger, json.dumps(answers), ending.cancelled_by, run_id],
    )
    payload = {
        "run_id": run_id,
        "result": ending.result,
        "sentence": ending.sentence,
        "challenger_id": challenger,
        "gates": answers,
        "cancelled_by": ending.cancelled_by,
    }
    w.event(EventDraft(by, "retrain.finished", f"retrain:{run_id}", payload), at)


def unfinished(ledger: Ledger) -> list[str]:
    """Runs that are on record as running, by id."""
    return [row["run_id"] for row in ledger.read("SELECT run_id FROM retrains WHERE result = ?", [RUNNING])]


def table(ledger: Ledger, limit: int = 50) -> list[dict[str, Any]]:
    """The latest runs, newest first, gates parsed."""
    rows = ledger.read("SELECT * FROM retrains ORDER BY started_at DESC LIMIT ?", [limit])
    return [{**row, "gates": json.loads(row["gates"])} for row in rows]


def one(ledger: Ledger, run_id: str) -> dict[str, Any]:
    """One run's row of `table`; NotFoundError if there is none."""
    rows = ledger.read("SELECT * FROM retrains WHERE run_id = ?", [run_id])
    if not rows:
        raise NotFoundError("there is no such retrain", where=run_id[:64])
    return {**rows[0], "gates": json.loads(rows[0]["gates"])}


def last_started(ledger: Ledger) -> datetime | None:
    """When the latest run began, whatever came of it."""
    return ledger.read("SELECT max(started_at) AS at FROM retrains")[0]["at"]
