"""Do the verdicts on a transaction settle it, and if not, who decides?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from casework.cases import cases, dispositions, dossiers, settling
from casework.cases.cases import CASE_OPEN, IN_ADJUDICATION
from casework.review import tasks
from casework.review.lanes import ADJUDICATION_LANE
from casework.review.review_design import ADJUDICATION, REPEATED_KINDS, SCORE_SHOWN
from casework.review.tasks import Task
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

INCONCLUSIVE = "inconclusive"
_OF_SAME = "t.transaction_seq = ? AND t.case_id = ?"
# Plain queries: DuckDB takes longer to plan their join than to run them all.
_TASKS = (
    "SELECT task_id, kind, status FROM tasks WHERE transaction_seq = ? AND case_id = ? "
    f"AND kind NOT IN {REPEATED_KINDS}"
)
_GIVEN = f"""
    SELECT verdict_id, task_id, task_kind, reviewer, typology, reason_code, note, confidence, seconds, arm, event_seq,
           value
    FROM verdicts WHERE transaction_seq = ? AND case_id = ? AND undone_at IS NULL AND task_kind NOT IN {REPEATED_KINDS}
"""
_REVISED = "SELECT verdict_id, value FROM revisions WHERE transaction_seq = ?"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the review of one transaction has come: verdicts that were not undone, oldest first, whether
    anybody still has a task on it, and whether an adjudicator has settled it."""

    given: tuple[dict[str, Any], ...]
    at_work: bool
    adjudicated: bool = False


def progress(source: Ledger | Writer, task: Task, *, without: str = "") -> Progress:
    """How far the review of a task's transaction has come, the task `without` left out of account."""
    rows, given = source.read(_TASKS, _same(task)), source.read(_GIVEN, _same(task))
    others = sorted((v for v in given if v["task_id"] != without), key=lambda v: v["event_seq"])
    if others:
        # What somebody says after seeing the score is what counts for the payment.
        revised = {row["verdict_id"]: row["value"] for row in source.read(_REVISED, [task.transaction_seq])}
        others = [
            {**verdict, "value": revised.get(verdict["verdict_id"], verdict["value"])} for verdict in others
        ]
    waiting, rows = (tasks.OPEN, tasks.CLAIMED), [r for r in rows if r["task_id"] != without]
    at_work = any(row["status"] in waiting for row in rows)
    adjudicated = any(row["kind"] == ADJUDICATION and row["status"] == tasks.DONE for row in rows)
    return Progress(tuple(others), at_work, adjudicated)


def settle(
    w: Writer, task: Task, verdict: Mapping[str, Any], others: Progress, policy: Policy, at: datetime
) -> str:
    """Work out what a new verdict and those before it amount to, and do it; returns the case's status.

    An adjudicated verdict settles it, also where others were still at work because the task had been escalated: what
    they say later is kept, and changes nothing. Else, once nobody is still at work: one conclusive value settles it; a
    disagreement or "inconclusive" goes to adjudication. Tasks without a case have no payment to settle. A past payment
    that was shown again is settled already.
    """
    if task.kind in REPEATED_KINDS:
        return cases.CLOSED
    actor, value = str(verdict["reviewer"]), str(verdict["value"])
    if task.kind == ADJUDICATION:
        _withdraw_open(w, task, at)
        return _close(w, task, value, "adjudicated", actor, policy, at)
    if others.adjudicated:
        return cases.CLOSED
    if others.at_work:
        return CASE_OPEN
    if {v["value"] for v in others.given} <= {value} and value != INCONCLUSIVE:
        return _close(w, task, value, "agreeing" if others.given else "single", actor, policy, at)
    open_adjudication(w, task, [*others.given, verdict], policy, at)
    return IN_ADJUDICATION


