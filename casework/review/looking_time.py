"""Was a task looked at for as long as the policy asks before it is answered?"""

from __future__ import annotations

from datetime import datetime

from casework.review.tasks import Task
from data.errors import ConflictError
from engine.policy import Policy


def check(task: Task, policy: Policy, at: datetime) -> None:
    """ConflictError for an answer that comes sooner after the claim than the policy lets anybody look at a task."""
    least, began = policy.work.least_seconds, task.claimed_at or at
    if (at - began).total_seconds() < least:
        raise ConflictError(
            "this task was opened only a moment ago",
            where=task.task_id,
            allowed=f"from {least} seconds after it was claimed",
            hint="Read on; the answer is taken then.",
        )
