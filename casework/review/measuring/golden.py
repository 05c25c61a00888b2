"""Which past payments are golden: their truth is known, and reviewers are measured on them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.review.measuring.known_truth import PastCase
from casework.review.review_design import opaque_id
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.draws import draw
from engine.policy import Policy

KNOWN, NOMINATED = "outcome_and_adjudication", "nominated"
_ANSWERED = """
    SELECT g.golden_id, count(*) AS n FROM verdicts v
    JOIN golden_cases g ON g.transaction_seq = v.transaction_seq AND v.given_at >= g.added_at
    WHERE v.transaction_seq IN (SELECT unnest(CAST(? AS BIGINT[]))) AND v.task_kind = 'golden' AND v.undone_at IS NULL
        AND g.retired_at IS NULL
    GROUP BY g.golden_id
"""
"""Each case in use by the answers since it was added: those before were to an earlier one of the same payment."""
_LIST = """
    SELECT g.*, t.transaction_id, coalesce(a.n, 0) AS answers, coalesce(a.right, 0) AS right
    FROM golden_cases g JOIN transactions t ON t.seq = g.transaction_seq LEFT JOIN (
        SELECT x.golden_id, count(*) AS n,
               count(*) FILTER ((v.value = 'confirmed_fraud') = x.is_fraud AND v.value <> 'inconclusive') AS right
        FROM (FROM verdicts WHERE task_kind = 'golden' AND undone_at IS NULL) v
        ASOF JOIN golden_cases x ON v.transaction_seq = x.transaction_seq AND v.given_at >= x.added_at
        GROUP BY x.golden_id) a USING (golden_id)
    ORDER BY g.retired_at IS NOT NULL, g.added_at DESC, g.golden_id
