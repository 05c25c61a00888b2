"""What is the story of a case, and which cases are there, for the person who asks?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from casework.cases import attachments, cases, notes
from casework.cases.arranging import MERGED
from casework.cases.cases import CASE_OPEN, CLOSED, IN_ADJUDICATION, TIMED_OUT, Case
from casework.cases.timeline import Parts, steps_of, timeline
from casework.review import blindness
from casework.review.review_design import COUNTED_KINDS, REVIEWER_ROLES
from data.canonical import rfc3339
from data.errors import InputError, NotFoundError
from data.ledger import Ledger

STATUSES = (CASE_OPEN, IN_ADJUDICATION, CLOSED, TIMED_OUT, MERGED)
_VERDICTS = """
    SELECT v.verdict_id, v.transaction_seq, v.reviewer, v.value, v.typology, v.reason_code, v.note, v.confidence,
           v.seconds, v.idle_seconds, v.arm, v.flags, v.deserved, v.loss_minor, v.applied_from, v.given_at, v.undone_at,
           v.task_kind
    FROM verdicts v WHERE v.case_id = ? ORDER BY v.given_at, v.event_seq
"""
_PAYMENTS = """
    SELECT x.transaction_seq, x.added_at, x.reason, x.amount_minor, x.verdict, x.settled_at, t.transaction_id,
           t.occurred_at, d.decided_at, d.outcome, d.probability, d.model_id, d.set_id, d.rules_hit
    FROM case_transactions x JOIN transactions t ON t.seq = x.transaction_seq
    LEFT JOIN decisions d ON d.transaction_seq = x.transaction_seq
    WHERE x.case_id = ? ORDER BY x.added_at, x.transaction_seq
"""
_STEPS = """
    SELECT * FROM dispositions WHERE list_contains(CAST(? AS BIGINT[]), transaction_seq) ORDER BY disposition_seq
"""
_LINKS = """
    SELECT CASE WHEN case_id = ? THEN other_id ELSE case_id END AS case_id, reason, linked_by, "at" FROM case_links
    WHERE ? IN (case_id, other_id) ORDER BY "at"
"""

_DEADLINES = """
    SELECT case_id, min(deadline) AS deadline FROM tasks
    WHERE list_contains(CAST(? AS VARCHAR[]), case_id) AND list_contains(?, kind) GROUP BY case_id
