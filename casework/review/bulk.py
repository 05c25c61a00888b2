"""How is one verdict given on several tasks at once, with a result for each?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.review import handing_out, verdicts
from casework.review.desk import Desk
from casework.review.review_design import BLIND_FIRST
from casework.review.tasks import Task
from casework.review.verdicts import VerdictForm
from data.errors import ConflictError, InputError, SecondLookError
from data.ledger import Ledger
from engine.policy import Policy

MOST = 100


def apply(
    ledger: Ledger,
    task_ids: Sequence[str],
    reviewer: str,
    role: str,
    form: VerdictForm,
    policy: Policy,
    at: datetime,
    desk: Desk,
    *,
    applied_from: str = "",
) -> list[dict[str, Any]]:
    """Give the same verdict on each task that the person holds or may choose: {task_id, verdict_id, why}.

    Each in a write of its own, so that one that cannot be answered keeps none of the others back; its `why` says so. A
    task to be decided before the score is seen is not answered unread.
    """
    form.check()
    if not 0 < len(task_ids) <= MOST:
        raise InputError("this is no number of tasks", where="task_ids", allowed=f"1 to {MOST}")
    results = []
    for task_id in dict.fromkeys(task_ids):
        try:
            with ledger.writing() as w:
                task = handing_out.claim(w, task_id, reviewer, policy, at, role=role, desk=desk, roomy=True)
                _check_readable(task)
                given = verdicts.give(
                    w, task_id, reviewer, form, policy, at, applied_from=applied_from or "bulk", seen=None
                )
            results.append({"task_id": task_id, "verdict_id": given.verdict_id, "why": ""})
        except SecondLookError as error:
            results.append({"task_id": task_id, "verdict_id": "", "why": str(error)})
    return results


def undo(
    ledger: Ledger, verdict_ids: Sequence[str], reviewer: str, policy: Policy, at: datetime
) -> list[dict[str, Any]]:
    """Take several of one's verdicts back: {verdict_id, undone, why}. Their tasks are held again, and come next."""
    results = []
    for verdict_id in dict.fromkeys(verdict_ids):
        try:
            with ledger.writing() as w:
                verdicts.undo(w, verdict_id, reviewer, policy, at)
            results.append({"verdict_id": verdict_id, "undone": True, "why": ""})
        except SecondLookError as error:
            results.append({"verdict_id": verdict_id, "undone": False, "why": str(error)})
    return results


def _check_readable(task: Task) -> None:
    """ConflictError for a task to be decided before the score is seen, of whatever kind: what only some of them refused
    would tell them apart."""
    if task.arm == BLIND_FIRST:
        raise ConflictError(
            "this task is decided before the score is seen, so it is read first",
            where=task.task_id,
            hint="Open it and answer it on its page.",
        )
