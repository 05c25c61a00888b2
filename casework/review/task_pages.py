"""What does a reviewer see of the queue and of one task?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from casework.cases import attachments, dossiers
from casework.cases.cases import BY_HAND
from casework.review import adjudication, drafts, moves, reviewers, stale, tasks
from casework.review.lanes import RANDOM_LANES
from casework.review.measuring import feedback, fresh
from casework.review.review_design import (
    ADJUDICATION,
    ADJUDICATOR_ROLES,
    AUDIT,
    BLIND_FIRST,
    PRIMARY,
    REPEATED_KINDS,
    REVIEWER_ROLES,
    SCORE_SHOWN,
    TRAINING,
)
from casework.review.tasks import Task
from data.errors import NotFoundError
from data.ledger import Ledger
from engine.draws import draw
from engine.policy import Policy

SET_ASIDE = """
    t.status = 'open' AND t.assignee = ? AND (t.snoozed_until IS NOT NULL OR NOT list_contains(?, t.lane))
"""
"""Tasks on somebody's desk that he or she knows of, set aside or put there by a team lead, whatever their kind: what
was drawn at random and laid there by the machine tells nothing by lying there."""
DEADLINE = "deadline"
LISTED = 0.5
"""Share of the tasks that may be chosen by hand which analysts find in the list to choose from."""
_LANES = """
    SELECT lane, count(*) FILTER (free) AS open, count(*) FILTER (NOT free) AS claimed,
           min(deadline) AS oldest_deadline, CAST(sum(amount_minor) AS BIGINT) AS amount_minor
    FROM (SELECT CASE WHEN ? THEN t.lane ELSE 'review' END AS lane, t.deadline, t.amount_minor,
                 t.status = 'open' OR t.lock_expires_at <= ? AS free
          FROM tasks t WHERE t.status IN ('open', 'claimed') AND (? OR t.kind <> 'adjudication')
          AND CASE WHEN ? THEN t.kind = 'training' AND t.assignee = ? ELSE t.kind <> 'training' END)
    GROUP BY lane ORDER BY lane
