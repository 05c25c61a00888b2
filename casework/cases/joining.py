"""Does a new alert belong to a case that is open on the same entity, and what does it change there?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from casework.cases import cases
from casework.cases.cases import CASE_OPEN, Case
from casework.review import tasks
from casework.review.lanes import expected_money
from casework.review.review_design import draw_design
from casework.review.tasks import Task
from data.events import EventDraft
from data.ledger import Ledger
from data.transactions import Transaction
from data.writer import Writer
from engine.decision import Decision, Outcome
from engine.policy import Policy
from engine.policy_work import Joining

LEAST_TIME_LEFT = 4
"""A case with less than a fourth of its segment's time left takes no more alerts: they would get no look of their
own."""
_OPEN_CASES = f"""
    SELECT {cases.COLUMNS}, c.entity_value,
           (SELECT count(*) FROM case_transactions x WHERE x.case_id = c.case_id) AS size
    FROM cases c WHERE c.status = '{CASE_OPEN}' AND c.entity = ?
"""
_NAMED = "IN (SELECT unnest(CAST(? AS VARCHAR[])))"
_NOWHERE = -1
_MOST_KNOWN = 30_000
"""Values whose cases are kept at most: some 3 KB each."""
_MOST_AT_ONCE = 200
"""Values beside those asked for that are read with them."""


class BehindError(Exception):
    """A write that only adds cannot say whether an alert joins a case: somebody acted since cases were last read."""


@dataclass(slots=True)
class Young:
    """An open case that may take alerts, as it stands: how many payments it has, and all its tasks."""

    case: Case
    size: int
    tasks: list[Task] = field(default_factory=list)


class OpenCases:
    """The cases that alerts may join, in memory, so that a decision asks DuckDB for nothing.

    Which values of the joining entity may have an open case young enough is known from the start, by when their latest
    was opened: a memory that can only be too long. What such a case holds is read when it is first asked for, and
    kept up by those who decide. It is right as long as nobody else has written: an event that is not theirs makes
    everything unknown again (`_stand` is the last event up to which it is right).
    """

    def __init__(self) -> None:
        self._entity, self._within = "", timedelta(0)
        self._opened: dict[str, datetime] = {}
        self._known: dict[str, list[Young]] = {}
        self._stand = _NOWHERE

    def load(self, ledger: Ledger, policy: Policy) -> None:
        """Fill the memory of values, if policy has alerts join and it is not filled yet."""
        joining = policy.work.joining
        if joining is None or self._covers(joining):
            return
        rows = ledger.read(_OPEN_CASES, [joining.entity])
        self.forget()
        self._entity, self._within, self._opened = joining.entity, joining.within, {}
        for row in rows:
            self.add(joining.entity, row["entity_value"], row["opened_at"])

    def _covers(self, joining: Joining) -> bool:
        """Whether the memory of values is of this entity, and goes back far enough."""
        return joining.entity == self._entity and joining.within <= self._within

    def trim(self, at: datetime) -> None:
        """Forget values whose latest case is too old for any alert."""
        oldest = at - self._within
        self._opened = {value: opened for value, opened in self._opened.items() if opened >= oldest}

    def forget(self) -> None:
        """Read all cases anew when they are next asked for."""
        self._known, self._stand = {}, _NOWHERE

    def must_read(
        self, ledger: Ledger, payments: Iterable[Transaction], policy: Policy, at: datetime
    ) -> bool:
        """Whether one of these payments may join a case that is not known; True before the values are."""
        joining = policy.work.joining
        if joining is None:
            return False
        return not self._covers(joining) or bool(self._unknown(ledger, payments, joining, at))

    def read(self, ledger: Ledger, payments: Iterable[Transaction], policy: Policy, at: datetime) -> None:
        """Know the cases that these payments may join; costs nothing where they are known."""
        self.load(ledger, policy)
        joining = policy.work.joining
        unknown = self._unknown(ledger, payments, joining, at) if joining else set()
        if joining and unknown:
            stand = (
                ledger.last_event.seq
            )  # before it is read: what is written meanwhile makes all unknown again
            # Reading waits until DuckDB has what was recorded, whatever is read: the others are not waited for again.
            self._take_in(ledger, unknown | self._others(joining, at), joining)
            self._stand = stand

    def prepare(self, w: Writer, made: Sequence[Decision], policy: Policy, at: datetime) -> None:
        """The same inside a write, for alerts. BehindError if they are not known and it cannot read."""
        joining = policy.work.joining
        if joining is None:
            return
        self._catch_up(w.head.seq)
        alerts = (d.transaction for d in made if d.outcome is Outcome.REVIEW)
        unknown = self._young_values(alerts, joining, at) - self._known.keys()
        if unknown:
            if w.only_adds:
                raise BehindError
            self._take_in(w, unknown, joining)

    def written(self, w: Writer) -> None:
        """All that this write has done is known."""
        self._stand = w.head.seq

    def add(self, entity: str, value: str, at: datetime) -> None:
        """There is now, or may be, a case on this value, opened at `at`."""
        if entity == self._entity:
            self._opened[value] = max(at, self._opened.get(value, at))

    def opened(self, entity: str, value: str, young: Young) -> None:
        """A case was opened on this value, in the write that `prepare` was told of."""
        if entity == self._entity and value:
            self.add(entity, value, young.case.opened_at)
            self._known.setdefault(value, []).append(young)

    def fitting(self, decision: Decision, policy: Policy, at: datetime) -> Young | None:
        """The open case that this alert joins, or None: the latest of its entity and segment that is young enough, has
        room, and has time left."""
        joining = policy.work.joining
        value = decision.transaction.entities.get(joining.entity) if joining else None
        if joining is None or not value:
            return None
        known = self._known.get(value, ())
        fitting = [young for young in known if _fits(young, decision, joining, policy, at)]
        return max(fitting, key=lambda young: (young.case.opened_at, young.case.case_id), default=None)

    def _unknown(
        self, ledger: Ledger, payments: Iterable[Transaction], joining: Joining, at: datetime
    ) -> set[str]:
        self._catch_up(ledger.last_event.seq)
        return self._young_values(payments, joining, at) - self._known.keys()

    def _catch_up(self, head: int) -> None:
        if head != self._stand or len(self._known) > _MOST_KNOWN:
            self._known, self._stand = {}, head

    def _young_values(self, payments: Iterable[Transaction], joining: Joining, at: datetime) -> set[str]:
        since, opened, entity = at - joining.within, self._opened, joining.entity
        values = (payment.entities.get(entity) for payment in payments)
        return {v for v in values if v and (when := opened.get(v)) is not None and when >= since}

    def _others(self, joining: Joining, at: datetime) -> set[str]:
        """Values that an alert may ask for next: those whose cases were opened last."""
        since = at - joining.within
        young = [v for v, opened in self._opened.items() if opened >= since and v not in self._known]
        return set(young[-_MOST_AT_ONCE:])

    def _take_in(self, source: Ledger | Writer, values: Collection[str], joining: Joining) -> None:
        """Read the open cases of these values with their tasks, all at once."""
        rows = source.read(f"{_OPEN_CASES} AND c.entity_value {_NAMED}", [joining.entity, list(values)])
        found = {row["case_id"]: Young(_case(row), row["size"]) for row in rows}
        if found:
            for task in tasks.where(source, f"t.case_id {_NAMED}", [list(found)]):
                found[task.case_id].tasks.append(task)
        self._known.update({value: [] for value in values})
        for row in rows:
            self._known[row["entity_value"]].append(found[row["case_id"]])
        for value in values:
            if not self._known[value]:
                self._opened.pop(value, None)


def _case(row: Mapping[str, Any]) -> Case:
    return Case(**{name: row[name] for name in Case.__dataclass_fields__})


def _fits(young: Young, decision: Decision, joining: Joining, policy: Policy, at: datetime) -> bool:
    case, segment = young.case, cases.segment_of(decision)
    time_left, whole = case.deadline - at, policy.segment(segment).deadline
    return (
        case.segment == segment
        and case.opened_at >= at - joining.within
        and time_left * LEAST_TIME_LEFT >= whole
        and young.size < joining.most
    )


def join(
    w: Writer,
    young: Young,
    decision: Decision,
    dossier: Mapping[str, Any],
    policy: Policy,
    key: bytes,
    at: datetime,
) -> Case:
    """Add an alert to an open case, and to what is known of it: its payment, and tasks of its own on it, in the display
    arm of the case.

    The case rises by what the alert may cost, and its deadline stays, so the alert is looked at no later than it would
    have been alone. One arm for the whole case: whoever has seen the score of one payment would not be blind to the
    next. Only adds rows and changes numbers, so that the write stays a quick one.
    """
    payment, case = decision.transaction, young.case
    rise = expected_money(decision.probability, payment.amount_minor)
    design = draw_design(policy, key, payment.transaction_id, payment.amount_minor)
    before = sorted(young.tasks, key=lambda task: (task.created_at, task.task_id))
    if before:
        design = replace(design, arm=before[0].arm, arm_probability=before[0].arm_probability)
    cases.add_payment(w, case, decision, decision.triage.sentence, at)
    raised = replace(case, amount_minor=case.amount_minor + (payment.amount_minor or 0))
    w.change("cases", "case_id", "amount_minor", {case.case_id: raised.amount_minor})
    waiting = [task for task in before if task.status in (tasks.OPEN, tasks.CLAIMED)]
    highest = max((task.priority for task in waiting), default=0.0) + rise
    _say(w, case, decision, raised.amount_minor, design.second, at)
    for task in waiting:
        tasks.raise_priority(w, task, task.priority + rise, at)
    first = cases.first_task(raised, decision, design, policy, key)
    first = replace(first, created_at=at, deadline=case.deadline, priority=highest)
    added = cases.open_tasks(
        w, first, design, {**dossier, "lane": dossier.get("lane") or "uncertain"}, key, at
    )
    others = [task for task in before if task not in waiting]
    higher = [replace(task, priority=task.priority + rise) for task in waiting]
    young.case, young.size, young.tasks = raised, young.size + 1, [*others, *higher, *added]
    return raised


def _say(w: Writer, case: Case, decision: Decision, amount_minor: int, second: str, at: datetime) -> None:
    payload = {
        "transaction_id": decision.transaction.transaction_id,
        "transaction_seq": decision.transaction.seq,
        "reason": decision.triage.reason.value,
        "reason_detail": decision.triage.sentence,
        "amount_minor_was": case.amount_minor,
        "amount_minor": amount_minor,
        "deadline": case.deadline,
        "second": second,
    }
    w.event(EventDraft("engine", "case.alert_joined", f"case:{case.case_id}", payload), at)
