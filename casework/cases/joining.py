"""What does an alert change in the open case that it joins?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.cases import cases
from casework.cases.cases import Case
from casework.cases.open_cases import Young
from casework.review import tasks
from casework.review.lanes import expected_money
from casework.review.review_design import draw_design
from data.events import EventDraft
from data.writer import Writer
from engine.decision import Decision
from engine.policy import Policy
from engine.segments import within


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

    The case rises by what the alert may cost, and with it every task that waits; its deadline stays, so the alert is
    looked at no later than it would have been alone. One arm for the whole case: whoever has seen the score of one
    payment would not be blind to the next. Only adds rows and changes two numbers of the case, so that the write stays
    a quick one.
    """
    payment, case = decision.transaction, young.case
    rise = expected_money(decision.probability, payment.amount_minor)
    own = within(policy, cases.segment_of(decision))
    design = draw_design(own, key, payment.transaction_id, payment.amount_minor)
    before = sorted(young.tasks, key=lambda task: (task.created_at, task.task_id))
    if before:
        design = replace(design, arm=before[0].arm, arm_probability=before[0].arm_probability)
    cases.add_payment(w, case, decision, decision.triage.sentence, at)
    raised = replace(
        case, amount_minor=case.amount_minor + (payment.amount_minor or 0), raised=case.raised + rise
    )
    w.change("cases", "case_id", "amount_minor", {case.case_id: raised.amount_minor})
    w.change("cases", "case_id", "raised", {case.case_id: raised.raised})
    # Beside those that wait; where none does, worth this alert alone, though the case was raised before.
    waiting = (task.priority for task in before if task.status in (tasks.OPEN, tasks.CLAIMED))
    beside = max(waiting, default=-case.raised)
    _say(w, case, decision, raised, design.second, at)
    first = cases.first_task(raised, decision, design, policy, key)
    first = replace(first, created_at=at, deadline=case.deadline, priority=beside)
    added = cases.open_tasks(
        w, first, design, {**dossier, "lane": dossier.get("lane") or "uncertain"}, key, at
    )
    young.case, young.size, young.tasks = raised, young.size + 1, [*before, *added]
    return raised


def _say(w: Writer, case: Case, decision: Decision, raised: Case, second: str, at: datetime) -> None:
    payload = {
        "transaction_id": decision.transaction.transaction_id,
        "transaction_seq": decision.transaction.seq,
        "reason": decision.triage.reason.value,
        "reason_detail": decision.triage.sentence,
        "amount_minor_was": case.amount_minor,
        "amount_minor": raised.amount_minor,
        "raised_was": case.raised,
        "raised": raised.raised,
        "deadline": case.deadline,
        "second": second,
    }
    w.event(EventDraft("engine", "case.alert_joined", f"case:{case.case_id}", payload), at)
