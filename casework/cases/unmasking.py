"""Who read which personal field of a payment, and why?"""

from __future__ import annotations

from datetime import datetime

from casework.review import tasks
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.reading import personal_values
from data.writer import Writer

SHORTEST_REASON = 3


def unmask(ledger: Ledger, task_id: str, user: str, field: str, reason: str, at: datetime) -> str:
    """One personal field of the payment of a task that this person holds. That it was read, by whom and why, is an
    event before the value is given out; the value itself is not in it.

    InputError without a reason, ConflictError unless the person holds the task, NotFoundError for a field that the
    payment does not have or that was erased.
    """
    if len(reason.strip()) < SHORTEST_REASON:
        raise InputError("a masked field is read for a reason", where=field, hint="Say why in a few words.")
    with ledger.writing() as w:
        task = _held(w, task_id, user, at)
        values = personal_values(ledger, f"transaction:{task.transaction_seq}")
        if field not in values:
            raise NotFoundError("there is no such personal field, or it was erased", where=field)
        payload = {"field": field, "transaction_seq": task.transaction_seq}
        why = {"reason": reason.strip()}
        w.event(EventDraft(user, "personal.unmasked", f"task:{task_id}", payload, why), at)
    return values[field]


def _held(w: Writer, task_id: str, user: str, at: datetime) -> tasks.Task:
    task = tasks.held(w, task_id, user)
    if task.lock_expires_at is not None and task.lock_expires_at <= at:
        raise ConflictError("your lock has run out", where=task_id, hint="Claim the task again.")
    return task
