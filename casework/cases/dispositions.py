"""What finally happens to the payment, and may it still happen?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from casework.cases import cases, settling
from casework.cases.cases import CASE_OPEN, IN_ADJUDICATION, Case
from casework.outbox import messages
from casework.review import tasks
from casework.review.review_design import PRIMARY, SECOND
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.decision import Outcome
from engine.policy import Policy

RELEASED, DECLINED, ALREADY_SETTLED, REVERSED = "released", "declined", "already_settled", "reversed"
VALUES = (RELEASED, DECLINED, ALREADY_SETTLED, REVERSED)
HELD, WENT_THROUGH, STOPPED = "held", "went_through", "stopped"

CAN_MOVE_TO: Mapping[str, tuple[str, ...]] = {
    HELD: (RELEASED, DECLINED),
    WENT_THROUGH: (ALREADY_SETTLED, REVERSED),
    STOPPED: (DECLINED, RELEASED),
    RELEASED: (REVERSED,),
    DECLINED: (RELEASED,),
    ALREADY_SETTLED: (REVERSED,),
    REVERSED: (RELEASED,),
}
"""From where a payment stands (by its decision, or its last disposition) to where it may still go."""

_OF_FRAUD = {
    HELD: DECLINED, STOPPED: DECLINED, WENT_THROUGH: REVERSED, RELEASED: REVERSED, ALREADY_SETTLED: REVERSED
}  # fmt: skip
_OF_LEGITIMATE = {
    HELD: RELEASED, STOPPED: RELEASED, WENT_THROUGH: ALREADY_SETTLED, DECLINED: RELEASED, REVERSED: RELEASED
}  # fmt: skip

_OVERDUE = """
    SELECT c.case_id FROM cases c WHERE c.status IN (?, ?) AND c.deadline <= ? AND c.case_id NOT IN (
        SELECT t.case_id FROM tasks t WHERE t.status = 'claimed' AND t.lock_expires_at > ?)
    ORDER BY c.deadline
"""
_LATE_TASKS = """
    SELECT 1 FROM tasks
    WHERE (status = 'claimed' AND lock_expires_at <= ?) OR (status = 'open' AND case_id = '' AND deadline <= ?) LIMIT 1
"""
_LATE_WITHOUT_CASE = """
    SELECT rowid FROM tasks
    WHERE case_id = '' AND deadline <= ? AND (status = 'open' OR (status = 'claimed' AND lock_expires_at <= ?))
    ORDER BY created_at, task_id LIMIT ?
"""
_SAID_LAST = """
    SELECT DISTINCT coalesce(r.value, v.value) AS value FROM verdicts v LEFT JOIN revisions r USING (verdict_id)
    WHERE v.case_id = ? AND v.transaction_seq = ? AND v.undone_at IS NULL AND v.task_kind IN (?, ?)
"""

SWEPT = ("closed", "timed_out", "expired")
"""What becomes of cases and tasks that are past their time."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """One step of a payment. `disposition_seq` counts from 1 and is what a poller resumes after."""

    disposition_seq: int
    transaction_seq: int
    transaction_id: str
    case_id: str
    value: str
    reason: str
    actor: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a payment stands: a key of CAN_MOVE_TO."""

    transaction_seq: int
    transaction_id: str
    place: str


def standing(source: Ledger | Writer, seq: int, policy: Policy, segment: str = "default") -> Standing:
    """Where a payment stands: its last disposition, or what its decision did with it.

    A payment under review is held or went through as the policy's segment says; one that was imported without
    a decision went through. NotFoundError if there is no such transaction.
    """
    known = source.read("SELECT transaction_id FROM transactions WHERE seq = ?", [seq])
    if not known:
        raise NotFoundError("there is no such transaction", where=str(seq))
    steps = source.read("SELECT disposition_seq, value FROM dispositions WHERE transaction_seq = ?", [seq])
    if steps:
        place = max(steps, key=lambda step: step["disposition_seq"])["value"]
    else:
        decided = source.read("SELECT outcome FROM decisions WHERE transaction_seq = ?", [seq])
        place = _by_decision(decided[0]["outcome"] if decided else None, policy, segment)
    return Standing(seq, known[0]["transaction_id"], place)


def _by_decision(outcome: str | None, policy: Policy, segment: str) -> str:
    if outcome == Outcome.DECLINE.word:
        return STOPPED
    held = outcome == Outcome.REVIEW.word and policy.segment(segment).review_holds_payment
    return HELD if held else WENT_THROUGH


def record(
    w: Writer,
    transaction_seq: int,
    value: str,
    reason: str,
    actor: str,
    policy: Policy,
    at: datetime,
    *,
    case_id: str = "",
    segment: str = "default",
) -> Disposition:
    """Record what happens to a payment. InputError for an unknown word or no reason; ConflictError where the
    payment can no longer go there (a released payment cannot be declined, only reversed)."""
    if value not in VALUES:
        raise InputError(f"'{value}' is not a disposition", allowed=", ".join(VALUES))
    if not reason.strip():
        raise InputError("a disposition is recorded with a reason", hint="Say why in a few words.")
    now = standing(w, transaction_seq, policy, segment)
    if value not in CAN_MOVE_TO[now.place]:
        allowed = ", ".join(CAN_MOVE_TO[now.place])
        where = now.transaction_id
        raise ConflictError(f"this payment is {now.place.replace('_', ' ')}", where=where, allowed=allowed)
    return _write(w, now, value, reason, actor, case_id, at, own_words=True)


