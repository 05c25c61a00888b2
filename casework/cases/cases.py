"""How does a decision become a case with its tasks, and when is that case settled?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from casework.cases import dossiers
from casework.review import likeness, tasks
from casework.review.lanes import SECOND_LANE, expected_money
from casework.review.review_design import (
    AUDIT,
    BLIND_FIRST,
    PRIMARY,
    SCORE_SHOWN,
    SECOND,
    Design,
    draw_design,
    opaque_id,
)
from casework.review.tasks import OPEN, Task
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.decision import Decision, Outcome
from engine.policy import Policy
from engine.segments import within

CASE_OPEN, IN_ADJUDICATION, CLOSED, TIMED_OUT = "open", "in_adjudication", "closed", "timed_out"
BY_HAND = "by_hand"
_THIRD = "third"  # a part of ids only: a third review is a second one more


@dataclass(frozen=True, slots=True)
class Case:
    """What people look at: one payment, and those whose alerts joined it. `transaction_seq` is the payment it was
    opened on, `amount_minor` the sum of all, `raised` what alerts that joined add to each task's priority. `verdict` is
    '' until all are settled; `reason` a triage reason or by_hand. `queue` is where its tasks wait, `segment` the part
    of the policy whose deadline and timeout apply."""

    case_id: str
    transaction_seq: int
    status: str
    reason: str
    reason_detail: str
    queue: str
    amount_minor: int
    opened_by: str
    opened_at: datetime
    deadline: datetime
    verdict: str = ""
    closed_at: datetime | None = None
    segment: str = "default"
    raised: float = 0.0


COLUMNS = ", ".join(f"c.{name}" for name in Case.__dataclass_fields__)


Opened = Callable[[Case, list[Task]], None]


def open_review(
    w: Writer,
    decision: Decision,
    dossier: Mapping[str, Any],
    policy: Policy,
    key: bytes,
    at: datetime,
    tell: Opened | None = None,
) -> Case | Task | None:
    """What a fresh decision calls for: a case for review, an audit task if drawn, else nothing. `tell` hears of a
    case and its tasks."""
    if decision.outcome is Outcome.REVIEW:
        return open_case(w, decision, dossier, policy, key, at, tell=tell)
    if decision.draws.audited:
        return open_audit(w, decision, dossier, policy, key, at)
    return None


def open_case(
    w: Writer,
    decision: Decision,
    dossier: Mapping[str, Any],
    policy: Policy,
    key: bytes,
    at: datetime,
    *,
    opened_by: str = "engine",
    reason: str = "",
    tell: Opened | None = None,
) -> Case:
    """Open a case on a decision: the case, its primary task, and a second one if drawn or if four eyes are
    needed. `tell` hears of the case and its tasks.

    By hand (`opened_by` a person) a reason in words is needed, the score is shown, since whoever asks has seen it,
    and a transaction with a case already is a ConflictError. The engine only opens cases on decisions of the same
    write, which cannot have one.
    """
    transaction = decision.transaction
    by_hand = opened_by != "engine"
    if by_hand:
        _check_by_hand(w, decision, reason)
    segment = segment_of(decision)
    case = Case(
        case_id=opaque_id(key, "case", transaction.transaction_id),
        transaction_seq=transaction.seq,
        status=CASE_OPEN,
        reason=BY_HAND if by_hand else decision.triage.reason.value,
        reason_detail=reason if by_hand else decision.triage.sentence,
        queue=queue_of(decision, policy),
        amount_minor=transaction.amount_minor or 0,
        opened_by=opened_by,
        opened_at=at,
        deadline=at + policy.segment(segment).deadline,
        segment=segment,
    )
    own = within(policy, segment)
    design = draw_design(own, key, transaction.transaction_id, transaction.amount_minor)
    if by_hand:
        design = replace(design, arm=SCORE_SHOWN, arm_probability=1.0)
    _insert_case(w, case, decision, design, policy, at)
    dossier = {**dossier, "lane": dossier.get("lane") or "uncertain"}
    if by_hand:
        dossier["why"] = {"reason": BY_HAND, "sentence": f"Opened by hand: {reason.strip()}"}
    opened = open_tasks(w, first_task(case, decision, design, policy, key), design, dossier, key, at)
    if tell is not None:
        tell(case, opened)
    return case


def open_audit(
    w: Writer, decision: Decision, dossier: Mapping[str, Any], policy: Policy, key: bytes, at: datetime
) -> Task:
    """Open an audit task, which belongs to no case and changes no outcome, with a second one if drawn.

    Audits are always shown blind-first: they exist to be an untouched opinion.
    """
    transaction = decision.transaction
    design = draw_design(policy, key, transaction.transaction_id, None)
    segment = segment_of(decision)
    task = Task(
        task_id=opaque_id(key, "task", transaction.transaction_id, AUDIT),
        case_id="",
        dossier_id=opaque_id(key, "dossier", transaction.transaction_id, AUDIT),
        transaction_seq=transaction.seq,
        kind=AUDIT,
        lane="audit",
        queue=queue_of(decision, policy),
        segment=segment,
        probability=decision.draws.audit_probability,
        status=OPEN,
        arm=BLIND_FIRST,
        arm_probability=1.0,
        priority=0.0,
        amount_minor=transaction.amount_minor or 0,
        created_at=at,
        deadline=at + policy.segment(segment).deadline,
    )
    open_tasks(w, task, replace(design, arm=BLIND_FIRST, arm_probability=1.0), dossier, key, at)
    return task


def segment_of(decision: Decision) -> str:
    """The policy's segment that a decision fell under."""
    return str(decision.context.get("segment", "default"))


