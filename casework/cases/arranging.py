"""How does a team lead put cases together, take them apart, or note that they belong together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from casework.cases import cases
from casework.cases.cases import CASE_OPEN, Case
from casework.review import tasks
from casework.review.review_design import opaque_id
from data.errors import ConflictError, InputError
from data.events import EventDraft
from data.writer import Writer

MERGED = "merged"
_OPEN_HINT = "Cases are arranged while all of them are open."
# Everything that hangs on a payment of a case follows it.
_FOLLOWERS = ("case_transactions", "tasks", "verdicts", "dossiers", "notes", "files", "escalations")


def merge(w: Writer, into: Case, other: Case, reason: str, actor: str, at: datetime) -> Case:
    """Move all payments of `other`, with their tasks and verdicts, into `into`; `other` ends as merged.

    The earlier deadline counts for both. ConflictError unless both are open and of one segment; InputError without a
    reason.
    """
    _check_reason(reason)
    if into.case_id == other.case_id:
        raise InputError("a case cannot be merged with itself", where=into.case_id)
    _check_open(into, other)
    if into.segment != other.segment:
        raise ConflictError(
            "cases of different segments cannot be merged",
            where=other.case_id,
            allowed=into.segment,
            hint="Link them instead: their deadlines and timeouts differ.",
        )
    moved = [row["transaction_seq"] for row in cases.payments(w, other.case_id)]
    w.execute(  # each task keeps its place in the queue, though another case's share comes on top from now on
        "UPDATE tasks SET priority = priority + ? WHERE case_id = ?",
        [other.raised - into.raised, other.case_id],
    )
    about = [row["transaction_seq"] for row in cases.payments(w, into.case_id)] + moved
    _move(w, moved, other.case_id, into.case_id)
    made = _sized(w, replace(into, deadline=min(into.deadline, other.deadline)), at)
    cases.set_status(w, other.case_id, MERGED, "", at)
    payload = {"other": other.case_id, "transactions": moved, "about": about, "deadline": made.deadline}
    w.event(EventDraft(actor, "case.merged", f"case:{into.case_id}", payload, {"reason": reason}), at)
    w.event(EventDraft(actor, "case.merged_away", f"case:{other.case_id}", {"into": into.case_id}), at)
    return made


def split(
    w: Writer, case: Case, seqs: Sequence[int], reason: str, actor: str, key: bytes, at: datetime
) -> Case:
    """Move some payments of a case into a new one, with their tasks and verdicts.

    InputError for payments that are not in it, or when none would be left; ConflictError unless it is open.
    """
    _check_reason(reason)
    _check_open(case)
    there = {row["transaction_seq"] for row in cases.payments(w, case.case_id)}
    if not seqs or not set(seqs) <= there or set(seqs) == there:
        raise InputError(
            "these payments cannot be split off",
            where=case.case_id,
            allowed="at least one payment of the case, but not all",
        )
    made = replace(
        case,
        case_id=opaque_id(key, "case", case.case_id, f"split:{w.head.seq + 1}"),
        transaction_seq=min(seqs),
        opened_by=actor,
        opened_at=at,
        reason=cases.BY_HAND,
        reason_detail=reason,
    )
    entity = w.read("SELECT entity, entity_value FROM cases WHERE case_id = ?", [case.case_id])[0]
    w.insert("cases", [{**{name: getattr(made, name) for name in Case.__dataclass_fields__}, **entity}])
    _move(w, seqs, case.case_id, made.case_id)
    _sized(w, replace(case, transaction_seq=min(there - set(seqs))), at)
    made = _sized(w, made, at)
    payload = {"into": made.case_id, "transactions": sorted(seqs), "about": sorted(there)}
    w.event(EventDraft(actor, "case.split", f"case:{case.case_id}", payload, {"reason": reason}), at)
    return made


def link(w: Writer, one: Case, other: Case, reason: str, actor: str, at: datetime) -> None:
    """Note that two cases belong together; they stay apart. ConflictError if that is known already."""
    _check_reason(reason)
    if one.case_id == other.case_id:
        raise InputError("a case cannot be linked with itself", where=one.case_id)
    pair = sorted((one.case_id, other.case_id))
    if w.read("SELECT 1 AS known FROM case_links WHERE case_id = ? AND other_id = ?", pair):
        raise ConflictError("these cases are linked already", where=one.case_id)
    row = {"case_id": pair[0], "other_id": pair[1], "reason": reason, "linked_by": actor, "at": at}
    w.insert("case_links", [row])
    about = [row["transaction_seq"] for each in pair for row in cases.payments(w, each)]
    payload = {"other": other.case_id, "about": about}
    w.event(EventDraft(actor, "case.linked", f"case:{one.case_id}", payload, {"reason": reason}), at)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("cases are arranged with a reason", where="reason", hint="Say why in a few words.")


def _check_open(*all_of: Case) -> None:
    for case in all_of:
        if case.status != CASE_OPEN:
            raise ConflictError(
                f"this case is {case.status.replace('_', ' ')}",
                where=case.case_id,
                allowed=CASE_OPEN,
                hint=_OPEN_HINT,
            )


def _move(w: Writer, seqs: Sequence[int], source: str, target: str) -> None:
    for table in _FOLLOWERS:
        w.execute(
            f"UPDATE {table} SET case_id = ? WHERE case_id = ? "
            "AND list_contains(CAST(? AS BIGINT[]), transaction_seq)",
            [target, source, list(seqs)],
        )


def _sized(w: Writer, case: Case, at: datetime) -> Case:
    """The case with the sum and the deadline that its payments now have."""
    made = replace(case, amount_minor=sum(row["amount_minor"] for row in cases.payments(w, case.case_id)))
    w.execute(
        "UPDATE cases SET amount_minor = ?, deadline = ?, transaction_seq = ? WHERE case_id = ?",
        [made.amount_minor, made.deadline, made.transaction_seq, made.case_id],
    )
    late = "t.case_id = ? AND t.status IN ('open', 'claimed') AND t.deadline > ?"
    for task in tasks.where(w, late, [made.case_id, made.deadline]):
        payload = {"deadline_was": task.deadline, "deadline": made.deadline}
        w.event(EventDraft("policy", "task.raised", f"task:{task.task_id}", payload), at)
    w.execute(
        "UPDATE tasks SET deadline = ? WHERE case_id = ? AND status IN ('open', 'claimed') AND deadline > ?",
        [made.deadline, made.case_id, made.deadline],
    )
    return made
