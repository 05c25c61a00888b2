"""Which tasks are there, and who holds which until when?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from casework.review import lanes
from casework.review.review_design import REPEATED_KINDS
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.storage.reads import Settled
from data.writer import Writer
from engine.policy import Policy

OPEN, CLAIMED, DONE, EXPIRED, WITHDRAWN = "open", "claimed", "done", "expired", "withdrawn"
ESCALATED = "escalated"
STATUSES = (OPEN, CLAIMED, DONE, EXPIRED, WITHDRAWN, ESCALATED)


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of review. `case_id` is '' for tasks without a case; `probability` that with which it was drawn;
    `queue` where it waits, `segment` the part of the policy it falls under; `assignee` who alone may take it ('' for
    anybody). `active_at` is when its holder last did something, `idle_seconds` the pauses before that;
    `arm_probability` is that with which it got its display arm; `about` and `alike` say what it resembles (see
    likeness). `priority` is its own part of its place in the queue: its case's comes on top (see `raised_by_case`)."""

    task_id: str
    case_id: str
    dossier_id: str
    transaction_seq: int
    kind: str
    lane: str
    queue: str
    probability: float
    status: str
    arm: str
    priority: float
    amount_minor: int
    created_at: datetime
    deadline: datetime
    claimed_by: str = ""
    claimed_at: datetime | None = None
    lock_expires_at: datetime | None = None
    done_at: datetime | None = None
    segment: str = "default"
    assignee: str = ""
    snoozed_until: datetime | None = None
    active_at: datetime | None = None
    idle_seconds: float = 0.0
    arm_probability: float = 1.0
    about: str = ""
    alike: str = ""

    def held_by(self, reviewer: str) -> bool:
        """Whether this reviewer has it now. An expired lock still counts while nobody else has taken the
        task."""
        return self.status == CLAIMED and self.claimed_by == reviewer

    def anew(self, at: datetime, **differing: Any) -> Task:
        """One more task on the same payment, opened at this moment: nobody's yet, with nothing done on it."""
        nobodys: dict[str, Any] = {
            "status": OPEN,
            "created_at": at,
            "claimed_by": "",
            "claimed_at": None,
            "lock_expires_at": None,
            "done_at": None,
            "assignee": "",
            "snoozed_until": None,
            "active_at": None,
            "idle_seconds": 0.0,
        }
        return replace(self, **(nobodys | differing))


_COLUMNS = ", ".join(f"t.{field.name}" for field in fields(Task))
# DuckDB skips to a payment's seq; an id alone it looks for among all tasks there ever were.
_THIS = "transaction_seq = ? AND task_id = ?"
_THESE = """
    transaction_seq IN (SELECT unnest(CAST(? AS BIGINT[]))) AND task_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
"""
_RAISED = """
    SELECT case_id, raised FROM cases WHERE raised <> 0 AND case_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
"""


def insert(
    w: Writer, task: Task, actor: str, dossier_sha256: str, at: datetime, *, is_new: bool = False
) -> None:
    """Open a task: its row, and its event with what the reviewer will be shown (as a digest).

    ConflictError for an id that is there already, unless the caller has looked (`is_new`). The engine's own come with
    their decision, which is made once.
    """
    if not is_new and actor != "engine" and _is_there(w, task):
        raise ConflictError("this task was opened already", where=task.task_id, hint="Open another one.")
    w.insert("tasks", [{field.name: getattr(task, field.name) for field in fields(Task)}])
    kept = (
        "case_id",
        "dossier_id",
        "transaction_seq",
        "kind",
        "lane",
        "queue",
        "segment",
        "probability",
        "arm",
        "arm_probability",
        "deadline",
    )
    payload = {name: getattr(task, name) for name in kept} | {"dossier_sha256": dossier_sha256}
    w.event(EventDraft(actor, "task.opened", f"task:{task.task_id}", payload), at)


def _is_there(w: Writer, task: Task) -> bool:
    # An id is made of its payment's, or of an id that is.
    return bool(w.read(f"SELECT 1 FROM tasks WHERE {_THIS}", [task.transaction_seq, task.task_id]))


def find(source: Ledger | Writer, task_id: str) -> Task:
    """The task; NotFoundError if there is none of that id."""
    found = where(source, "t.task_id = ?", [task_id])
    if not found:
        raise NotFoundError("there is no such task", where=task_id)
    return found[0]


def where(source: Ledger | Settled | Writer, condition: str, parameters: Sequence[Any]) -> list[Task]:
    """Tasks `t` that meet a condition of ours, oldest first."""
    # Sorted here: DuckDB takes as long to plan an ORDER BY as to find the row.
    found = [
        Task(**row) for row in source.read(f"SELECT {_COLUMNS} FROM tasks t WHERE {condition}", parameters)
    ]
    return sorted(found, key=lambda task: (task.created_at, task.task_id))


def release(w: Writer, task_id: str, reviewer: str, reason: str, at: datetime) -> Task:
    """Give a task back with a reason; it goes to somebody else, unless it shows a past payment to this person again.
    ConflictError unless the reviewer holds it."""
    task = held(w, task_id, reviewer)
    if not reason.strip():
        raise InputError("a task is released with a reason", where=task_id, hint="Say why in a few words.")
    reopen(w, task_id, assignee=lanes.NOBODY if task.kind in REPEATED_KINDS else "")
    skipped = {"task_id": task_id, "transaction_seq": task.transaction_seq, "reviewer": reviewer}
    w.insert("skips", [{**skipped, "reason": reason, "skipped_at": at}])
    about = {"transaction_seq": task.transaction_seq}
    w.event(EventDraft(reviewer, "task.released", f"task:{task_id}", about, {"reason": reason}), at)
    return find(w, task_id)