def queue_of(decision: Decision, policy: Policy) -> str:
    """The queue that asks for a payment like this."""
    payment = decision.transaction
    return policy.work.queue_for(
        segment_of(decision), {**payment.entities, **payment.attributes}, payment.amount_minor
    )


def find(source: Ledger | Writer, case_id: str) -> Case:
    """The case; NotFoundError if there is none of that id."""
    found = _cases(source, "c.case_id = ?", case_id)
    if not found:
        raise NotFoundError("there is no such case", where=case_id)
    return found[0]


def case_of_transaction(source: Ledger | Writer, seq: int) -> Case | None:
    """The case on a transaction, or None."""
    found = _cases(
        source, "c.case_id IN (SELECT case_id FROM case_transactions WHERE transaction_seq = ?)", seq
    )
    return found[0] if found else None


def payments(source: Ledger | Writer, case_id: str) -> list[dict[str, Any]]:
    """The payments of a case in the order they came: {transaction_seq, added_at, reason, amount_minor, verdict,
    settled_at}."""
    rows = source.read(
        "SELECT transaction_seq, added_at, reason, amount_minor, verdict, settled_at FROM case_transactions "
        "WHERE case_id = ?",
        [case_id],
    )
    return sorted(rows, key=lambda row: (row["added_at"], row["transaction_seq"]))


def close(w: Writer, case: Case, verdict: str, basis: str, actor: str, at: datetime) -> None:
    """Settle a case. `basis` says how: single, agreeing, adjudicated, at_deadline."""
    set_status(w, case.case_id, CLOSED, verdict, at)
    payload = {"verdict": verdict, "basis": basis}
    w.event(EventDraft(actor, "case.closed", f"case:{case.case_id}", payload), at)


def time_out(w: Writer, case: Case, at: datetime) -> None:
    """End a case whose deadline passed without an agreed verdict."""
    set_status(w, case.case_id, TIMED_OUT, "", at)
    w.event(EventDraft("policy", "case.timed_out", f"case:{case.case_id}", {"deadline": case.deadline}), at)


def reopen(w: Writer, case: Case, status: str, reason: str, actor: str, at: datetime) -> None:
    """Put a case back to work (`status` open or in_adjudication)."""
    set_status(w, case.case_id, status, "", None)
    payload = {"was": case.status, "status": status, "verdict_was": case.verdict, "reason": reason}
    w.event(EventDraft(actor, "case.status_changed", f"case:{case.case_id}", payload), at)


def _check_by_hand(w: Writer, decision: Decision, reason: str) -> None:
    name = decision.transaction.transaction_id
    if not reason.strip():
        raise InputError("a case is opened by hand with a reason", where=name, hint="Say why in a few words.")
    if case_of_transaction(w, decision.transaction.seq) is not None:
        raise ConflictError("there is a case on this transaction already", where=name)


def _cases(source: Ledger | Writer, condition: str, value: Any) -> list[Case]:
    return [Case(**row) for row in source.read(f"SELECT {COLUMNS} FROM cases c WHERE {condition}", [value])]


