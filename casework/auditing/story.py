"""What is the whole story of one decision, from what went in to which models learned from it?"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from casework.auditing import as_of, learned
from casework.cases import dossiers
from casework.deciding import decision_pages
from casework.learning.labels import label_report
from casework.people.permissions import Person
from casework.review import tasks
from casework.review.review_design import BLIND_FIRST
from data import approved, said
from data.errors import NotFoundError
from data.ledger import Ledger

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
_TASKS = """
    SELECT task_id, case_id, dossier_id, kind, lane, queue, status, arm, probability, created_at, done_at, claimed_by
    FROM tasks WHERE transaction_seq = ? ORDER BY created_at, coalesce(done_at, deadline), task_id
"""
_VERDICTS = """
    SELECT v.verdict_id, v.task_id, v.reviewer, v.value, v.typology, v.reason_code, v.note, v.confidence, v.seconds,
           v.guideline_version, v.arm, v.corrections, v.flags, v.given_at, v.undone_at, v.event_seq,
           x.voided_at, x.voided_by, x.reason AS void_reason
    FROM verdicts v LEFT JOIN voided_verdicts x USING (verdict_id)
    WHERE v.transaction_seq = ? ORDER BY v.given_at, v.event_seq
"""
_DOSSIER = "SELECT dossier_id, sha256, created_at FROM dossiers WHERE transaction_seq = ?"
_PARTS = "SELECT dossier_id, part, sha256, created_at FROM dossier_parts WHERE transaction_seq = ? ORDER BY created_at"
_STEPS = """
    SELECT seq, recorded_at, actor, kind, subject, payload, commitments FROM events
    WHERE recorded_at >= ? AND list_contains(?, kind) AND list_contains(CAST(? AS VARCHAR[]), subject) ORDER BY seq
"""
_KINDS = [
    "task.claimed",
    "task.released",
    "task.lock_expired",
    "personal.unmasked",
    "dossier.extended",
    "verdict.revised",
]
_DISPOSITIONS = """
    SELECT value, reason, actor, "at", case_id FROM dispositions WHERE transaction_seq = ? ORDER BY disposition_seq
"""
_OUTCOMES = """
    SELECT is_fraud, known_at, source, reason_code, recorded_at FROM outcomes WHERE transaction_seq = ?
    ORDER BY known_at, recorded_at
