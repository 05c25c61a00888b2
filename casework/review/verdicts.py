"""What did a person conclude, on what grounds, in how many seconds, and can it be taken back?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from casework.cases import cases, dossiers, revealing, settling
from casework.cases.revealing import UNDO_WITHIN
from casework.review import adjudication, flags, looking_time, stale, tasks, verdict_codes
from casework.review.review_design import ADJUDICATION, REPEATED_KINDS, TRAINING
from casework.review.tasks import Task
from data.canonical import canonical_json
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

CONFIRMED_FRAUD, LEGITIMATE, INCONCLUSIVE = "confirmed_fraud", "legitimate", "inconclusive"
VALUES = (CONFIRMED_FRAUD, LEGITIMATE, INCONCLUSIVE)
CONFIDENCES = ("", "certain", "high", "medium", "low")
STANDING = """(SELECT * FROM verdicts WHERE undone_at IS NULL
    AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts))"""
"""In SQL, the verdicts that count: neither taken back nor declared void."""
DESERVED = ("", "yes", "no")
LONGEST_NOTE, LONGEST_CODE = 4000, 80


@dataclass(frozen=True, slots=True)
class VerdictForm:
    """What the reviewer filled in. `corrections` maps a wrong input's name to what it should be; `flags` are
    of flags.KINDS; `deserved` says whether the alert was worth a review, whatever the verdict; `loss_minor` is the
    amount at loss in minor units of the base currency, where it differs from the payment's. Seconds are not asked:
    they are counted from the claim. `known` are the typologies that the institution's rules name."""

    value: str
    typology: str = ""
    reason_code: str = ""
    note: str = ""
    confidence: str = ""
    corrections: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    deserved: str = ""
    loss_minor: int | None = None
    known: frozenset[str] = frozenset()

    def check(self) -> None:
        """InputError for the first field that cannot be accepted."""
        if self.value not in VALUES:
            raise InputError(f"'{self.value}' is not a verdict", where="value", allowed=", ".join(VALUES))
        if self.confidence not in CONFIDENCES:
            allowed = ", ".join(CONFIDENCES[1:])
            raise InputError(f"'{self.confidence}' is not a confidence", where="confidence", allowed=allowed)
        for flag in self.flags:
            if flag not in flags.KINDS:
                raise InputError(f"'{flag}' is not a flag", where="flags", allowed=", ".join(flags.KINDS))
        if self.deserved not in DESERVED:
            raise InputError(f"'{self.deserved}' is not an answer", where="deserved", allowed="yes, no")
        for name, longest in (
            ("note", LONGEST_NOTE),
            ("typology", LONGEST_CODE),
            ("reason_code", LONGEST_CODE),
        ):
            if len(getattr(self, name)) > longest:
                raise InputError(f"'{name}' is too long", where=name, allowed=f"{longest} characters")
        if len(canonical_json(self.corrections)) > LONGEST_NOTE:
            raise InputError(
                "'corrections' is too long", where="corrections", allowed=f"{LONGEST_NOTE} characters"
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's immutable conclusion on one task. `case_status` is the case's state after it."""

    verdict_id: str
    task_id: str
    case_id: str
    transaction_seq: int
    task_kind: str
    lane: str
    reviewer: str
    value: str
    typology: str
    reason_code: str
    note: str
    confidence: str
    seconds: float
    guideline_version: str
    arm: str
    corrections: str
    flags: tuple[str, ...]
    given_at: datetime
    event_seq: int
    undone_at: datetime | None = None
    deserved: str = ""
    loss_minor: int | None = None
    idle_seconds: float = 0.0
    applied_from: str = ""

    def as_json(self) -> dict[str, Any]:
        """What the reviewer may see of it: nothing that tells the kind of task or its lane."""
        hidden = ("task_kind", "lane", "event_seq", "transaction_seq", "case_id")
        return {name: value for name, value in asdict(self).items() if name not in hidden}


def give(
    w: Writer,
    task_id: str,
    reviewer: str,
    form: VerdictForm,
    policy: Policy,
    at: datetime,
    *,
    applied_from: str = "",
    seen: str | None = None,
) -> Verdict:
    """Record a verdict on a task that the reviewer holds, and draw the consequences for its case.

    ConflictError if the reviewer does not hold the task (somebody else took it, it is done, it expired).
    `seconds` counts from the claim to `at`, idle time included, which is kept apart. Note, corrections, and a
    typology or reason in words of one's own go into the chain as commitments: they may have to be erased.
    `applied_from` names the verdict this one repeats. `seen` is the version of the page that was read (see stale):
    ConflictError when the case changed since.
    """
    form.check()
    task = tasks.held(w, task_id, reviewer)
    if not applied_from:
        looking_time.check(task, policy, at)
    stale.check(w, task, seen)
    others = adjudication.progress(w, task, without=task_id)
    row = _row(w, task, reviewer, form, at)
    row |= {"idle_seconds": tasks.idle_at(task, policy, at), "applied_from": applied_from}
    w.execute(
        "UPDATE tasks SET status = 'done', done_at = ?, lock_expires_at = NULL WHERE task_id = ?",
        [at, task_id],
    )
    w.execute("DELETE FROM drafts WHERE task_id = ?", [task_id])
    seq = w.event(_event(row, form), at)
    verdict = Verdict(**row, event_seq=seq)
    w.insert("verdicts", [asdict(verdict) | {"flags": list(verdict.flags)}])
    flags.raise_from(w, row, at)
    adjudication.settle(w, task, row, others, policy, at)
    return verdict


def undo(w: Writer, verdict_id: str, reviewer: str, policy: Policy, at: datetime) -> Task:
    """Take one's own verdict back and hold its task again, with the clock started anew.

    NotFoundError where there is no such verdict of this person; ConflictError when it is too late: after
    UNDO_WITHIN, or when somebody else's verdict has since been shown to this person, adjudication has begun, or
    the person has since read the decision or the case (or judged blind, and has read the engine's opinion). So what
    follows an undo is as blind as before.
    """
    verdict = find(w, verdict_id)
    if verdict.reviewer != reviewer:
        raise NotFoundError("there is no such verdict of yours", where=verdict_id)
    task = tasks.find(w, verdict.task_id)
    _check_undo(w, verdict, task, at)
    w.execute("UPDATE verdicts SET undone_at = ? WHERE verdict_id = ?", [at, verdict_id])
    payload = {"value": verdict.value, "task_id": verdict.task_id, "arm": task.arm}
    w.event(EventDraft(reviewer, "verdict.undone", f"verdict:{verdict_id}", payload), at)
    flags.withdraw(w, verdict_id, reviewer, at)
    adjudication.withdraw(w, task, "a verdict was undone", at)
    if verdict.case_id:
        case = replace(cases.find(w, verdict.case_id), transaction_seq=verdict.transaction_seq)
        settling.unsettle(w, case, "a verdict was undone", reviewer, at)
    return tasks.lock(w, task, reviewer, policy, at)


def find(source: Ledger | Writer, verdict_id: str) -> Verdict:
    """The verdict; NotFoundError if there is none of that id."""
    rows = source.read("SELECT * FROM verdicts WHERE verdict_id = ?", [verdict_id])
    if not rows:
        raise NotFoundError("there is no such verdict", where=verdict_id)
    return Verdict(**{**rows[0], "flags": tuple(rows[0]["flags"])})


def _row(w: Writer, task: Task, reviewer: str, form: VerdictForm, at: datetime) -> dict[str, Any]:
    began = task.claimed_at or at
    name = hashlib.sha256(f"{task.task_id}:{reviewer}:{at.isoformat()}".encode()).hexdigest()[:16]
    return {
        "verdict_id": f"verdict_{name}",
        "task_id": task.task_id,
        "case_id": task.case_id,
        "transaction_seq": task.transaction_seq,
        "task_kind": task.kind,
        "lane": task.lane,
        "reviewer": reviewer,
        "value": form.value,
        "typology": form.typology,
        "reason_code": form.reason_code,
        "note": form.note,
        "confidence": form.confidence,
        "seconds": max((at - began).total_seconds(), 0.0),
        "guideline_version": _guideline(w, task),
        "arm": task.arm,
        "corrections": canonical_json(form.corrections).decode(),
        "flags": tuple(dict.fromkeys(form.flags)),
        "given_at": at,
        "deserved": form.deserved,
        "loss_minor": form.loss_minor,
    }


def _guideline(w: Writer, task: Task) -> str:
    shown = dossiers.stored(w, task.dossier_id, task.transaction_seq)
    return str(shown.get("guideline", {}).get("version", ""))


_ERASABLE = ("note", "corrections", "verdict_id", "reviewer", "seconds", "idle_seconds")


def _event(row: Mapping[str, Any], form: VerdictForm) -> EventDraft:
    own_words = verdict_codes.own_words(row, form.known)
    payload = {name: value for name, value in row.items() if name not in (*_ERASABLE, *own_words)}
    # Handling times are about a person, and are kept for a shorter time than the record.
    personal = {name: repr(row[name]) for name in ("seconds", "idle_seconds") if row.get(name) is not None}
    personal |= {"note": form.note} if form.note else {}
    personal |= {"corrections": row["corrections"]} if form.corrections else {}
    personal |= own_words
    subject = f"verdict:{row['verdict_id']}"
    return EventDraft(
        row["reviewer"], "verdict.given", subject, {**payload, "flags": list(row["flags"])}, personal
    )


def _check_undo(w: Writer, verdict: Verdict, task: Task, at: datetime) -> None:
    late = "it can no longer be undone"
    hint = "Tell a team lead: a disposition or a new case can still correct the payment."
    if verdict.undone_at is not None:
        raise ConflictError("this verdict was undone already", where=verdict.verdict_id)
    if at - verdict.given_at > UNDO_WITHIN:
        raise ConflictError(late, where=verdict.verdict_id, allowed=f"within {UNDO_WITHIN}", hint=hint)
    if revealing.was_read(w, verdict.verdict_id, verdict.event_seq):
        seen = (
            "you have read what the engine thinks, or what became of the payment, since you judged it, so it can no "
            "longer be undone"
        )
        raise ConflictError(seen, where=verdict.verdict_id, hint=hint)
    if task.kind == TRAINING:
        raise ConflictError(
            "what is right was shown, so it can no longer be undone", where=verdict.verdict_id
        )
    if task.kind in REPEATED_KINDS:
        return
    others = w.read(
        "SELECT count(*) AS n FROM tasks t LEFT JOIN cases c ON c.case_id = t.case_id "
        "WHERE t.transaction_seq = ? AND t.task_id <> ? AND ("
        "(t.kind = ? AND t.status IN ('claimed', 'done')) OR (t.status = 'done' AND c.status = ?))",
        [verdict.transaction_seq, verdict.task_id, ADJUDICATION, cases.CLOSED],
    )[0]["n"]
    if others or task.status != tasks.DONE:
        raise ConflictError(late, where=verdict.verdict_id, hint=hint)
