"""Which open tasks are there for this reviewer, without asking the ledger about every one of them?

A memory of the open tasks, sorted as they are handed out. It follows the record: before each use it reads the events
since the last one and loads anew the tasks they name, so that a failed write or a crash cannot leave it wrong.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import orjson

from casework.review import desk_news
from casework.review.desk_news import CLAIMED, JOINED, REVIEWERS, SPOKEN, Changes, Event
from casework.review.lanes import RANDOM_LANES, REPEATED_LANES, SECOND_LANE
from casework.review.likeness import LONGEST, Stretches, resembles
from casework.review.review_design import PILOT, RE_SERVE
from casework.review.reviewers import Reviewer, all_reviewers
from casework.review.rotation import SHARED, SHARED_KINDS, Together
from casework.review.tasks import raised_by_case
from data.events import microseconds
from data.writer import Head, Writer
from engine.policy import Policy

_OPEN = """
    SELECT task_id, case_id, transaction_seq, kind, lane, queue, status, priority, created_at, deadline, claimed_by,
           lock_expires_at, assignee, snoozed_until, about, alike
    FROM tasks WHERE status IN ('open', 'claimed')
"""
# By rowid, found from one column: DuckDB would else read all columns of all rows.
_CHANGED = (
    f"{_OPEN} AND rowid IN (SELECT rowid FROM tasks WHERE task_id IN (SELECT unnest(CAST(? AS VARCHAR[]))))"
)
_OF_CASES = """
    SELECT task_id FROM tasks
    WHERE status IN ('open', 'claimed') AND case_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
"""
_CLAIMS = """
    SELECT e.actor AS reviewer, t.about, t.alike FROM events e JOIN tasks t ON e.subject = 'task:' || t.task_id
    WHERE e.kind = 'task.claimed'
    QUALIFY row_number() OVER (PARTITION BY e.actor ORDER BY e.seq DESC) <= ? ORDER BY e.seq
"""
_LIKE = "SELECT task_id, about, alike FROM tasks"
_JUDGED = f"""
    SELECT transaction_seq, reviewer, task_kind IN {SHARED_KINDS} AS shared FROM verdicts
    WHERE transaction_seq BETWEEN ? AND ? AND list_contains(CAST(? AS BIGINT[]), transaction_seq)
    UNION ALL
    SELECT transaction_seq, reviewer, false AS shared FROM skips
    WHERE transaction_seq BETWEEN ? AND ? AND list_contains(CAST(? AS BIGINT[]), transaction_seq)
