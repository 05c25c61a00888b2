"""Who looks at which audit, so that everybody's figures rest on a slice of their own?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.review import reviewers, tasks
from casework.review.reviewers import Reviewer
from casework.review.tasks import Task
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.draws import draw
from engine.policy import Policy

_COUNTED = timedelta(days=28)
_ANALYSTS = "SELECT user_id FROM users WHERE role = 'analyst' AND disabled_at IS NULL ORDER BY user_id"
_GIVEN_BACK = """
    SELECT s.task_id, s.reviewer FROM skips s JOIN tasks t USING (task_id) WHERE t.kind = 'audit' AND t.status = 'open'
"""
_HAD = """
    SELECT CASE WHEN status = 'open' THEN assignee ELSE claimed_by END AS who, count(*) AS n FROM tasks
    WHERE kind = 'audit' AND created_at >= ? AND status IN ('open', 'claimed', 'done') GROUP BY who
"""
# By numbers, which DuckDB skips by: looked for by its text, a task is looked for among all there ever were.
_WAITING = """
    SELECT rowid AS place, task_id, assignee, snoozed_until FROM tasks
    WHERE status = 'open' AND transaction_seq IN (SELECT unnest(CAST(? AS BIGINT[])))
"""
_LAY = """
    UPDATE tasks SET snoozed_until = NULL,
        assignee = list_extract(CAST(? AS VARCHAR[]), list_position(CAST(? AS BIGINT[]), rowid))
    WHERE rowid IN (SELECT unnest(CAST(? AS BIGINT[])))
"""


@dataclass(frozen=True, slots=True)
class Move:
    """An open audit that is to be laid on another desk, '' for anybody's."""

    task: Task
    to: str


def planned(source: Ledger | Writer, policy: Policy, key: bytes, at: datetime) -> list[Move]:
    """Give each open audit to the analyst who had the fewest of late, chance deciding among equals.

    Once half of its time is over an audit is anybody's again: to be looked at late by somebody else is better than to
    go unread, which would be non-response. Whoever is away, in training, or gave it back does not get it. What somebody
    set aside, or a team lead put on a desk, stays there while that person is here: it comes first there, and an audit
    that went from among what is told of would be known for one.
    """
    places = reviewers.all_reviewers(source)
    people = [places.get(row["user_id"], Reviewer(row["user_id"])) for row in source.read(_ANALYSTS)]
    here = [who for who in people if not who.is_away(at) and not who.in_training]
    had = Counter({row["who"]: row["n"] for row in source.read(_HAD, [at - _COUNTED])})
    back = {(row["task_id"], row["reviewer"]) for row in source.read(_GIVEN_BACK)}
    moves = []
    seated = {who.user_id for who in here}
    for task in tasks.where(source, "t.kind = 'audit' AND t.status = 'open'", []):
        if task.snoozed_until is not None and task.assignee in seated:
            continue
        late = at >= task.created_at + (task.deadline - task.created_at) / 2
        queue = policy.work.queue(task.queue)
        fitting = [
            who.user_id for who in here if who.serves(queue) and (task.task_id, who.user_id) not in back
        ]
        if late or not fitting:
            chosen = ""
        elif task.assignee in fitting:
            continue
        else:
            fewest = min(had[who] for who in fitting)
            equals = [who for who in fitting if had[who] == fewest]
            chosen = min(equals, key=lambda who: draw(key, "audit_desk", f"{task.task_id}:{who}"))
        if chosen != task.assignee:
            moves.append(Move(task, chosen))
            had[chosen] += 1
    return moves


def lay(w: Writer, moves: Sequence[Move], at: datetime) -> int:
    """Lay audits on desks, if they still wait where they did when it was planned; how many moved. One UPDATE for all:
    a query costs about the same for one row as for a hundred."""
    if not moves:
        return 0
    rows = w.read(_WAITING, [[move.task.transaction_seq for move in moves]])
    where = {row["task_id"]: row for row in rows}
    moved = [move for move in moves if _waits_as_planned(move.task, where.get(move.task.task_id))]
    if moved:
        places = [where[move.task.task_id]["place"] for move in moved]
        w.execute(_LAY, [[move.to for move in moved], places, places])
    for move in moved:
        payload = {"assignee": move.to, "reason": "audits are spread over all analysts"}
        w.event(EventDraft("policy", "task.moved", f"task:{move.task.task_id}", payload), at)
    return len(moved)


def _waits_as_planned(task: Task, row: Mapping[str, Any] | None) -> bool:
    return row is not None and (row["assignee"], row["snoozed_until"]) == (task.assignee, task.snoozed_until)
