"""What is the story of a case, and which cases are there, for the person who asks?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from casework.cases import cases
from casework.cases.cases import CASE_OPEN, CLOSED, IN_ADJUDICATION, TIMED_OUT, Case
from casework.review import blindness
from casework.review.review_design import REVIEWER_ROLES
from data.canonical import rfc3339
from data.errors import InputError, NotFoundError
from data.ledger import Ledger

STATUSES = (CASE_OPEN, IN_ADJUDICATION, CLOSED, TIMED_OUT)
_VERDICTS = """
    SELECT v.verdict_id, v.reviewer, v.value, v.typology, v.reason_code, v.note, v.confidence, v.seconds,
    v.arm,
           v.flags, v.given_at, v.undone_at, v.task_kind
    FROM verdicts v WHERE v.case_id = ? ORDER BY v.given_at, v.event_seq
"""


def case_page(ledger: Ledger, case_id: str, reviewer: str, role: str = "analyst") -> dict[str, Any]:
    """A case with its timeline. NotFoundError while a task on it is still open to an analyst who asks; an
    analyst who has judged it sees his or her own part until it is settled, then all."""
    case = cases.find(ledger, case_id)
    if not blindness.visible_to(ledger, reviewer, role, case.transaction_seq):
        raise NotFoundError("there is no such case", where=case_id)
    everyone = blindness.others_verdicts_visible(ledger, reviewer, role, case.transaction_seq)
    said = [
        verdict
        for verdict in ledger.read(_VERDICTS, [case_id])
        if verdict["reviewer"] == reviewer or (everyone and verdict["undone_at"] is None)
    ]
    decided = ledger.read(
        "SELECT transaction_id, decided_at, occurred_at, outcome, probability, model_id, set_id, rules_hit "
        "FROM decisions WHERE transaction_seq = ?",
        [case.transaction_seq],
    )
    dispositions = ledger.read(
        "SELECT * FROM dispositions WHERE transaction_seq = ? ORDER BY disposition_seq",
        [case.transaction_seq],
    )
    whole = role not in REVIEWER_ROLES
    return {
        **_line(case, role),
        "decision": decided[0] if decided else None,
        "verdicts": [v if whole else {k: v[k] for k in v if k != "task_kind"} for v in said],
        "dispositions": dispositions,
        "tasks": _tasks(ledger, case_id) if whole else [],
        "timeline": _timeline(case, decided, said, dispositions, role),
    }


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
    columns = ", ".join(f"c.{name}" for name in Case.__dataclass_fields__ if name != "transaction_seq")
    rows = ledger.read(
        f"SELECT {columns}, x.transaction_seq FROM cases c JOIN case_transactions x USING (case_id) "
        "WHERE list_contains(?, c.status) AND NOT list_contains(CAST(? AS BIGINT[]), x.transaction_seq) "
        "AND (? IS NULL OR c.opened_at < ? OR (c.opened_at = ? AND c.case_id > ?)) "
        "ORDER BY c.opened_at DESC, c.case_id LIMIT ?",
        [wanted, blind, opened, opened, opened, case_id, limit + 1],
    )
    found = [Case(**row) for row in rows]
    last = found[limit - 1] if len(found) > limit else None
    next_cursor = f"{rfc3339(last.opened_at)}|{last.case_id}" if last else ""
    return {"cases": [_line(case, role) for case in found[:limit]], "next_cursor": next_cursor}


def _wanted(status: str, role: str) -> list[str]:
    if role in REVIEWER_ROLES and status in (CASE_OPEN, IN_ADJUDICATION):
        return [CASE_OPEN, IN_ADJUDICATION] if status == CASE_OPEN else []
    return [status] if status else list(STATUSES)


def _position(cursor: str) -> tuple[datetime | None, str]:
    if not cursor:
        return None, ""
    opened, _, case_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(opened), case_id
    except ValueError:
        raise InputError(
            "this is not a cursor", where="cursor", hint="Use next_cursor as it was given."
        ) from None


def _line(case: Case, role: str) -> dict[str, Any]:
    """A case in one line. That it is in adjudication tells an analyst that somebody disagreed, so it reads
    open."""
    status = case.status
    if role in REVIEWER_ROLES and status == IN_ADJUDICATION:
        status = CASE_OPEN
    names = (
        "case_id",
        "transaction_seq",
        "reason",
        "reason_detail",
        "amount_minor",
        "opened_by",
        "opened_at",
    )
    line = {name: getattr(case, name) for name in names}
    return {
        **line,
        "deadline": case.deadline,
        "status": status,
        "verdict": case.verdict,
        "closed_at": case.closed_at,
    }


def _tasks(ledger: Ledger, case_id: str) -> list[dict[str, Any]]:
    return ledger.read(
        "SELECT task_id, kind, lane, status, arm, probability, claimed_by, created_at, deadline, done_at FROM tasks "
        "WHERE case_id = ? ORDER BY created_at, task_id",
        [case_id],
    )


def _timeline(
    case: Case,
    decided: list[dict[str, Any]],
    said: list[dict[str, Any]],
    dispositions: list[dict[str, Any]],
    role: str,
) -> list[dict[str, Any]]:
    """Decision, case, verdicts and dispositions as one story, oldest first: {at, kind, actor, text}."""
    story = [
        _entry(d["decided_at"], "decision", "engine", f"The engine answered {d['outcome']}.") for d in decided
    ]
    story.append(_entry(case.opened_at, "case", case.opened_by, f"Case opened. {case.reason_detail}".strip()))
    for verdict in said:
        undone = " (undone)" if verdict["undone_at"] else ""
        words = f"Verdict {verdict['value']}{undone} after {verdict['seconds']:.0f} s. {verdict['note']}"
        story.append(_entry(verdict["given_at"], "verdict", verdict["reviewer"], words.strip()))
    if case.status == IN_ADJUDICATION and role not in REVIEWER_ROLES:
        latest = max((v["given_at"] for v in said), default=case.opened_at)
        story.append(
            _entry(latest, "adjudication", "policy", "The verdicts do not settle it: a team lead decides.")
        )
    for step in dispositions:
        story.append(
            _entry(step["at"], "disposition", step["actor"], f"Payment {step['value']}: {step['reason']}")
        )
    if case.closed_at:
        how = f"settled as {case.verdict}" if case.verdict else "timed out"
        story.append(_entry(case.closed_at, "case", "policy", f"Case {how}."))
    return sorted(story, key=lambda entry: entry["at"])


def _entry(at: datetime, kind: str, actor: str, text: str) -> dict[str, Any]:
    return {"at": at, "kind": kind, "actor": actor, "text": text}