"""


def task_page(ledger: Ledger, task_id: str, reviewer: str, role: str = "analyst") -> dict[str, Any]:
    """The page of a task, from its stored dossier alone (see DESIGN, "Dossier snapshot").

    Analysts get the page of a task they hold or have judged; afterwards with the engine's opinion also in the
    blind-first arm. Other roles may read any. NotFoundError otherwise, as if there were no such task.
    """
    task = tasks.find(ledger, task_id)
    if role in REVIEWER_ROLES and task.claimed_by != reviewer:
        raise NotFoundError("there is no such task for you", where=task_id, hint="Take the next one instead.")
    dossier = dossiers.load(ledger, task.dossier_id, task.transaction_seq)
    done = task.status == tasks.DONE
    page = dossiers.for_arm(dossier, SCORE_SHOWN if done or role not in REVIEWER_ROLES else task.arm)
    adjudicating, version = task.kind == ADJUDICATION, stale.version(ledger, task)
    if role in REVIEWER_ROLES and (task.arm == BLIND_FIRST or _of_audit(dossier)):
        page["lane_shown"] = "review"
    if role in REVIEWER_ROLES and _of_audit(dossier):
        page["why"] = dossiers.for_arm(dossier, BLIND_FIRST)["why"]
    return {
        **page,
        "task_id": task.task_id,
        "kind_shown": _kind_shown(task),
        "lane_shown": "adjudication" if adjudicating else page["lane_shown"],
        "arm": task.arm,
        "status": task.status,
        "claimed_by": task.claimed_by,
        "claimed_at": task.claimed_at,
        "lock_expires_at": task.lock_expires_at,
        "deadline": task.deadline,
        "draft": drafts.load(ledger, task_id, reviewer),
        "previous_verdicts": adjudication.previous_verdicts(ledger, task) if adjudicating else [],
        "escalation_notes": moves.escalation_notes(ledger, task) if adjudicating else [],
        "joined": [] if version.startswith("1.") else stale.alerts(ledger, task, reviewer),
        "version": version,
        "files": attachments.of_task(ledger, task, reviewer, role),
        "feedback": feedback.of_training(ledger, task) if task.kind == TRAINING and done else None,
    }


def _of_audit(dossier: Mapping[str, Any]) -> bool:
    """Whether a dossier is of a payment that no case was opened on."""
    return dossier["lane"] in ("", "audit")


def queue_summary(
    ledger: Ledger, reviewer: str, at: datetime, *, role: str = "analyst", since: datetime | None = None
) -> dict[str, Any]:
    """The queue in numbers: lanes, what is mine, all that is open, and what I have done since `since`
    (default: the start of the UTC day).

    Analysts see one lane called review: a count by lane that falls by one when a task is taken would name its
    lane. For the same reason everybody counts everybody's blind tasks, also those meant for one person.
    """
    whole = role not in REVIEWER_ROLES
    who = reviewers.find(ledger, reviewer)
    lanes = ledger.read(_LANES, [whole, at, whole, who.in_training, reviewer])
    start = since or at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    done = ledger.read(
        "SELECT count(*) AS n FROM verdicts WHERE reviewer = ? AND given_at >= ? AND undone_at IS NULL",
        [reviewer, start],
    )
    return {
        "lanes": lanes,
        "set_aside": briefs(ledger, tasks.where(ledger, SET_ASIDE, [reviewer, list(RANDOM_LANES)]), role),
        "away_until": who.away_until,
        "in_training": who.in_training,
        "mine": briefs(ledger, tasks.held_by(ledger, reviewer, at), role),
        "open_total": sum(lane["open"] for lane in lanes),
        "done_today": done[0]["n"],
    }


def task_list(
    ledger: Ledger,
    reviewer: str,
    at: datetime,
    *,
    role: str = "analyst",
    status: str = "open",
    lane: str = "",
    queue: str = "",
    limit: int = 100,
    policy: Policy | None = None,
    order: str = "",
    due_within: timedelta | None = None,
    key: bytes = b"",
) -> list[dict[str, Any]]:
    """Briefs of tasks. Analysts see open primary tasks, which they may choose, the largest amount first: an
    order by expected money would tell the score. Team leads see every kind, adjudications and then the most
    expected money first. With the order "deadline" the nearest comes first; `due_within` leaves out what has longer.

    With a `key` only the share LISTED of the primary tasks is there for analysts, drawn by it: the others are handed
    out only, so that not having been listed does not tell what was drawn at random.
    """
    whole = role not in REVIEWER_ROLES
    found = tasks.where(
        ledger,
        "t.status = ? AND (? OR t.kind = ?) AND (? IN ('', t.lane) OR NOT ?) AND ? IN ('', t.queue) "
        "AND t.transaction_seq NOT IN (SELECT transaction_seq FROM verdicts WHERE reviewer = ?)",
        [status if whole else tasks.OPEN, whole, PRIMARY, lane, whole, queue if whole else "", reviewer],
    )
    first = {ADJUDICATION: 0} if role in ADJUDICATOR_ROLES else {}
    raised = tasks.raised_by_case(ledger, (task.case_id for task in found)) if whole else {}
    if due_within is not None:
        found = [task for task in found if task.deadline <= at + due_within]
    found.sort(
        key=lambda task: (
            first.get(task.kind, 1),
            task.deadline.timestamp() if order == DEADLINE else 0.0,
            -(task.priority + raised.get(task.case_id, 0.0) if whole else task.amount_minor),
            task.task_id,
        )
    )
    shown = [task for task in found if whole or lane in ("", _lane_shown(task, role))]
    if not whole and policy is not None:
        who = reviewers.find(ledger, reviewer)
        shown = [task for task in shown if _could_take(task, who, policy)]
    if not whole and key:
        shown = [task for task in shown if draw(key, "listed", task.task_id) < LISTED]
    return briefs(ledger, shown[:limit], role)


def _could_take(task: Task, who: reviewers.Reviewer, policy: Policy) -> bool:
    """Whether an open task is in a queue this person serves, on nobody else's desk, and not set aside or put on the
    desk: what was stands under `set_aside`, whatever its kind, also once its moment has come."""
    free = task.assignee in ("", who.user_id) and task.snoozed_until is None and not who.in_training
    return free and who.serves(policy.work.queue(task.queue))


def briefs(ledger: Ledger, found: Sequence[Task], role: str = "analyst") -> list[dict[str, Any]]:
    """Tasks in one line each, with when the payment was made, whose it is (`occurred_at`, `entity`, `value`: the
    mapping's first entity) and `why_shown`: why a person looks, '' where that would tell which tasks are blind.

    A past payment shown again is as old as its page says, or its line would tell it from all others."""
    payments = _payments(ledger, sorted({task.transaction_seq for task in found}))
    return [
        {
            **brief(task, role),
            **payments[task.transaction_seq],
            "occurred_at": payments[task.transaction_seq]["occurred_at"] + _moved(ledger, task),
            "why_shown": payments[task.transaction_seq]["why_shown"] if _tells_why(task, role) else "",
        }
        for task in found
    ]


def _moved(ledger: Ledger, task: Task) -> timedelta:
    """By how much the page of a task shows its payment later than it was made."""
    if task.kind not in REPEATED_KINDS:
        return timedelta(0)
    return fresh.moved_by(dossiers.stored(ledger, task.dossier_id, task.transaction_seq))


def _tells_why(task: Task, role: str) -> bool:
    """Whether a line may say why a task is there: to a reviewer only of what he or she holds with the score shown."""
    if role not in REVIEWER_ROLES:
        return True
    return task.status == tasks.CLAIMED and task.arm == SCORE_SHOWN and task.kind != AUDIT


def _payments(ledger: Ledger, seqs: Sequence[int]) -> dict[int, dict[str, Any]]:
    entity = next((field.name for field in ledger.fields if field.role == "entity"), "")
    value = f'"{entity}"' if entity else "NULL"  # the name is one of the mapping's, checked there
    wanted = [min(seqs, default=0), max(seqs, default=0), list(seqs)]
    rows = ledger.read(
        f"SELECT seq, occurred_at, {value} AS value FROM transactions WHERE seq BETWEEN ? AND ? "
        "AND list_contains(CAST(? AS BIGINT[]), seq)",
        wanted,
    )
    reasons = {
        row["seq"]: row["why"]
        for row in ledger.read(
            "SELECT transaction_seq AS seq, triage_reason AS why FROM decisions WHERE transaction_seq BETWEEN ? AND ? "
            "AND list_contains(CAST(? AS BIGINT[]), transaction_seq)",
            wanted,
        )
    }
    return {
        row["seq"]: {
            "occurred_at": row["occurred_at"],
            "entity": entity,
            "value": row["value"],
            "why_shown": reasons.get(row["seq"]) or BY_HAND,
        }
        for row in rows
    }


def brief(task: Task, role: str = "analyst") -> dict[str, Any]:
    """A task in one line. For analysts nothing that tells its kind, its lane, or the engine's opinion."""
    common = {
        "task_id": task.task_id,
        "kind_shown": _kind_shown(task),
        "lane_shown": _lane_shown(task, role),
        "amount_minor": task.amount_minor,
        "status": task.status,
        "deadline": task.deadline,
        "lock_expires_at": task.lock_expires_at,
        "snoozed_until": task.snoozed_until if task.status == tasks.OPEN else None,
    }
    if role in REVIEWER_ROLES:
        return common
    more = (
        "kind",
        "lane",
        "queue",
        "assignee",
        "case_id",
        "transaction_seq",
        "arm",
        "claimed_by",
        "claimed_at",
        "created_at",
        "probability",
    )
    return {**common, **{name: getattr(task, name) for name in more}}


def _kind_shown(task: Task) -> str:
    return task.kind if task.kind in (ADJUDICATION, TRAINING) else "review"


def _lane_shown(task: Task, role: str) -> str:
    """The lane; for those who review one name for all, because a lane of their own would tell which tasks are decided
    before the score is seen, and these could then be left to others."""
    return "review" if role in REVIEWER_ROLES and task.kind != ADJUDICATION else task.lane
