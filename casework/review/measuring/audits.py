"""Who looks at which audit, so that everybody's figures rest on a slice of their own?"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from casework.review import reviewers, tasks
from casework.review.reviewers import Reviewer
from data.events import EventDraft
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


def spread(w: Writer, policy: Policy, key: bytes, at: datetime) -> int:
    """Give each open audit to the analyst who had the fewest of late, chance deciding among equals; how many moved.

    Once half of its time is over an audit is anybody's again: to be looked at late by somebody else is better than to
    go unread, which would be non-response. Whoever is away, in training, or gave it back does not get it.
    """
    places = reviewers.all_reviewers(w)
    people = [places.get(row["user_id"], Reviewer(row["user_id"])) for row in w.read(_ANALYSTS)]
    here = [who for who in people if not who.is_away(at) and not who.in_training]
    had = Counter({row["who"]: row["n"] for row in w.read(_HAD, [at - _COUNTED])})
    back = {(row["task_id"], row["reviewer"]) for row in w.read(_GIVEN_BACK)}
    moved = 0
    for task in tasks.where(w, "t.kind = 'audit' AND t.status = 'open' AND t.snoozed_until IS NULL", []):
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
            chosen = min(
                fitting, key=lambda who: (had[who], draw(key, "audit_desk", f"{task.task_id}:{who}"))
            )
        if chosen != task.assignee:
            _lay(w, task.task_id, chosen, at)
            had[chosen] += 1
            moved += 1
    return moved


def _lay(w: Writer, task_id: str, who: str, at: datetime) -> None:
    w.execute("UPDATE tasks SET assignee = ? WHERE task_id = ?", [who, task_id])
    payload = {"assignee": who, "reason": "audits are spread over all analysts"}
    w.event(EventDraft("policy", "task.moved", f"task:{task_id}", payload), at)