"""


def case_page(ledger: Ledger, case_id: str, reviewer: str, role: str = "analyst") -> dict[str, Any]:
    """A case with its payments and its timeline. NotFoundError while a task on any of them is still open to an analyst
    who asks; an analyst who has judged it sees his or her own part until it is settled, then all."""
    case = cases.find(ledger, case_id)
    seqs = [row["transaction_seq"] for row in cases.payments(ledger, case_id)]
    if not all(blindness.visible_to(ledger, reviewer, role, seq) for seq in seqs):
        raise NotFoundError("there is no such case", where=case_id)
    everyone = all(blindness.others_verdicts_visible(ledger, reviewer, role, seq) for seq in seqs)
    said = [
        verdict
        for verdict in ledger.read(_VERDICTS, [case_id])
        if verdict["reviewer"] == reviewer or (everyone and verdict["undone_at"] is None)
    ]
    payments = ledger.read(_PAYMENTS, [case_id])
    lead = next((row for row in payments if row["transaction_seq"] == case.transaction_seq), None)
    whole = role not in REVIEWER_ROLES
    tasks = _tasks(ledger, case_id) if whole else []
    parts = Parts(
        payments=payments,
        verdicts=said,
        dispositions=ledger.read(_STEPS, [seqs]),
        tasks=tasks,
        notes=notes.of_payments(ledger, seqs, reviewer, everyone=everyone),
        files=attachments.of_payments(ledger, seqs, reviewer, everyone=everyone),
        moves=steps_of(ledger, case_id, tasks) if whole else [],
    )
    return {
        **_lines(ledger, [case], role)[0],
        "decision": _decision(lead) if lead and lead["outcome"] else None,
        "payments": [_payment(row, everyone) for row in payments],
        "verdicts": [v if whole else {k: v[k] for k in v if k != "task_kind"} for v in said],
        "dispositions": parts.dispositions,
        "tasks": tasks,
        "notes": parts.notes,
        "files": parts.files,
        "links": ledger.read(_LINKS, [case_id, case_id]) if whole else [],
        "timeline": timeline(case, parts, role),
    }


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    names = (
        "transaction_id",
        "decided_at",
        "occurred_at",
        "outcome",
        "probability",
        "model_id",
        "set_id",
        "rules_hit",
    )
    return {name: row[name] for name in names}


def _payment(row: dict[str, Any], everyone: bool) -> dict[str, Any]:
    names = ("transaction_id", "occurred_at", "amount_minor", "added_at", "outcome", "probability")
    settled = {"verdict": row["verdict"], "settled_at": row["settled_at"]} if everyone else {}
    return {**{name: row[name] for name in names}, **settled}


def case_list(
    ledger: Ledger,
    reviewer: str,
    *,
    role: str = "analyst",
    status: str = "",
    limit: int = 50,
    cursor: str = "",
    without: Collection[int] = (),
) -> dict[str, Any]:
    """A page of cases, newest first, without those that are blind to the person: {"cases", "next_cursor"}.
    `without` are seqs of further transactions to leave out.

    `next_cursor` is '' on the last page. For analysts a case in adjudication counts as open.
    """
    if status and status not in STATUSES:
        raise InputError(f"'{status}' is not a case status", where="status", allowed=", ".join(STATUSES))
    wanted = _wanted(status, role)
    opened, case_id = _position(cursor)
    blind = sorted(blindness.blind_transactions(ledger, reviewer, role).union(without))
    rows = ledger.read(
        f"SELECT {cases.COLUMNS} FROM cases c WHERE list_contains(?, c.status) AND NOT EXISTS ("
        "FROM case_transactions x WHERE x.case_id = c.case_id "
        "AND list_contains(CAST(? AS BIGINT[]), x.transaction_seq)) "
        "AND (? IS NULL OR c.opened_at < ? OR (c.opened_at = ? AND c.case_id > ?)) "
        "ORDER BY c.opened_at DESC, c.case_id LIMIT ?",
        [wanted, blind, opened, opened, opened, case_id, limit + 1],
    )
    found = [Case(**row) for row in rows]
    last = found[limit - 1] if len(found) > limit else None
    next_cursor = f"{rfc3339(last.opened_at)}|{last.case_id}" if last else ""
    return {"cases": _lines(ledger, found[:limit], role), "next_cursor": next_cursor}


def _wanted(status: str, role: str) -> list[str]:
    if role in REVIEWER_ROLES and status in (CASE_OPEN, IN_ADJUDICATION):
        return [CASE_OPEN, IN_ADJUDICATION] if status == CASE_OPEN else []
    return [status] if status else list(STATUSES)


def _position(cursor: str) -> tuple[datetime | None, str]:
    if not cursor:
        return None, ""
    opened, _, case_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(opened).astimezone(UTC), case_id
    except (ValueError, OverflowError):
        raise InputError(
            "this is not a cursor", where="cursor", hint="Use next_cursor as it was given."
        ) from None


def _lines(ledger: Ledger, found: Sequence[Case], role: str) -> list[dict[str, Any]]:
    """Cases in one line each. Being in adjudication tells an analyst that somebody disagreed, so such a case reads
    open, and the deadline is the one that its reviews had: an adjudication gives the case more time."""
    if role not in REVIEWER_ROLES:
        return [_line(case) for case in found]
    rows = ledger.read(_DEADLINES, [[case.case_id for case in found], list(COUNTED_KINDS)])
    first = {row["case_id"]: row["deadline"] for row in rows}
    return [
        {
            **_line(case),
            "deadline": first.get(case.case_id, case.deadline),
            "status": CASE_OPEN if case.status == IN_ADJUDICATION else case.status,
        }
        for case in found
    ]


def _line(case: Case) -> dict[str, Any]:
    names = (
        "case_id",
        "transaction_seq",
        "queue",
        "reason",
        "reason_detail",
        "amount_minor",
        "opened_by",
        "opened_at",
        "deadline",
        "status",
        "verdict",
        "closed_at",
    )
    return {name: getattr(case, name) for name in names}


def _tasks(ledger: Ledger, case_id: str) -> list[dict[str, Any]]:
    return ledger.read(
        "SELECT task_id, transaction_seq, kind, lane, queue, status, arm, probability, claimed_by, "
        "assignee, created_at, deadline, done_at FROM tasks "
        "WHERE case_id = ? ORDER BY created_at, task_id",
        [case_id],
    )
