"""Which past payments are put before everybody at once, and who has answered?

A pilot's tasks lie on each person's desk and come next. They show nothing of the engine, settle nothing and are no
label; a second pilot asks about the same payments once the guideline has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.cases import dossiers
from casework.cases.dossiers import Guideline
from casework.review import reviewers, tasks
from casework.review.lanes import PILOT_LANE
from casework.review.measuring import fresh
from casework.review.review_design import BLIND_FIRST, PILOT, opaque_id
from casework.review.reviewers import Reviewer
from casework.review.tasks import OPEN, Task
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.draws import draw
from engine.policy import Policy

MOST_CASES = 500
LEAST_PEOPLE = 2
_ANALYSTS = "SELECT user_id FROM users WHERE role = 'analyst' AND disabled_at IS NULL ORDER BY user_id"
# Payments that people have looked at and nobody is at work on, with the dossier of their first task.
_PAST = """
    SELECT t.transaction_seq, any_value(d.transaction_id) AS transaction_id,
           arg_min(t.dossier_id, t.created_at) AS dossier_id, arg_min(t.queue, t.created_at) AS queue,
           arg_min(t.segment, t.created_at) AS segment, max(t.amount_minor) AS amount_minor,
           any_value(d.decided_at) AS decided_at
    FROM tasks t JOIN decisions d USING (transaction_seq) WHERE t.kind IN ('primary', 'audit')
    GROUP BY t.transaction_seq HAVING NOT bool_or(t.status IN ('open', 'claimed')) ORDER BY t.transaction_seq
"""
_LISTED = """
    SELECT p.pilot_id, p.name, p.opened_by, p.opened_at, p.follows, p.guideline_version, p.closed_at,
           count(DISTINCT x.transaction_seq) AS cases, count(DISTINCT x.reviewer) AS people, count(*) AS asked,
           count(*) FILTER (t.status = 'done') AS answered
    FROM pilots p JOIN pilot_tasks x USING (pilot_id) JOIN tasks t ON t.task_id = x.task_id
    GROUP BY ALL ORDER BY p.opened_at DESC, p.pilot_id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a team lead asks for: `cases` past payments drawn by chance, or those of `transaction_ids`, or those of the
    pilot it `follows`; put before `people` (empty: every analyst neither away nor in training); due in `days`."""

    name: str
    cases: int = 40
    transaction_ids: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    follows: str = ""
    days: int = 7

    def check(self) -> None:
        """InputError for a batch that cannot be opened."""
        if not self.name.strip():
            raise InputError("a pilot needs a name", where="name")
        if not 1 <= self.cases <= MOST_CASES or len(self.transaction_ids) > MOST_CASES:
            raise InputError(
                "this many cases cannot be asked about", where="cases", allowed=f"1 to {MOST_CASES}"
            )
        if not 1 <= self.days <= 90:
            raise InputError("people get 1 to 90 days", where="days", allowed="1 to 90")


def read_ahead(ledger: Ledger, batch: Batch, key: bytes, by: str, at: datetime) -> None:
    """Have in memory what the pages of its payments showed: in `open_pilot`, payments would wait while DuckDB finds
    them one by one. Raises as `open_pilot` does for payments that cannot be part of it."""
    batch.check()
    for case in _chosen(ledger, batch, _id_of(batch, key, by, at), key):
        dossiers.stored(ledger, case["dossier_id"], case["transaction_seq"])


def open_pilot(
    w: Writer, batch: Batch, guideline: Guideline, policy: Policy, key: bytes, by: str, at: datetime
) -> str:
    """Put the batch on everybody's desk under the guideline in force; the pilot's id.

    NotFoundError for a payment or person who cannot be part of it, ConflictError where too few can.
    """
    batch.check()
    pilot_id = _id_of(batch, key, by, at)
    people, chosen = _people(w, batch, at), _chosen(w, batch, pilot_id, key)
    row = {
        "pilot_id": pilot_id,
        "name": batch.name.strip(),
        "opened_by": by,
        "opened_at": at,
        "follows": batch.follows,
        "guideline_version": guideline.version,
        "guideline": guideline.text,
        "closed_at": None,
    }
    w.insert("pilots", [row])
    told = {k: row[k] for k in ("name", "follows", "guideline_version")}
    told |= {"cases": [case["transaction_seq"] for case in chosen], "people": people}
    w.event(EventDraft(by, "pilot.opened", f"pilot:{pilot_id}", told), at)
    due = at + timedelta(days=batch.days)
    stored = dossiers.load_all(w, [(case["dossier_id"], case["transaction_seq"]) for case in chosen])
    for reviewer in people:
        for case, shown in zip(chosen, stored, strict=True):
            task_id = _open(w, pilot_id, reviewer, case, shown, guideline, policy, key, by, due, at)
            w.insert(
                "pilot_tasks",
                [
                    {
                        "pilot_id": pilot_id,
                        "task_id": task_id,
                        "transaction_seq": case["transaction_seq"],
                        "reviewer": reviewer,
                    }
                ],
            )
    return pilot_id


def close(w: Writer, pilot_id: str, by: str, at: datetime) -> None:
    """End a pilot: what was not answered is withdrawn. ConflictError when it is closed already."""
    row = find(w, pilot_id)
    if row["closed_at"] is not None:
        raise ConflictError("this pilot is closed already", where=pilot_id)
    waiting = w.read("SELECT task_id FROM pilot_tasks WHERE pilot_id = ?", [pilot_id])
    for each in waiting:
        task = tasks.find(w, each["task_id"])
        if task.status == OPEN:
            tasks.finish(w, task, tasks.WITHDRAWN, by, "the pilot was closed", at)
    w.execute("UPDATE pilots SET closed_at = ? WHERE pilot_id = ?", [at, pilot_id])
    w.event(EventDraft(by, "pilot.closed", f"pilot:{pilot_id}", {}), at)


def find(source: Ledger | Writer, pilot_id: str) -> dict[str, Any]:
    """The pilot's row; NotFoundError if there is none of that id."""
    rows = source.read("SELECT * FROM pilots WHERE pilot_id = ?", [pilot_id])
    if not rows:
        raise NotFoundError("there is no such pilot", where=pilot_id)
    return rows[0]


