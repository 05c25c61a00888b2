"""How does a task wait, go to somebody else, or go up to a team lead?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from casework.review import adjudication, reviewers, tasks
from casework.review.lanes import NOBODY
from casework.review.review_design import ADJUDICATION, REPEATED_KINDS, kinds_for
from casework.review.reviewers import Reviewer
from casework.review.tasks import Task
from data.errors import ConflictError, InputError, SecondLookError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

LONGEST_AWAY = timedelta(days=366)


def snooze(w: Writer, task_id: str, reviewer: str, until: datetime, reason: str, at: datetime) -> Task:
    """Put a task one holds aside until a moment; then it is the first one offered to the same person.

    Its deadline runs on, so it may not sleep beyond it. InputError for such a moment, or without a reason.
    """
    task = tasks.held(w, task_id, reviewer)
    _check_reason(reason, task_id)
    if not at < until < task.deadline:
        raise InputError(
            "a task cannot be snoozed until then",
            where="until",
            allowed=f"a moment before its deadline, {task.deadline:%Y-%m-%d %H:%M} UTC",
        )
    tasks.reopen(w, task_id, assignee=reviewer, snoozed_until=until)
    payload = {"until": until, "transaction_seq": task.transaction_seq}
    w.event(EventDraft(reviewer, "task.snoozed", f"task:{task_id}", payload, {"reason": reason}), at)
    return tasks.find(w, task_id)


def escalate(w: Writer, task_id: str, reviewer: str, note: str, policy: Policy, at: datetime) -> Task:
    """Hand a task one holds up to a team lead, with a note: it ends, and an adjudication opens at once.

    Whoever else is at work goes on; the team lead's verdict settles it. Returns the adjudication; for a past payment
    shown again, which is settled already, the ended task. ConflictError for a task that is an adjudication already.
    """
    task = tasks.held(w, task_id, reviewer)
    _check_reason(note, task_id)
    if task.kind == ADJUDICATION:
        raise ConflictError(
            "this is with a team lead already", where=task_id, hint="Answer it, or put it back."
        )
    w.execute(
        "UPDATE tasks SET status = ?, done_at = ?, lock_expires_at = NULL WHERE task_id = ?",
        [tasks.ESCALATED, at, task_id],
    )
    w.execute("DELETE FROM drafts WHERE task_id = ?", [task_id])
    skipped = {"task_id": task_id, "transaction_seq": task.transaction_seq, "reviewer": reviewer}
    w.insert("skips", [{**skipped, "reason": "escalated", "skipped_at": at}])
    if task.kind in REPEATED_KINDS:
        # The payment is named, so that what was written about it is found when it is erased.
        about = {"transaction_seq": task.transaction_seq}
        w.event(EventDraft(reviewer, "task.escalated", f"task:{task_id}", about, {"note": note}), at)
        return tasks.find(w, task_id)
    given = adjudication.progress(w, task).given
    opened = adjudication.open_adjudication(w, task, given, policy, at, why="A reviewer escalated it.")
    row = {"adjudication_id": opened.task_id, "case_id": task.case_id, **skipped, "note": note, "at": at}
    w.insert("escalations", [row])
    payload = {"adjudication_id": opened.task_id, "transaction_seq": task.transaction_seq}
    w.event(EventDraft(reviewer, "task.escalated", f"task:{task_id}", payload, {"note": note}), at)
    return opened


def escalation_notes(source: Ledger | Writer, task: Task) -> list[str]:
    """What those who escalated wrote, for the adjudicator, without their names."""
    rows = source.read(
        'SELECT note, "at" FROM escalations WHERE transaction_seq = ? AND case_id = ? ORDER BY "at"',
        [task.transaction_seq, task.case_id],
    )
    return [row["note"] for row in rows]


def move(
    w: Writer,
    task_ids: Sequence[str],
    *,
    queue: str,
    assignee: str,
    reason: str,
    policy: Policy,
    by: str,
    at: datetime,
) -> list[dict[str, Any]]:
    """Move open tasks to another queue, or onto one person's desk ('' for anybody); a result for each.

    On a desk it is as if set aside until now: of whatever kind it is told of there, and comes first. A task that
    somebody holds, or that the person may not be given, stays where it is and says why.
    """
    _check_reason(reason, "reason")
    known = {"default", *(each.name for each in policy.work.queues)}
    if queue and queue not in known:
        raise InputError(f"there is no queue '{queue[:80]}'", where="queue", allowed=", ".join(sorted(known)))
    role = _role_of(w, assignee) if assignee else ""
    done = []
    for task_id in dict.fromkeys(task_ids):
        try:
            _move_one(w, task_id, queue, assignee, role, reason, policy, by, at)
        except SecondLookError as error:
            done.append({"task_id": task_id, "moved": False, "why": error.what})
        else:
            done.append({"task_id": task_id, "moved": True, "why": ""})
    return done


def go_away(w: Writer, user_id: str, until: datetime | None, by: str, at: datetime) -> tuple[Reviewer, int]:
    """Say that somebody is away until a moment (None: is back); returns how many tasks went back to others.

    What he or she holds or has on the desk goes to whoever is next; it is no skip, so it may come back later.
    """
    if until is not None and not at < until <= at + LONGEST_AWAY:
        raise InputError("this is not a time to be away until", where="until", allowed="within the next year")
    place = reviewers.write(w, replace(reviewers.find(w, user_id), away_until=until), by, at)
    if until is None:
        return place, 0
    mine = tasks.where(
        w,
        "(t.status = 'claimed' AND t.claimed_by = ?) OR (t.status = 'open' AND t.assignee = ?)",
        [user_id, user_id],
    )
    for task in mine:
        hand_back(w, task, "away", by, at)
    return place, len(mine)


def hand_back(w: Writer, task: Task, why: str, by: str, at: datetime) -> None:
    """Take a task off somebody's desk: it goes to others, unless it shows a past payment to this person again."""
    tasks.reopen(w, task.task_id, assignee=NOBODY if task.kind in REPEATED_KINDS else "")
    payload = {"was": task.claimed_by or task.assignee, "reason": why}
    w.event(EventDraft(by, "task.moved", f"task:{task.task_id}", payload), at)