"""
_LOOKED_THROUGH = 50
"""Second reviews among which one with the least usual colleague is looked for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What handing out needs to know of an open or claimed task. `priority` is its own and its case's."""

    task_id: str
    case_id: str
    transaction_seq: int
    kind: str
    lane: str
    queue: str
    status: str
    priority: float
    created_at: datetime
    deadline: datetime
    claimed_by: str
    lock_expires_at: datetime | None
    assignee: str
    snoozed_until: datetime | None
    about: str = ""
    alike: str = ""

    def held_at(self, at: datetime) -> bool:
        """Whether somebody holds it under a lock that still runs."""
        return self.status == "claimed" and self.lock_expires_at is not None and self.lock_expires_at > at

    @property
    def rank(self) -> tuple[float, str]:
        """Its place among those with time left: the most expected money first; the keyed id where it was drawn at
        random, since an order by money would decide who is left unread."""
        return (0.0 if self.lane in RANDOM_LANES else -self.priority, self.task_id)

    @property
    def soon(self) -> tuple[int, str]:
        """From when (microseconds) it is in the last quarter of its time."""
        opened, due = microseconds(self.created_at), microseconds(self.deadline)
        return (due - (due - opened) // 4, self.task_id)


@dataclass(slots=True)
class _Line:
    """One queue's tasks of one lane, by rank, and by when they become urgent."""

    ranked: list[tuple[float, str]] = field(default_factory=list)
    urgent: list[tuple[int, str]] = field(default_factory=list)
    is_shared: bool = False
    """Whether others judge the same payments, so that it matters with whom one works."""

    def add(self, task: Waiting) -> None:
        insort(self.ranked, task.rank)
        insort(self.urgent, task.soon)

    def remove(self, task: Waiting) -> None:
        del self.ranked[bisect_left(self.ranked, task.rank)]
        del self.urgent[bisect_left(self.urgent, task.soon)]


class Desk:
    """The open tasks in memory. Used under the ledger's write lock; `catch_up` first."""

    def __init__(self) -> None:
        self.reviewers: dict[str, Reviewer] = {}
        self._seen: Head | None = None
        self._tasks: dict[str, Waiting] = {}
        self._lines: dict[tuple[str, str], _Line] = defaultdict(_Line)
        self._on: dict[int, set[str]] = defaultdict(set)
        self._judged: dict[int, set[str]] = defaultdict(set)
        self._shared: dict[int, set[str]] = defaultdict(set)
        self._together = Together()
        self._held: dict[str, set[str]] = defaultdict(set)
        self._stretches = Stretches()

    def catch_up(self, w: Writer) -> None:
        """Read what was recorded since the last time; all of it anew where that is no longer in the record, because
        the write it was in came to nothing."""
        if self._seen == w.head:
            return
        if self._seen is None or not self._follow(w, self._seen):
            self._load(w)
        self._seen = w.head

    def free(self, task_id: str, who: Reviewer, kinds: Collection[str], policy: Policy, at: datetime) -> bool:
        """Whether this person may be given this task now."""
        task = self._tasks.get(task_id)
        return task is not None and self._fits(task, who, policy) and self._may(task, who, kinds, at)

    def first_of_lanes(
        self, who: Reviewer, kinds: Collection[str], policy: Policy, at: datetime
    ) -> dict[str, str]:
        """The id of the first task of each lane that has one for this person, over the queues he or she serves.

        In a lane those in the last quarter of their time come first, by deadline; the rest by rank. Payments shown
        again are a share of the work, so where there is no other work there is none of them either. What is nearly the
        same as too much of what this person had of late is left out, unless there is nothing else; of second reviews
        one comes first that lets this person work with somebody he or she has worked with least (see rotation).
        """
        full = self._stretches.full(who.user_id, policy.work)
        found = self._firsts(who, kinds, policy, at, full)
        return found or (self._firsts(who, kinds, policy, at, frozenset()) if full else {})

    def _firsts(
        self, who: Reviewer, kinds: Collection[str], policy: Policy, at: datetime, full: Collection[str]
    ) -> dict[str, str]:
        best: dict[str, tuple[Any, ...]] = {}
        for (queue, lane), line in self._lines.items():
            if not who.serves(policy.work.queue(queue)):
                continue
            shunned = () if lane in RANDOM_LANES else full
            place = self._urgent(line, who, kinds, at, shunned) or self._ranked(line, who, kinds, at, shunned)
            if place and (lane not in best or place < best[lane]):
                best[lane] = place
        if not set(best) - set(REPEATED_LANES):
            return {}
        return {lane: place[-1] for lane, place in best.items()}

    def mine(self, who: Reviewer, kinds: Collection[str], policy: Policy, at: datetime) -> str:
        """The first task that was put on this person's desk and is due to be taken up, '' if none. Tasks drawn at
        random keep to their lane's share, but for those he or she knows of: set aside, or put there by a team lead."""
        found = [
            task
            for task in self._tasks.values()
            if task.assignee == who.user_id
            and (task.lane not in RANDOM_LANES or task.snoozed_until is not None)
            and self._may(task, who, kinds, at)
        ]
        return min(found, key=lambda task: (task.deadline, task.task_id)).task_id if found else ""

    def held(self, reviewer: str, at: datetime) -> list[str]:
        """Ids of the tasks a person holds, the oldest first."""
        tasks = [self._tasks[task_id] for task_id in self._held.get(reviewer, ())]
        holding = [task for task in tasks if task.held_at(at)]
        return [task.task_id for task in sorted(holding, key=lambda t: (t.created_at, t.task_id))]

    def _urgent(
        self, line: _Line, who: Reviewer, kinds: Collection[str], at: datetime, full: Collection[str]
    ) -> tuple[Any, ...] | None:
        due = line.urgent[: bisect_right(line.urgent, (microseconds(at), "\uffff"))]
        tasks = sorted((self._tasks[task_id] for _, task_id in due), key=lambda t: (t.deadline, t.rank))
        fresh = (task for task in tasks if not resembles(task, full))
        found = next((task for task in fresh if self._may(task, who, kinds, at)), None)
        return (0, microseconds(found.deadline), *found.rank) if found else None

    def _ranked(
        self, line: _Line, who: Reviewer, kinds: Collection[str], at: datetime, full: Collection[str]
    ) -> tuple[Any, ...] | None:
        tasks = (self._tasks[task_id] for _, task_id in line.ranked)
        free = (task for task in tasks if not resembles(task, full) and self._may(task, who, kinds, at))
        found = islice(free, _LOOKED_THROUGH if line.is_shared else 1)
        return min(((1, self._times_together(task, who), *task.rank) for task in found), default=None)

    def _times_together(self, task: Waiting, who: Reviewer) -> int:
        if task.lane != SECOND_LANE:
            return 0
        return self._together.times(who.user_id, self._shared.get(task.transaction_seq, ()))

    def _fits(self, task: Waiting, who: Reviewer, policy: Policy) -> bool:
        return task.assignee == who.user_id or who.serves(policy.work.queue(task.queue))

    def _may(self, task: Waiting, who: Reviewer, kinds: Collection[str], at: datetime) -> bool:
        """Nobody is offered a payment that he or she has judged, holds, or gave back before; but a re-serve or a
        pilot asks the same person again, on purpose."""
        if task.kind not in kinds or task.held_at(at) or task.assignee not in ("", who.user_id):
            return False
        if task.snoozed_until is not None and at < task.snoozed_until:
            return False
        if task.kind not in (RE_SERVE, PILOT) and who.user_id in self._judged.get(task.transaction_seq, ()):
            return False
        others = (self._tasks[other] for other in self._on[task.transaction_seq] if other != task.task_id)
        return not any(other.claimed_by == who.user_id and other.held_at(at) for other in others)

    def _load(self, w: Writer) -> None:
        self.reviewers = all_reviewers(w)
        for memory in (self._tasks, self._lines, self._on, self._judged, self._shared, self._held):
            memory.clear()
        self._together.clear()
        for row in reversed(w.read(SHARED)):
            self._together.note(row["other"], [row["one"]])
        self._put(w, w.read(_OPEN))
        self._stretches.clear()
        self._stretches.note(w.read(_CLAIMS, [LONGEST]))

    def _follow(self, w: Writer, seen: Head) -> bool:
        news = desk_news.since(w, seen)
        if news is None:
            return False
        claims = [(event["actor"], event["subject"][5:]) for event in news if event["kind"] == CLAIMED]
        self._stretches.note(self._resembling(w, claims))
        changes = Changes()
        for event in news:
            if task_id := self._hear(event):
                changes.note(task_id, event)
        if any(event["kind"] == REVIEWERS for event in news):
            self.reviewers = all_reviewers(w)
        unclear = changes.unclear | {task_id for task_id in changes.claimed if task_id not in self._tasks}
        if joined := sorted({event["subject"][5:] for event in news if event["kind"] == JOINED}):
            unclear.update(row["task_id"] for row in w.read(_OF_CASES, [joined]))
        rows = w.read(_CHANGED, [sorted(unclear)]) if unclear else []
        self._drop(unclear | changes.ended)
        for task_id in changes.claimed.keys() - unclear:
            self._claim(task_id, changes.claimed[task_id])
        self._put(w, rows)
        return True

    def _resembling(self, w: Writer, claims: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """What each claimed task is like, in the order of the claims; asked of the ledger only where a task came and
        was claimed since the last time."""
        unknown = sorted({task_id for _, task_id in claims if task_id not in self._tasks})
        rows = w.read(f"{_LIKE} WHERE list_contains(?, task_id)", [unknown]) if unknown else []
        signs = {row["task_id"]: (row["about"], row["alike"]) for row in rows}
        for _, task_id in claims:
            if task_id in self._tasks:
                signs[task_id] = (self._tasks[task_id].about, self._tasks[task_id].alike)
        return [
            {"reviewer": who, "about": signs[task_id][0], "alike": signs[task_id][1]}
            for who, task_id in claims
        ]

    def _hear(self, event: Event) -> str:
        """Take note of who has judged or given back what; the id of the task to load anew, or ''."""
        if event["kind"] in SPOKEN:
            said = orjson.loads(event["payload"])
            if "transaction_seq" in said:
                self._note(said["transaction_seq"], event["actor"])
                if said["task_kind"] in SHARED_KINDS:
                    self._note_shared(said["transaction_seq"], event["actor"])
            return str(said["task_id"])
        task_id = str(event["subject"]).removeprefix("task:")
        if event["kind"] in ("task.released", "task.escalated") and task_id in self._tasks:
            self._note(self._tasks[task_id].transaction_seq, event["actor"])
        return task_id if str(event["subject"]).startswith("task:") else ""

    def _note(self, transaction_seq: int, reviewer: str) -> None:
        if transaction_seq in self._on:
            self._judged[transaction_seq].add(reviewer)

    def _note_shared(self, transaction_seq: int, reviewer: str) -> None:
        if transaction_seq in self._on:
            self._together.note(reviewer, self._shared[transaction_seq])
            self._shared[transaction_seq].add(reviewer)

    def _claim(self, task_id: str, event: Event) -> None:
        """Somebody took a task that was known as it was: nothing else of it changed."""
        task, reviewer = self._tasks[task_id], str(event["actor"])
        until = event["recorded_at"] + timedelta(minutes=orjson.loads(event["payload"])["lock_minutes"])
        self._tasks[task_id] = replace(task, status="claimed", claimed_by=reviewer, lock_expires_at=until)
        self._held[task.claimed_by].discard(task_id)
        self._held[reviewer].add(task_id)

    def _drop(self, changed: Iterable[str]) -> None:
        for task_id in changed:
            task = self._tasks.pop(task_id, None)
            if task is None:
                continue
            self._lines[task.queue, task.lane].remove(task)
            self._held[task.claimed_by].discard(task_id)
            self._on[task.transaction_seq].discard(task_id)

    def _put(self, w: Writer, rows: Sequence[Mapping[str, Any]]) -> None:
        fresh: set[int] = set()
        raised = raised_by_case(w, (row["case_id"] for row in rows))
        for row in rows:
            task = Waiting(**{**row, "priority": row["priority"] + raised.get(row["case_id"], 0.0)})
            self._tasks[task.task_id] = task
            line = self._lines[task.queue, task.lane]
            line.is_shared = task.lane == SECOND_LANE
            line.add(task)
            if task.transaction_seq not in self._on:
                fresh.add(task.transaction_seq)
            self._on[task.transaction_seq].add(task.task_id)
            if task.claimed_by:
                self._held[task.claimed_by].add(task.task_id)
        self._forget_settled()
        if fresh:
            seqs = sorted(fresh)
            span = [seqs[0], seqs[-1], seqs]
            for row in w.read(_JUDGED, [*span, *span]):
                self._judged[row["transaction_seq"]].add(row["reviewer"])
                if row["shared"]:
                    self._shared[row["transaction_seq"]].add(row["reviewer"])

    def _forget_settled(self) -> None:
        for seq in [seq for seq, open_tasks in self._on.items() if not open_tasks]:
            del self._on[seq]
            self._judged.pop(seq, None)
            self._shared.pop(seq, None)