def set_status(w: Writer, case_id: str, status: str, verdict: str, closed_at: datetime | None) -> None:
    """Write a case's state; the caller records the event."""
    w.execute(
        "UPDATE cases SET status = ?, verdict = ?, closed_at = ? WHERE case_id = ?",
        [status, verdict, closed_at, case_id],
    )


def add_payment(w: Writer, case: Case, decision: Decision, reason: str, at: datetime) -> None:
    """Put a payment into a case; the caller records the event."""
    row = {
        "case_id": case.case_id,
        "transaction_seq": decision.transaction.seq,
        "added_at": at,
        "reason": reason,
        "amount_minor": decision.transaction.amount_minor or 0,
        "verdict": "",
        "settled_at": None,
    }
    w.insert("case_transactions", [row])


def _entity(decision: Decision, policy: Policy) -> tuple[str, str]:
    """Whose case it is: the entity by which alerts join, or the first that the payment has."""
    named = decision.transaction.entities
    joining = policy.work.joining
    if joining and named.get(joining.entity):
        return joining.entity, str(named[joining.entity])
    return next(((name, value) for name, value in named.items() if value), ("", ""))


def _insert_case(
    w: Writer, case: Case, decision: Decision, design: Design, policy: Policy, at: datetime
) -> None:
    entity, value = _entity(decision, policy)
    row = {name: getattr(case, name) for name in Case.__dataclass_fields__}
    w.insert("cases", [{**row, "entity": entity, "entity_value": value}])
    add_payment(w, case, decision, case.reason_detail, at)
    by_hand = case.reason == BY_HAND  # then the detail is in a person's words, which may have to be erased
    told = ("transaction_seq", "reason", "queue", "segment", "deadline")
    payload = {
        "transaction_id": decision.transaction.transaction_id,
        **{name: getattr(case, name) for name in (told if by_hand else (*told, "reason_detail"))},
        "arm": design.arm,
        "second": design.second,
        "second_probability": design.second_probability,
        "third": design.third,
        "third_probability": design.third_probability,
    }
    said = {"reason_detail": case.reason_detail} if by_hand else {}
    w.event(EventDraft(case.opened_by, "case.opened", f"case:{case.case_id}", payload, said), at)


def first_task(case: Case, decision: Decision, design: Design, policy: Policy, key: bytes) -> Task:
    """The primary task on a decision's payment in this case."""
    transaction = decision.transaction
    return Task(
        task_id=opaque_id(key, "task", transaction.transaction_id, PRIMARY),
        case_id=case.case_id,
        dossier_id=opaque_id(key, "dossier", transaction.transaction_id, PRIMARY),
        transaction_seq=transaction.seq,
        kind=PRIMARY,
        lane=decision.triage.lane or "uncertain",
        queue=case.queue,
        segment=case.segment,
        probability=1.0,
        status=OPEN,
        arm=design.arm,
        arm_probability=design.arm_probability,
        priority=expected_money(decision.probability, transaction.amount_minor),
        amount_minor=transaction.amount_minor or 0,
        created_at=case.opened_at,
        deadline=case.deadline,
        about=likeness.about(key, *_entity(decision, policy)),
        alike=likeness.alike(decision),
    )


def open_tasks(
    w: Writer, first: Task, design: Design, dossier: Mapping[str, Any], key: bytes, at: datetime
) -> list[Task]:
    """Open a task, and its look-alikes for a second and a third person: same content and deadline, own dossier and
    opaque ids. Returns them all.

    Only a randomly drawn second review goes to the lane of that name, so lane tells random overlap from four
    eyes.
    """
    digest = dossiers.store(w, first.dossier_id, first.case_id, first.transaction_seq, dossier, at)
    tasks.insert(w, first, "engine", digest, at)
    opened = [first]
    if not design.second:
        return opened
    chance = first.probability * design.second_probability
    drawn = [(SECOND, chance)]
    if design.third:
        drawn.append((_THIRD, chance * design.third_probability))
    for part, probability in drawn:
        further = replace(
            first,
            # Of the first task, not of the payment: an audited one can get a case by hand, and is asked about twice.
            task_id=opaque_id(key, "task", first.task_id, part),
            dossier_id=opaque_id(key, "dossier", first.task_id, part),
            kind=SECOND,
            lane=SECOND_LANE if design.second == "random" else first.lane,
            probability=probability,
        )
        digest = dossiers.store(w, further.dossier_id, further.case_id, further.transaction_seq, dossier, at)
        tasks.insert(w, further, "engine", digest, at)
        opened.append(further)
    return opened