def _move_one(
    w: Writer,
    task_id: str,
    queue: str,
    assignee: str,
    role: str,
    reason: str,
    policy: Policy,
    by: str,
    at: datetime,
) -> None:
    task = tasks.find(w, task_id)
    if task.status != tasks.OPEN:
        raise ConflictError(f"it is {task.status}", where=task_id)
    if task.kind in REPEATED_KINDS:
        raise ConflictError("it is meant for one person", where=task_id)
    if assignee:
        _check_may(w, task, reviewers.find(w, assignee), role, policy, at)
    target = queue or task.queue
    w.execute(
        "UPDATE tasks SET queue = ?, assignee = ?, snoozed_until = ? WHERE task_id = ?",
        [target, assignee, at if assignee else None, task_id],
    )
    about = {"transaction_seq": task.transaction_seq}
    payload = {**about, "queue_was": task.queue, "queue": target, "assignee": assignee}
    w.event(EventDraft(by, "task.moved", f"task:{task_id}", payload, {"reason": reason}), at)


def _check_may(w: Writer, task: Task, who: Reviewer, role: str, policy: Policy, at: datetime) -> None:
    """ConflictError unless the task could be this person's, but for the queue and the desk it is on now."""
    if task.kind not in kinds_for(role, in_training=who.in_training):
        raise ConflictError("it is not for this person's role", where=task.task_id)
    judged = w.read(
        "SELECT 1 AS ok FROM verdicts WHERE transaction_seq = ? AND reviewer = ? UNION ALL "
        "SELECT 1 FROM skips WHERE transaction_seq = ? AND reviewer = ? UNION ALL "
        "SELECT 1 FROM tasks WHERE transaction_seq = ? AND task_id <> ? AND status IN ('open', 'claimed') "
        "AND ? IN (claimed_by, assignee)",
        [*(task.transaction_seq, who.user_id) * 2, task.transaction_seq, task.task_id, who.user_id],
    )
    if judged:
        raise ConflictError("this person has to do with this payment already", where=task.task_id)


def _role_of(w: Writer, user_id: str) -> str:
    rows = w.read("SELECT role FROM users WHERE user_id = ? AND disabled_at IS NULL", [user_id])
    if not rows:
        raise InputError("there is no such person", where="assignee", hint="Write a user name.")
    return str(rows[0]["role"])


def _check_reason(reason: str, where: str) -> None:
    if not reason.strip():
        raise InputError("this needs a reason", where=where, hint="Say why in a few words.")
