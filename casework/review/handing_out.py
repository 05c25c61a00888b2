"""Which task does a person get next, and may he or she have this one?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.review import lanes, tasks
from casework.review.desk import Desk
from casework.review.review_design import ADJUDICATION, PRIMARY, kinds_for
from casework.review.reviewers import Reviewer
from casework.review.tasks import CLAIMED, Task
from data.errors import ConflictError, NotFoundError
from data.events import EventDraft
from data.writer import Writer
from engine.draws import draw
from engine.policy import Policy

PICKABLE = (PRIMARY, ADJUDICATION)
"""Kinds that may be chosen by hand; all others are only ever handed out, or choosing would unmask them."""


def take_next(
    w: Writer,
    reviewer: str,
    policy: Policy,
    key: bytes,
    at: datetime,
    *,
    role: str = "analyst",
    desk: Desk | None = None,
) -> Task | None:
    """Claim the next task for a reviewer, or None if nothing is left for him or her.

    A reviewer who holds a task gets that one again: a second click, a reload or a crash loses nothing and
    hoards nothing. What was put on his or her desk comes next; otherwise a keyed draw chooses the lane by the policy's
    shares, and the lane's order the task. `desk` remembers the open tasks from call to call. ConflictError for
    somebody who is away.
    """
    desk, who = _seat(w, reviewer, desk)
    held = desk.held(reviewer, at)
    if held:
        return tasks.find(w, held[0])
    _check_here(who, at)
    kinds = kinds_for(role, in_training=who.in_training)
    mine = desk.mine(who, kinds, policy, at)
    if mine:
        return _claimed(w, tasks.find(w, mine), reviewer, policy, at, {"assigned": True})
    first = desk.first_of_lanes(who, kinds, policy, at)
    if not first:
        return None
    uniform = draw(key, "lane", f"{reviewer}:{w.head.seq + 1}")
    shares = _shares(w, reviewer, policy) if lanes.GOLDEN_LANE in first else policy.lanes
    lane = lanes.choose_lane(shares, list(first), uniform)
    return _claimed(
        w,
        tasks.find(w, first[lane]),
        reviewer,
        policy,
        at,
        {
            "draw": uniform,
            "offered": sorted(first),
            "lane_probability": lanes.chance_of(shares, list(first), lane),
        },
    )


def claim(
    w: Writer,
    task_id: str,
    reviewer: str,
    policy: Policy,
    at: datetime,
    *,
    role: str = "analyst",
    desk: Desk | None = None,
    roomy: bool = False,
) -> Task:
    """Claim one task by its id. Claiming what one holds already changes nothing. `roomy` sets the limit of held tasks
    aside, for a claim that is answered in the same write.

    NotFoundError where the task does not exist or is not this person's to choose; ConflictError when somebody
    else holds it, it is done, or the person holds too many.
    """
    task = tasks.find(w, task_id)
    desk, who = _seat(w, reviewer, desk)
    held = desk.held(reviewer, at)
    if task_id in held:
        return task
    _check_here(who, at)
    kinds = kinds_for(role, in_training=who.in_training)
    had = w.read("SELECT 1 FROM skips WHERE task_id = ? AND reviewer = ? LIMIT 1", [task_id, reviewer])
    may_choose = task.kind in PICKABLE or task.assignee == reviewer
    if not had and (not may_choose or task.kind not in kinds):
        raise NotFoundError("there is no such task for you", where=task_id, hint="Take the next one instead.")
    if not roomy and len(held) >= who.limit(policy):
        raise ConflictError(
            f"you hold {len(held)} tasks",
            allowed=f"{who.limit(policy)} at once",
            hint="Finish or release one first.",
        )
    if had or not desk.free(task_id, who, kinds, policy, at):
        raise ConflictError(
            "this task is not free",
            where=task_id,
            hint="It is done, or held by someone else. Take the next one.",
        )
    return _claimed(w, task, reviewer, policy, at, {"chosen": True})


def _shares(w: Writer, reviewer: str, policy: Policy) -> dict[str, float]:
    """The lanes' shares, with more golden cases for somebody who has answered few of them yet."""
    golden, shares = policy.design.golden, dict(policy.lanes)
    done = w.read(
        "SELECT count(*) AS n FROM verdicts WHERE reviewer = ? AND task_kind = 'golden' AND undone_at IS NULL",
        [reviewer],
    )[0]["n"]
    if done < golden.start_with and shares[lanes.GOLDEN_LANE] > 0:
        shares[lanes.GOLDEN_LANE] = max(golden.start_share, shares[lanes.GOLDEN_LANE])
    return shares


def _seat(w: Writer, reviewer: str, desk: Desk | None) -> tuple[Desk, Reviewer]:
    desk = desk or Desk()
    desk.catch_up(w)
    return desk, desk.reviewers.get(reviewer, Reviewer(reviewer))


def _check_here(who: Reviewer, at: datetime) -> None:
    if who.is_away(at):
        raise ConflictError(
            f"you are away until {who.away_until:%Y-%m-%d %H:%M} UTC", hint="Say that you are back first."
        )


def _claimed(w: Writer, task: Task, reviewer: str, policy: Policy, at: datetime, how: dict[str, Any]) -> Task:
    if task.status == CLAIMED:
        tasks.note_expiry(w, task, at)
    claimed = tasks.lock(w, task, reviewer, policy, at)
    payload = {"lane": task.lane, "lock_minutes": policy.task.lock_minutes, **how}
    w.event(EventDraft(reviewer, "task.claimed", f"task:{task.task_id}", payload), at)
    return claimed