def open_adjudication(
    w: Writer,
    task: Task,
    given: Sequence[Mapping[str, Any]],
    policy: Policy,
    at: datetime,
    *,
    why: str = "",
) -> Task:
    """Open the task of a third person over the `given` verdicts, with a copy of the dossier that was judged.

    Why it is here is first `why` (default: that the verdicts do not settle it), then what the engine said. It gets at
    least the segment's whole time from now, so that a late dispute is not lost to the old deadline.
    """
    number = len(tasks.where(w, _OF_SAME + " AND t.kind = ?", [*_same(task), ADJUDICATION])) + 1
    name = hashlib.sha256(f"{task.task_id}:{number}".encode()).hexdigest()[:16]
    case = cases.find(w, task.case_id) if task.case_id else None
    made = task.anew(
        at,
        task_id=f"task_{name}",
        dossier_id=f"dossier_{name}",
        kind=ADJUDICATION,
        lane=ADJUDICATION_LANE,
        probability=1.0,
        arm=SCORE_SHOWN,
        priority=float(task.amount_minor) - (case.raised if case else 0.0),
        deadline=max(task.deadline, at + policy.segment(task.segment).deadline),
    )
    dossier = dossiers.stored(w, task.dossier_id, task.transaction_seq)
    dossier["why"] = {"reason": ADJUDICATION, "sentence": _why(given, why, dossier["why"]["sentence"])}
    digest = dossiers.store(w, made.dossier_id, made.case_id, made.transaction_seq, dossier, at)
    tasks.insert(w, made, "policy", digest, at)
    payload = {"verdicts": [v["verdict_id"] for v in given], "task_id": made.task_id}
    w.event(EventDraft("policy", "adjudication.opened", _subject(task), payload), at)
    if case:
        w.execute("UPDATE cases SET deadline = ? WHERE case_id = ?", [made.deadline, task.case_id])
        cases.reopen(w, case, IN_ADJUDICATION, why or "verdicts do not settle it", "policy", at)
    return made


def _why(given: Sequence[Mapping[str, Any]], why: str, engine: str) -> str:
    if why:
        return f"{why} Your verdict settles it. {engine}".strip()
    differ = len({verdict["value"] for verdict in given}) > 1
    unsure = "The reviewers could not tell" if len(given) > 1 else "The reviewer could not tell"
    return f"{'The reviewers differ' if differ else unsure}; your verdict settles it. {engine}".strip()


def withdraw(w: Writer, task: Task, reason: str, at: datetime) -> None:
    """Take back adjudication tasks that nobody has begun, because a verdict behind them was undone."""
    if task.kind in REPEATED_KINDS:
        return
    for pending in tasks.where(
        w, _OF_SAME + " AND t.kind = ? AND t.status = 'open'", [*_same(task), ADJUDICATION]
    ):
        tasks.finish(w, pending, tasks.WITHDRAWN, "policy", reason, at)


def previous_verdicts(source: Ledger | Writer, task: Task) -> list[dict[str, Any]]:
    """What an adjudicator is shown: each verdict with its grounds, but not whose it is, in an order that does
    not tell who was first."""
    given = [v for v in progress(source, task).given if v["task_kind"] != ADJUDICATION]
    given.sort(key=lambda v: hashlib.sha256(v["verdict_id"].encode()).digest())
    shown = ("value", "typology", "reason_code", "note", "confidence", "seconds", "arm")
    return [
        {"reviewer": f"Reviewer {chr(65 + i)}", **{name: verdict[name] for name in shown}}
        for i, verdict in enumerate(given)
    ]


def _same(task: Task) -> list[Any]:
    return [task.transaction_seq, task.case_id]


def _close(w: Writer, task: Task, value: str, basis: str, actor: str, policy: Policy, at: datetime) -> str:
    if not task.case_id:
        return cases.CLOSED
    case = replace(cases.find(w, task.case_id), transaction_seq=task.transaction_seq)
    status = settling.settle(w, case, value, basis, actor, at)
    dispositions.follow_verdict(w, case, value, actor, policy, at)
    return status


def _withdraw_open(w: Writer, task: Task, at: datetime) -> None:
    """Tasks that nobody has begun on what an adjudicator has just settled."""
    for other in tasks.where(w, _OF_SAME + " AND t.status = 'open'", _same(task)):
        tasks.finish(w, other, tasks.WITHDRAWN, "policy", "an adjudicator has settled it", at)


def _subject(task: Task) -> str:
    return f"case:{task.case_id}" if task.case_id else f"task:{task.task_id}"