def listed(source: Ledger | Writer) -> list[dict[str, Any]]:
    """Every pilot with how many cases, people, tasks and answers it has, the newest first."""
    return source.read(_LISTED)


def _id_of(batch: Batch, key: bytes, by: str, at: datetime) -> str:
    return opaque_id(key, "pilot", batch.name, by, at.isoformat())


def _people(w: Writer, batch: Batch, at: datetime) -> list[str]:
    known = [row["user_id"] for row in w.read(_ANALYSTS)]
    strange = [who for who in batch.people if who not in known]
    if strange:
        raise NotFoundError("there is no such analyst", where=strange[0], allowed=", ".join(known))
    places = reviewers.all_reviewers(w)
    here = [who for who in (places.get(name, Reviewer(name)) for name in known) if not who.is_away(at)]
    found = list(dict.fromkeys(batch.people)) or [who.user_id for who in here if not who.in_training]
    if len(found) < LEAST_PEOPLE:
        raise ConflictError("a pilot needs several people", allowed=f"{LEAST_PEOPLE} or more")
    return found


def _chosen(source: Ledger | Writer, batch: Batch, pilot_id: str, key: bytes) -> list[dict[str, Any]]:
    past = {row["transaction_id"]: row for row in source.read(_PAST)}
    wanted: Sequence[str] = list(dict.fromkeys(batch.transaction_ids))
    if batch.follows:
        find(source, batch.follows)
        sql = "SELECT DISTINCT transaction_seq FROM pilot_tasks WHERE pilot_id = ?"
        rows = source.read(sql, [batch.follows])
        before = {row["transaction_seq"] for row in rows}
        wanted = [name for name, row in past.items() if row["transaction_seq"] in before]
    if not wanted:
        wanted = sorted(past, key=lambda name: draw(key, "pilot", f"{pilot_id}:{name}"))[: batch.cases]
    missing = [name for name in wanted if name not in past]
    if missing:
        hint = "A pilot asks about payments that people have looked at and nobody is at work on."
        raise NotFoundError("this payment cannot be part of a pilot", where=missing[0], hint=hint)
    if not wanted:
        raise ConflictError("nobody has looked at any payment yet", hint="A pilot asks about past cases.")
    return [past[name] for name in wanted]


def _open(
    w: Writer,
    pilot_id: str,
    reviewer: str,
    case: dict[str, Any],
    stored: dict[str, Any],
    guideline: Guideline,
    policy: Policy,
    key: bytes,
    by: str,
    due: datetime,
    at: datetime,
) -> str:
    """Open one task with a dossier of its own, the stored one moved to look fresh where that can be done."""
    seq, names = case["transaction_seq"], (case["transaction_id"], pilot_id, reviewer)
    moved = fresh.shift(case["decided_at"], at, policy.segment(case["segment"]).deadline)
    shown = fresh.dossier(stored, moved or timedelta(0), guideline)
    task = Task(
        task_id=opaque_id(key, "task", *names),
        case_id="",
        dossier_id=opaque_id(key, "dossier", *names),
        transaction_seq=seq,
        kind=PILOT,
        lane=PILOT_LANE,
        queue=case["queue"],
        segment=case["segment"],
        probability=1.0,
        status=OPEN,
        arm=BLIND_FIRST,
        priority=0.0,
        amount_minor=case["amount_minor"],
        created_at=at,
        deadline=due,
        assignee=reviewer,
    )
    digest = dossiers.store(w, task.dossier_id, "", seq, shown, at)
    tasks.insert(w, task, by, digest, at)
    return task.task_id