def _write(
    w: Writer,
    now: Standing,
    value: str,
    reason: str,
    actor: str,
    case_id: str,
    at: datetime,
    *,
    own_words: bool = False,
) -> Disposition:
    number = w.read("SELECT coalesce(max(disposition_seq), 0) + 1 AS n FROM dispositions")[0]["n"]
    name = now.transaction_id
    made = Disposition(number, now.transaction_seq, name, case_id, value, reason, actor, at)
    w.insert("dispositions", [made.as_json()])
    payload = {
        "value": value,
        "case_id": case_id,
        "was": now.place,
        "disposition_seq": number,
        "transaction_seq": now.transaction_seq,
    }
    # A person's words may have to be erased, the program's are part of the record.
    why = {"reason": reason}
    said = payload if own_words else payload | why
    seq = w.event(
        EventDraft(actor, "disposition.recorded", f"transaction:{name}", said, why if own_words else {}), at
    )
    messages.disposition_recorded(w, seq, made.as_json(), at)
    return made


def since(ledger: Ledger, disposition_seq: int = 0, limit: int = 1000) -> list[Disposition]:
    """Dispositions after one that was read before, in order; poll with the last `disposition_seq` seen."""
    rows = ledger.read(
        "SELECT * FROM dispositions WHERE disposition_seq > ? ORDER BY disposition_seq LIMIT ?",
        [disposition_seq, limit],
    )
    return [Disposition(**row) for row in rows]


def follow_verdict(
    w: Writer, case: Case, verdict: str, actor: str, policy: Policy, at: datetime
) -> Disposition | None:
    """What a settled verdict does to the payment; None where nothing is left to do.

    An inconclusive verdict follows the policy's `on_timeout`, since nobody else will decide.
    """
    reason = f"verdict: {verdict}"
    if verdict == "inconclusive":
        return _on_timeout(w, case, "verdict: inconclusive, so the policy's on_timeout applies", policy, at)
    table = _OF_FRAUD if verdict == "confirmed_fraud" else _OF_LEGITIMATE
    return _move(w, case, table, reason, actor, policy, at)


def sweep(w: Writer, policy: Policy, at: datetime, most: int = 10_000) -> dict[str, int]:
    """Deal with what is past its deadline, at most `most` cases and as many tasks without one, the
    longest overdue first; counts of cases closed on what was said, cases timed out, and tasks that expired.

    A case somebody is working on right now is left until that lock runs out.
    """
    done = dict.fromkeys(SWEPT, 0) | {"expired": _expire_tasks_without_case(w, at, most)}
    for case in _overdue(w, at, most):
        for task in tasks.where(w, "t.case_id = ? AND t.status IN ('open', 'claimed')", [case.case_id]):
            tasks.finish(w, task, tasks.EXPIRED, "policy", "the case's deadline passed", at)
            done["expired"] += 1
        done["closed" if _settle_late(w, case, policy, at) else "timed_out"] += 1
    return done


def anything_late(source: Ledger | Writer, at: datetime) -> bool:
    """Whether some case or task is past its time, so that `sweep` or `expire_locks` would change something."""
    return bool(
        source.read(_LATE_TASKS, [at, at]) or source.read(_OVERDUE, [CASE_OPEN, IN_ADJUDICATION, at, at])
    )


def _overdue(w: Writer, at: datetime, most: int) -> list[Case]:
    rows = w.read(_OVERDUE, [CASE_OPEN, IN_ADJUDICATION, at, at])
    return [cases.find(w, row["case_id"]) for row in rows[:most]]


def _settle_late(w: Writer, case: Case, policy: Policy, at: datetime) -> bool:
    """Settle each payment on the verdicts that were given, where they agree on something; a second thought stands for
    its verdict. The policy decides the rest. Whether all were settled."""
    late = []
    for seq in settling.unsettled(w, case.case_id):
        payment = replace(case, transaction_seq=seq)
        said = w.read(_SAID_LAST, [case.case_id, seq, PRIMARY, SECOND])
        if len(said) == 1 and said[0]["value"] != "inconclusive":
            settling.settle(w, payment, said[0]["value"], "at_deadline", "policy", at)
            follow_verdict(w, payment, said[0]["value"], "policy", policy, at)
        else:
            late.append(payment)
    if late:
        cases.time_out(w, case, at)
    for payment in late:
        _on_timeout(w, payment, "deadline passed without a verdict", policy, at)
    return not late


def _on_timeout(w: Writer, case: Case, reason: str, policy: Policy, at: datetime) -> Disposition | None:
    declines = policy.segment(case.segment).on_timeout is Outcome.DECLINE
    return _move(w, case, _OF_FRAUD if declines else _OF_LEGITIMATE, reason, "policy", policy, at)


def _move(
    w: Writer, case: Case, table: Mapping[str, str], reason: str, actor: str, policy: Policy, at: datetime
) -> Disposition | None:
    now = standing(w, case.transaction_seq, policy, case.segment)
    value = table.get(now.place)
    return _write(w, now, value, reason, actor, case.case_id, at) if value else None


def _expire_tasks_without_case(w: Writer, at: datetime, most: int) -> int:
    late = tasks.where(w, f"t.rowid IN ({_LATE_WITHOUT_CASE})", [at, at, most])
    tasks.finish_all(w, late, tasks.EXPIRED, "policy", "nobody took it in time", at)
    return len(late)
