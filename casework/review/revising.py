"""What does a reviewer who judged blind say after seeing what the engine thinks?

The blind verdict stays as it was given: agreement, labels and figures of people rest on it. The second thought is kept
beside it, also where it changes nothing, and it is what settles the payment, as long as nobody has built on the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from casework.cases import cases, settling
from casework.cases.revealing import UNDO_WITHIN, was_read
from casework.review import adjudication, tasks
from casework.review.review_design import ADJUDICATION, BLIND_FIRST, REPEATED_KINDS
from casework.review.tasks import Task
from casework.review.verdicts import CONFIDENCES, LONGEST_NOTE, VALUES, Verdict, find
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.writer import Writer
from engine.policy import Policy


@dataclass(frozen=True, slots=True)
class SecondThought:
    """What was said once the score was seen; the same value says that one stays with it."""

    value: str
    confidence: str = ""
    note: str = ""

    def check(self) -> None:
        """InputError for the first field that cannot be accepted."""
        if self.value not in VALUES:
            raise InputError(f"'{self.value}' is not a verdict", where="value", allowed=", ".join(VALUES))
        if self.confidence not in CONFIDENCES:
            allowed = ", ".join(CONFIDENCES[1:])
            raise InputError(f"'{self.confidence}' is not a confidence", where="confidence", allowed=allowed)
        if len(self.note) > LONGEST_NOTE:
            raise InputError("'note' is too long", where="note", allowed=f"{LONGEST_NOTE} characters")


def revise(
    w: Writer, verdict_id: str, reviewer: str, said: SecondThought, policy: Policy, at: datetime
) -> dict[str, Any]:
    """Keep the second thought on one's own blind verdict, and settle the payment by it where it differs.

    NotFoundError where there is no such verdict of this person; ConflictError for one given with the score on screen,
    undone, revised already, or too long ago, and where the engine's opinion was not opened yet: then undo is still
    there. Returns the row that was kept.
    """
    said.check()
    verdict = find(w, verdict_id)
    if verdict.reviewer != reviewer:
        raise NotFoundError("there is no such verdict of yours", where=verdict_id)
    _check(w, verdict, at)
    row = {
        "verdict_id": verdict_id,
        "task_id": verdict.task_id,
        "case_id": verdict.case_id,
        "transaction_seq": verdict.transaction_seq,
        "reviewer": reviewer,
        "was": verdict.value,
        "value": said.value,
        "confidence": said.confidence,
        "note": said.note,
        "seconds": (at - verdict.given_at).total_seconds(),
        "given_at": at,
    }
    w.insert("revisions", [row])
    payload = {name: value for name, value in row.items() if name not in ("note", "reviewer", "seconds")}
    personal = {"seconds": repr(row["seconds"])} | ({"note": said.note} if said.note else {})
    w.event(EventDraft(reviewer, "verdict.revised", f"verdict:{verdict_id}", payload, personal), at)
    if said.value != verdict.value:
        _settle_anew(w, verdict, said.value, policy, at)
    return row


def _check(w: Writer, verdict: Verdict, at: datetime) -> None:
    where = verdict.verdict_id
    if verdict.arm != BLIND_FIRST or verdict.undone_at is not None:
        raise ConflictError(
            "only a verdict that was given before the score was seen has a second thought", where=where
        )
    if not was_read(w, where, verdict.event_seq):
        raise ConflictError(
            "look at what the engine thinks first", where=where, hint="Open the answered task."
        )
    if at - verdict.given_at > UNDO_WITHIN:
        raise ConflictError(
            "it is too late for a second thought", where=where, allowed=f"within {UNDO_WITHIN}"
        )
    if w.read("SELECT 1 FROM revisions WHERE verdict_id = ?", [where]):
        raise ConflictError("your second thought is on record already", where=where)


def _settle_anew(w: Writer, verdict: Verdict, value: str, policy: Policy, at: datetime) -> None:
    """Take back what followed from the first value and settle by the second, unless somebody has built on the first."""
    task = tasks.find(w, verdict.task_id)
    if not verdict.case_id or task.kind in REPEATED_KINDS or _built_on(w, task):
        return
    adjudication.withdraw(w, task, "a reviewer thought again after seeing the score", at)
    case = replace(cases.find(w, verdict.case_id), transaction_seq=verdict.transaction_seq)
    if any(row["settled_at"] for row in _payment(w, case)):
        settling.unsettle(w, case, "a reviewer thought again after seeing the score", verdict.reviewer, at)
    others = adjudication.progress(w, task, without=task.task_id)
    given = {"verdict_id": verdict.verdict_id, "reviewer": verdict.reviewer, "value": value}
    adjudication.settle(w, task, given, others, policy, at)


def _payment(w: Writer, case: cases.Case) -> list[dict[str, Any]]:
    return [row for row in cases.payments(w, case.case_id) if row["transaction_seq"] == case.transaction_seq]


def _built_on(w: Writer, task: Task) -> bool:
    """Whether an adjudicator is at work, or others have settled the payment together with this verdict."""
    return bool(
        w.read(
            "SELECT 1 FROM tasks t LEFT JOIN cases c ON c.case_id = t.case_id WHERE t.transaction_seq = ? "
            "AND t.task_id <> ? AND ((t.kind = ? AND t.status IN ('claimed', 'done')) "
            "OR (t.status = 'done' AND c.status = ?)) LIMIT 1",
            [task.transaction_seq, task.task_id, ADJUDICATION, cases.CLOSED],
        )
    )
