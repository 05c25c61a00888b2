"""Does a new alert belong to a case that is open on the same entity, and what does it change there?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.cases import cases
from casework.cases.cases import CASE_OPEN, Case
from casework.review import tasks
from casework.review.lanes import expected_money
from casework.review.review_design import draw_design
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


class OpenCases:
    """Which values of the joining entity may have an open case young enough to join, by when their latest was opened:
    a memory that can only be too long, so that a decision on anybody else costs no query, and its write need not wait
    for DuckDB."""

    def __init__(self) -> None:
        self._entity = ""
        self._opened: dict[str, datetime] = {}

    def load(self, ledger: Ledger, policy: Policy) -> None:
        """Fill the memory, if policy has alerts join and it is not filled yet."""
        joining = policy.work.joining
        if joining is None or joining.entity == self._entity:
            return
        rows = ledger.read(_OPEN_CASES, [joining.entity])
        self._entity, self._opened = joining.entity, {}
        for row in rows:
            self.add(joining.entity, row["entity_value"], row["opened_at"])

    def may_have(self, payments: Iterable[Transaction], policy: Policy, at: datetime) -> bool:
        """Whether any of these payments' entities may have a case to join; True as long as that is not known."""
        joining = policy.work.joining
        if joining is None:
            return False
        if joining.entity != self._entity:
            return True
        return any(self._young(p.entities.get(joining.entity), joining, at) for p in payments)

    def will_join(self, made: Sequence[Decision], policy: Policy, at: datetime) -> bool:
        """Whether one of these decisions may join a case, one that another of them opens included."""
        joining = policy.work.joining
        if joining is None:
            return False
        alerts = [d.transaction for d in made if d.outcome is Outcome.REVIEW]
        values = [v for p in alerts if (v := p.entities.get(joining.entity))]
        return len(set(values)) < len(values) or self.may_have(alerts, policy, at)

    def add(self, entity: str, value: str, at: datetime) -> None:
        """There is now, or may be, a case on this value, opened at `at`."""
        if entity == self._entity:
            self._opened[value] = max(at, self._opened.get(value, at))

    def _young(self, value: str | None, joining: Joining, at: datetime) -> bool:
        opened = self._opened.get(value) if value else None
        return opened is not None and opened >= at - joining.within

    def fitting(self, w: Writer, decision: Decision, policy: Policy, at: datetime) -> Case | None:
        """The open case that this alert joins, or None: the latest of its entity and segment that is young enough, has
        room, and has time left."""
        joining = policy.work.joining
        value = decision.transaction.entities.get(joining.entity) if joining else None
        if joining is None or not value or not self._young(value, joining, at):
            return None
        rows = w.read(_OPEN_CASES + " AND c.entity_value = ?", [joining.entity, value])
        if not rows:
            self._opened.pop(value, None)
        fitting = [row for row in rows if _fits(row, decision, joining, policy, at)]
        return cases.find(w, max(fitting, key=_age)["case_id"]) if fitting else None


def _age(row: Mapping[str, Any]) -> tuple[datetime, str]:
    return row["opened_at"], row["case_id"]


def _fits(row: Mapping[str, Any], decision: Decision, joining: Joining, policy: Policy, at: datetime) -> bool:
    segment = cases.segment_of(decision)
    time_left, whole = row["deadline"] - at, policy.segment(segment).deadline
    young = row["opened_at"] >= at - joining.within
    return (
        row["segment"] == segment
        and young
        and time_left * LEAST_TIME_LEFT >= whole
        and row["size"] < joining.most
    )


def join(
    w: Writer,
    case: Case,
    decision: Decision,
    dossier: Mapping[str, Any],
    policy: Policy,
    key: bytes,
    at: datetime,
) -> Case:
    """Add an alert to an open case: its payment, and tasks of its own on it, in the display arm of the case.

    The case rises by what the alert may cost, and its deadline stays, so the alert is looked at no later than it would
    have been alone. One arm for the whole case: whoever has seen the score of one payment would not be blind to the
    next.
    """
    payment = decision.transaction
    rise = expected_money(decision.probability, payment.amount_minor)
    design = draw_design(policy, key, payment.transaction_id, payment.amount_minor)
    before = tasks.where(w, "t.case_id = ?", [case.case_id])
    if before:
        design = replace(design, arm=before[0].arm, arm_probability=before[0].arm_probability)
    cases.add_payment(w, case, decision, decision.triage.sentence, at)
    raised = replace(case, amount_minor=case.amount_minor + (payment.amount_minor or 0))
    w.execute("UPDATE cases SET amount_minor = ? WHERE case_id = ?", [raised.amount_minor, case.case_id])
    waiting = [task for task in before if task.status in (tasks.OPEN, tasks.CLAIMED)]
    highest = max((task.priority for task in waiting), default=0.0) + rise
    _say(w, case, decision, raised.amount_minor, design.second, at)
    for task in waiting:
        tasks.raise_priority(w, task, task.priority + rise, at)
    first = cases.first_task(raised, decision, design, policy, key)
    first = replace(first, created_at=at, deadline=case.deadline, priority=highest)
    cases.open_tasks(w, first, design, {**dossier, "lane": dossier.get("lane") or "uncertain"}, key, at)
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