def reopen(w: Writer, task_id: str, assignee: str = "", snoozed_until: datetime | None = None) -> None:
    """Put a task back among the open ones, for anybody or for one person, perhaps not before a moment."""
    w.execute(
        "UPDATE tasks SET status = 'open', claimed_by = '', claimed_at = NULL, lock_expires_at = NULL, "
        "active_at = NULL, idle_seconds = 0, assignee = ?, snoozed_until = ? WHERE task_id = ?",
        [assignee, snoozed_until, task_id],
    )
    w.execute("DELETE FROM drafts WHERE task_id = ?", [task_id])


def idle_at(task: Task, policy: Policy, at: datetime) -> float:
    """Idle seconds of a held task if its holder does something now: every pause counts from the length at which the
    policy calls it one."""
    if task.active_at is None:
        return task.idle_seconds
    pause = (at - task.active_at - policy.work.idle_after).total_seconds()
    return task.idle_seconds + max(pause, 0.0)


def touch(w: Writer, task: Task, policy: Policy, at: datetime) -> datetime:
    """Note a sign of life of a task's holder; returns until when it is now his or hers."""
    until = at + timedelta(minutes=policy.task.lock_minutes)
    w.execute(
        f"UPDATE tasks SET lock_expires_at = ?, active_at = ?, idle_seconds = ? WHERE {_THIS}",
        [until, at, idle_at(task, policy, at), task.transaction_seq, task.task_id],
    )
    return until


def held(w: Writer, task_id: str, reviewer: str) -> Task:
    """The task, if this reviewer holds it; ConflictError otherwise."""
    task = find(w, task_id)
    if not task.held_by(reviewer):
        raise ConflictError(
            "you do not hold this task", where=task_id, hint="Its lock may have run out. Take the next one."
        )
    return task


def held_by(source: Ledger | Writer, reviewer: str, at: datetime) -> list[Task]:
    """Tasks a reviewer holds under a lock that still runs."""
    return where(
        source, "t.claimed_by = ? AND t.status = 'claimed' AND t.lock_expires_at > ?", [reviewer, at]
    )


def expire_locks(w: Writer, at: datetime) -> int:
    """Return tasks whose lock has run out to the queue; how many. Take-next does not wait for this."""
    late = where(w, "t.status = 'claimed' AND t.lock_expires_at <= ?", [at])
    for task in late:
        note_expiry(w, task, at)
    if late:
        w.execute(
            "UPDATE tasks SET status = 'open', claimed_by = '', claimed_at = NULL, lock_expires_at = NULL, "
            "active_at = NULL, idle_seconds = 0 WHERE status = 'claimed' AND lock_expires_at <= ?",
            [at],
        )
    return len(late)


def finish(w: Writer, task: Task, status: str, actor: str, reason: str, at: datetime) -> None:
    """End a task that will get no verdict: expired (non-response) or withdrawn."""
    finish_all(w, [task], status, actor, reason, at)


def finish_all(w: Writer, some: Sequence[Task], status: str, actor: str, reason: str, at: datetime) -> None:
    """End several tasks that will get no verdict, in one UPDATE."""
    if some:
        named = [[task.transaction_seq for task in some], [task.task_id for task in some]]
        w.execute(f"UPDATE tasks SET status = ?, done_at = ? WHERE {_THESE}", [status, at, *named])
    for task in some:
        w.event(EventDraft(actor, f"task.{status}", f"task:{task.task_id}", {"reason": reason}), at)


def raised_by_case(source: Ledger | Writer, case_ids: Iterable[str]) -> dict[str, float]:
    """What joined alerts add to the priority of every task of these cases; those that none has joined are left out."""
    named = sorted({case_id for case_id in case_ids if case_id})
    rows = source.read(_RAISED, [named]) if named else []
    return {row["case_id"]: row["raised"] for row in rows}


def lock(w: Writer, task: Task, reviewer: str, policy: Policy, at: datetime) -> Task:
    """Set a task as claimed from now on; returns it so. That it was set aside or put on a desk stays with it: when its
    lock runs out it lies there again, whatever its kind."""
    until = at + timedelta(minutes=policy.task.lock_minutes)
    w.execute(
        "UPDATE tasks SET status = 'claimed', claimed_by = ?, claimed_at = ?, lock_expires_at = ?, done_at = NULL, "
        f"active_at = ?, idle_seconds = 0 WHERE {_THIS}",
        [reviewer, at, until, at, task.transaction_seq, task.task_id],
    )
    return replace(
        task,
        status=CLAIMED,
        claimed_by=reviewer,
        claimed_at=at,
        lock_expires_at=until,
        done_at=None,
        active_at=at,
        idle_seconds=0.0,
    )


def note_expiry(w: Writer, task: Task, at: datetime) -> None:
    """Record that a lock ran out without an answer."""
    payload = {"held_by": task.claimed_by, "expired_at": task.lock_expires_at}
    w.event(EventDraft("system", "task.lock_expired", f"task:{task.task_id}", payload), at)