"""


def story(app: App, seq: int | None, transaction_id: str, person: Person, at: datetime) -> JSON:
    """The dossier of a decision: what was answered and why (`decision`), the rules with their versions and who brought
    each in, the set and its approval, the model and what it was taught, the tasks with what each reviewer was shown
    and said, what became of the payment, what is believed of it at `at`, and the models that learned from it.

    NotFoundError where there is no decision.
    """
    ledger = app.ledger
    page = decision_pages.decision_page(app, seq, transaction_id, person)
    found = page["seq"]
    decided_at = datetime.fromisoformat(page["decided_at"])
    return {
        "decision": page,
        "set": _set(ledger, page["set_id"], decided_at),
        "rules": _rules(ledger, page, decided_at),
        "model": learned.model(app, page["model_id"]) if page["model_id"] else None,
        "reviews": _reviews(ledger, found),
        "dispositions": ledger.read(_DISPOSITIONS, [found]),
        "outcomes": ledger.read(_OUTCOMES, [found]),
        "label": label_report.of_one(ledger, app.live.settings.policy, found, at),
        "learned_by": learned.by_models(app, found),
        "at": at,
    }


def display(app: App, task_id: str) -> JSON:
    """What the task's page showed: the stored dossier as its display arm showed it before the verdict, each part that
    was opened, and the hash under which each is kept. NotFoundError for an unknown task."""
    task = tasks.find(app.ledger, task_id)
    rows = app.ledger.read(
        "SELECT sha256 FROM dossiers WHERE transaction_seq = ? AND dossier_id = ?",
        [task.transaction_seq, task.dossier_id],
    )
    shown = dossiers.for_arm(dossiers.load(app.ledger, task.dossier_id, task.transaction_seq), task.arm)
    parts = app.ledger.read(
        "SELECT part, content, sha256, created_at FROM dossier_parts WHERE transaction_seq = ? AND dossier_id = ? "
        "ORDER BY created_at",
        [task.transaction_seq, task.dossier_id],
    )
    return {
        "task_id": task_id,
        "arm": task.arm,
        "dossier_id": task.dossier_id,
        "sha256": rows[0]["sha256"],
        "shown": shown,
        "parts": [{**row, "content": orjson.loads(bytes(row["content"]))} for row in parts],
    }


def _set(ledger: Ledger, set_id: str, decided_at: datetime) -> JSON:
    """The approval under which the set decided; one that was only tried has none."""
    rows = ledger.read(
        "SELECT set_id, approved_by, approved_at, reason, event_seq FROM approved_sets "
        "WHERE set_id = ? AND approved_at <= ? ORDER BY event_seq DESC LIMIT 1",
        [set_id, decided_at],
    )
    made = ledger.read(
        "SELECT proposal_id, author, origin, reason FROM proposals WHERE set_id = ? AND status = 'approved' "
        "ORDER BY event_seq DESC LIMIT 1",
        [set_id],
    )
    return {"set_id": set_id, "approval": rows[0] if rows else None, "proposal": made[0] if made else None}


def _rules(ledger: Ledger, page: JSON, decided_at: datetime) -> list[JSON]:
    """The rules as they answered, each with the hash of its text and the approval that brought that text in."""
    try:
        files = approved.load(ledger, page["set_id"]).files
    except NotFoundError:
        return list(page["rules"])
    hashes = as_of.hashes_of(files)
    known = {
        row["id"]: row
        for row in as_of.rules_of(ledger, hashes, {hashes[p]: c for p, c in files.items()}, decided_at)
    }
    return [{**known.get(rule["id"], {}), **rule} for rule in page["rules"]]


def _reviews(ledger: Ledger, seq: int) -> list[JSON]:
    """A row a task: how it was drawn, who held it when, what was shown and opened, and the verdict given on it."""
    rows = ledger.read(_TASKS, [seq])
    if not rows:
        return []
    digests = {row["dossier_id"]: row["sha256"] for row in ledger.read(_DOSSIER, [seq])}
    parts = ledger.read(_PARTS, [seq])
    verdicts = ledger.read(_VERDICTS, [seq])
    subjects = [f"task:{row['task_id']}" for row in rows] + [f"verdict:{v['verdict_id']}" for v in verdicts]
    found = ledger.read(_STEPS, [rows[0]["created_at"], _KINDS, subjects])
    steps = [row | words for row, words in zip(found, said.reasons(ledger, found), strict=True)]
    return [
        {
            **row,
            "dossier_sha256": digests.get(row["dossier_id"], ""),
            "shown": _shown(ledger, row, seq),
            "parts": [part for part in parts if part["dossier_id"] == row["dossier_id"]],
            "steps": [_step(step) for step in steps if step["subject"] == f"task:{row['task_id']}"],
            "verdicts": [each for each in verdicts if each["task_id"] == row["task_id"]],
        }
        for row in rows
    ]


def _shown(ledger: Ledger, task: JSON, seq: int) -> JSON:
    """In short: whether score, explanation and rules were on the page before the verdict, and which guideline was."""
    dossier = dossiers.stored(ledger, task["dossier_id"], seq)
    earlier = dossier.pop("earlier", {}).get("seqs")
    page = dossiers.for_arm({"history": earlier, **dossier}, task["arm"])
    return {
        "decides_first": task["arm"] == BLIND_FIRST,
        "probability": page["probability"],
        "explanation": page["explanation"] is not None,
        "rules": [rule["id"] for rule in page["rules"]],
        "guideline_version": page["guideline"]["version"],
        "history": len(page["history"]),
        "masked": sorted(page["transaction"].get("personal_masked") or {}),
    }


def _step(row: JSON) -> JSON:
    payload = {"reason": row.get("reason"), **orjson.loads(row["payload"])}
    told = {name: payload[name] for name in ("field", "reason", "part", "held_by") if payload.get(name)}
    return {
        "event_seq": row["seq"],
        "at": row["recorded_at"],
        "by": row["actor"],
        "kind": row["kind"],
        **told,
    }