"""
"""A payment may be golden again after it was retired, then with another truth: an answer is to the latest by then."""


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A payment of known truth that is in use."""

    golden_id: str
    transaction_seq: int
    is_fraud: bool


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a round has to do to the pool: cases in use by golden_id with why each is worn, past cases to be added, and
    what by now is known of those in use (by transaction seq, whether fraud)."""

    worn: Mapping[str, str]
    fresh: Sequence[PastCase]
    known: Mapping[int, bool]

    def __bool__(self) -> bool:
        return bool(self.worn or self.fresh)


def in_use(source: Ledger | Writer) -> list[GoldenCase]:
    """Golden cases that are not retired."""
    rows = source.read(
        "SELECT golden_id, transaction_seq, is_fraud FROM golden_cases WHERE retired_at IS NULL ORDER BY golden_id"
    )
    return [GoldenCase(**row) for row in rows]


def table(ledger: Ledger) -> list[dict[str, Any]]:
    """Every golden case with how often it was answered and how often rightly, those in use first."""
    return ledger.read(_LIST)


def renewal(source: Ledger | Writer, past: Sequence[PastCase], policy: Policy, key: bytes) -> Renewal:
    """What is to be retired, because it was answered often enough or its truth has changed, and what then fills the
    pool up.

    New ones are past payments whose outcome an adjudicator agreed with, picked by a keyed draw of their id alone and
    enriched with fraud to the policy's share. Every past case is drawn for, so this is done before anything is written.
    """
    using = in_use(source)
    seqs = {case.transaction_seq for case in using}
    known = {case.transaction_seq: case.is_fraud for case in past if case.transaction_seq in seqs}
    worn = _worn(source, known, policy)
    ever, room = _ever(source), _room([case for case in using if case.golden_id not in worn], policy)
    fresh: list[PastCase] = []
    for fraud, free in room.items():
        fitting = [p for p in past if p.agreed and p.is_fraud is fraud and p.transaction_seq not in ever]
        fitting.sort(key=lambda p: draw(key, "golden_case", p.transaction_id))
        fresh += fitting[:free]
    return Renewal(worn, fresh, known)


def keep_pool(w: Writer, planned: Renewal, policy: Policy, key: bytes, at: datetime) -> dict[str, int]:
    """Do what was planned, but for what has been retired, nominated or undone since; counts of what was done."""
    worn = {
        golden_id: why
        for golden_id, why in _worn(w, planned.known, policy).items()
        if golden_id in planned.worn
    }
    for golden_id, why in worn.items():
        retire(w, golden_id, why, "policy", at)
    ever, room, added = _ever(w), _room(in_use(w), policy), 0
    for case in planned.fresh:
        if case.transaction_seq not in ever and room[case.is_fraud] > 0:
            seq, name, dossier_id = case.transaction_seq, case.transaction_id, case.dossier_id
            _add(w, seq, name, dossier_id, case.is_fraud, KNOWN, "", "policy", key, at)
            room[case.is_fraud] -= 1
            added += 1
    return {"added": added, "retired": len(worn)}


def nominate(
    w: Writer, transaction_seq: int, is_fraud: bool, reason: str, by: str, key: bytes, at: datetime
) -> str:
    """Make a payment golden on a team lead's word; its golden_id.

    InputError without a reason; ConflictError where people still work on it, nothing is stored of what a reviewer
    would be shown, or it is golden already.
    """
    if not reason.strip():
        raise InputError(
            "a golden case is nominated with a reason", where="reason", hint="Say how the truth is known."
        )
    rows = w.read(
        "SELECT t.dossier_id, t.status, d.transaction_id FROM tasks t JOIN decisions d USING (transaction_seq) "
        "WHERE t.transaction_seq = ? AND t.kind IN ('primary', 'audit') ORDER BY t.created_at LIMIT 1",
        [transaction_seq],
    )
    if not rows:
        raise ConflictError(
            "nobody was ever asked about this payment, so there is nothing to show again",
            hint="Open a case on it first.",
        )
    if rows[0]["status"] in ("open", "claimed"):
        raise ConflictError("people are still at work on this payment", where=rows[0]["transaction_id"])
    if any(case.transaction_seq == transaction_seq for case in in_use(w)):
        raise ConflictError("this payment is golden already", where=rows[0]["transaction_id"])
    name, dossier_id = rows[0]["transaction_id"], rows[0]["dossier_id"]
    return _add(w, transaction_seq, name, dossier_id, is_fraud, NOMINATED, reason.strip(), by, key, at)


def retire(w: Writer, golden_id: str, reason: str, by: str, at: datetime) -> None:
    """Show a golden case to nobody any more. NotFoundError where there is none in use of that id."""
    of = w.read(
        "SELECT transaction_seq FROM golden_cases WHERE golden_id = ? AND retired_at IS NULL", [golden_id]
    )
    if not of:
        raise NotFoundError("there is no such golden case in use", where=golden_id[:80])
    w.execute(
        "UPDATE golden_cases SET retired_at = ?, retired_because = ? WHERE golden_id = ?",
        [at, reason, golden_id],
    )
    why = {"reason": reason}
    # A person's words may have to be erased, the program's are part of the record.
    told = of[0] | (why if by == "policy" else {})
    said = {} if by == "policy" else why
    w.event(EventDraft(by, "golden.retired", f"golden:{golden_id}", told, said), at)


def _worn(source: Ledger | Writer, known: Mapping[int, bool], policy: Policy) -> dict[str, str]:
    """Cases in use that are to be retired, by golden_id, and why."""
    using = in_use(source)
    rows = source.read(_ANSWERED, [[case.transaction_seq for case in using]]) if using else []
    answered = {row["golden_id"]: row["n"] for row in rows}
    worn = {}
    for case in using:
        times = answered.get(case.golden_id, 0)
        if times >= policy.design.golden.retire_after:
            worn[case.golden_id] = f"answered {times} times"
        elif known.get(case.transaction_seq, case.is_fraud) is not case.is_fraud:
            worn[case.golden_id] = "what became of the payment says otherwise by now"
    return worn


def _ever(source: Ledger | Writer) -> set[int]:
    return {row["transaction_seq"] for row in source.read("SELECT transaction_seq FROM golden_cases")}


def _room(using: Sequence[GoldenCase], policy: Policy) -> dict[bool, int]:
    """How many more cases the pool takes, of fraud and of others."""
    design, room = policy.design.golden, {}
    for fraud in (True, False):
        wanted = round(design.pool * (design.fraud_share if fraud else 1 - design.fraud_share))
        room[fraud] = max(wanted - sum(case.is_fraud is fraud for case in using), 0)
    return room


def _add(
    w: Writer, seq: int, transaction_id: str, dossier_id: str, is_fraud: bool, basis: str, reason: str, by: str,
    key: bytes, at: datetime,
) -> str:  # fmt: skip
    golden_id = opaque_id(key, "golden", transaction_id, at.isoformat())
    told = {
        "transaction_seq": seq,
        "dossier_id": dossier_id,
        "is_fraud": is_fraud,
        "basis": basis,
        "reason": reason,
    }
    row = {"golden_id": golden_id, **told, "added_by": by, "added_at": at}
    w.insert("golden_cases", [{**row, "retired_at": None, "retired_because": ""}])
    if basis != NOMINATED:
        w.event(EventDraft(by, "golden.added", f"golden:{golden_id}", told), at)
        return golden_id
    # A person's words may have to be erased.
    payload = {name: value for name, value in told.items() if name != "reason"}
    w.event(EventDraft(by, "golden.added", f"golden:{golden_id}", payload, {"reason": reason}), at)
    return golden_id
