"""Has the case changed since its reviewer read it, and what came to it meanwhile?

Only where the score is shown: that an alert joined is the engine's opinion of another payment, so whoever decides first
learns nothing of it, and is not asked to read it either.
"""

from __future__ import annotations

from typing import Any

from casework.review.review_design import ADJUDICATION, PRIMARY, REPEATED_KINDS, SCORE_SHOWN
from casework.review.tasks import OPEN, Task
from data.errors import ConflictError
from data.ledger import Ledger
from data.writer import Writer

# Without payments that somebody decides blind, which two merged cases can bring together.
_SHOWN = """
    NOT EXISTS (SELECT 1 FROM tasks k WHERE k.case_id = x.case_id AND k.transaction_seq = x.transaction_seq
                AND k.arm = 'blind_first')
"""
_ALERTS = f"""
    SELECT x.transaction_seq, x.added_at, x.amount_minor, x.reason, t.transaction_id, t.occurred_at
    FROM case_transactions x JOIN transactions t ON t.seq = x.transaction_seq
    WHERE x.case_id = ? AND {_SHOWN} ORDER BY x.added_at, x.transaction_seq
"""
_SIZE = f"""
    SELECT count(*) AS alerts, max(x.added_at) AS latest,
           (SELECT count(*) FROM dispositions d WHERE d.transaction_seq = ? AND d.actor <> 'policy') AS steps
    FROM case_transactions x WHERE x.case_id = ? AND {_SHOWN}
"""


_ALONE = "1.0"


def version(source: Ledger | Writer, task: Task) -> str:
    """A mark of what the page of a task says of its case; it changes when an alert joins or leaves, or somebody moves
    the payment. '' where the page says nothing of it."""
    if _is_repeated(task):
        return _ALONE  # as of any payment that came alone
    if not _told(task):
        return ""
    size = source.read(_SIZE, [task.transaction_seq, task.case_id])[0]
    return f"{size['alerts']}.{size['steps']}"


def check(w: Writer, task: Task, seen: str | None) -> None:
    """ConflictError if the case changed since the reviewer read it. `seen` is the version that was read; None asks
    only that no alert joined after the claim."""
    if _changed(w, task, seen):
        raise ConflictError(
            "this case has changed since you opened it",
            where=task.task_id,
            hint="Read what joined it, then answer again; your draft is kept.",
        )


def _changed(w: Writer, task: Task, seen: str | None) -> bool:
    if _is_repeated(task):
        return seen not in (None, _ALONE)
    if not _told(task):
        return False
    if seen is not None:
        return seen != version(w, task)
    return _joined_since(w, task)


def _joined_since(w: Writer, task: Task) -> bool:
    """Whether an alert that the page tells of joined after the claim. Most cases are of one payment, where a plain
    look is enough."""
    since = "SELECT added_at FROM case_transactions WHERE case_id = ?"
    added = [row["added_at"] for row in w.read(since, [task.case_id])]
    if task.claimed_at is None or len(added) < 2 or max(added) <= task.claimed_at:
        return False
    size = w.read(_SIZE, [task.transaction_seq, task.case_id])[0]
    return bool(size["alerts"] > 1 and size["latest"] > task.claimed_at)


def alerts(source: Ledger | Writer, task: Task, reviewer: str) -> list[dict[str, Any]]:
    """The other payments of a task's case, facts only: {transaction_id, occurred_at, amount_minor, added_at,
    since_open, task_id}. `task_id` is that of a task the same verdict could be applied to, '' where there is none."""
    if not _told(task):
        return []
    rows = [
        row for row in source.read(_ALERTS, [task.case_id]) if row["transaction_seq"] != task.transaction_seq
    ]
    if not rows:
        return []
    free = source.read(
        "SELECT transaction_seq, task_id FROM tasks WHERE case_id = ? AND kind = ? AND arm = ? "
        "AND (status = ? OR (status = 'claimed' AND claimed_by = ?)) AND transaction_seq NOT IN ("
        "SELECT transaction_seq FROM verdicts WHERE reviewer = ?)",
        [
            task.case_id,
            ADJUDICATION if task.kind == ADJUDICATION else PRIMARY,
            SCORE_SHOWN,
            OPEN,
            reviewer,
            reviewer,
        ],
    )
    by_seq = {row["transaction_seq"]: row["task_id"] for row in free}
    kept = ("transaction_id", "occurred_at", "amount_minor", "added_at")
    return [
        {
            **{name: row[name] for name in kept},
            "since_open": row["added_at"] > task.created_at,
            "task_id": by_seq.get(row["transaction_seq"], ""),
        }
        for row in rows
    ]


def _told(task: Task) -> bool:
    return bool(task.case_id) and task.arm == SCORE_SHOWN


def _is_repeated(task: Task) -> bool:
    return task.kind in REPEATED_KINDS and task.arm == SCORE_SHOWN
