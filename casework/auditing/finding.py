"""What does an id name: a decision, a case, a task, a model, a set, a proposal or a person?"""

from __future__ import annotations

from typing import Any

from data.ledger import Ledger

JSON = dict[str, Any]
MOST = 50
# Where ids of each kind are kept. Tables are small beside decisions, which have an index in memory (`seq_of`).
_KINDS = {
    "case": "SELECT case_id AS id, opened_at AS at, status AS about FROM cases WHERE case_id = ?",
    "task": "SELECT task_id AS id, created_at AS at, kind AS about FROM tasks WHERE task_id = ?",
    "verdict": "SELECT verdict_id AS id, given_at AS at, reviewer AS about FROM verdicts WHERE verdict_id = ?",
    "model": "SELECT model_id AS id, created_at AS at, status AS about FROM models WHERE model_id = ?",
    "set": "SELECT set_id AS id, max(approved_at) AS at, arg_max(approved_by, approved_at) AS about FROM approved_sets "
    "WHERE set_id = ? GROUP BY set_id",
    "proposal": "SELECT proposal_id AS id, proposed_at AS at, status AS about FROM proposals WHERE proposal_id = ?",
    "person": "SELECT user_id AS id, created_at AS at, role AS about FROM users WHERE user_id = ?",
}
_DECIDED_OF = """
    SELECT DISTINCT t.transaction_id FROM {table} x JOIN transactions t ON t.seq = x.transaction_seq
    WHERE x.{kind}_id = ? ORDER BY t.transaction_id LIMIT ?
"""
_WITH_PAYMENTS = {"case": "case_transactions", "task": "tasks", "verdict": "verdicts"}


def found(ledger: Ledger, wanted: str) -> list[JSON]:
    """Everything that has this id: {kind, id, at, about, subject, transactions}; [] where nothing has.

    `subject` is what events about it are filed under, `transactions` are the payments it is about (at most MOST).
    """
    seq = ledger.seq_of(wanted)
    rows = [] if seq is None else [_decision(ledger, seq, wanted)]
    for kind, sql in _KINDS.items():
        for row in ledger.read(sql, [wanted]):
            subject = f"user:{wanted}" if kind == "person" else f"{kind}:{wanted}"
            rows.append(
                {"kind": kind, **row, "subject": subject, "transactions": _payments(ledger, kind, wanted)}
            )
    return rows


def _decision(ledger: Ledger, seq: int, wanted: str) -> JSON:
    decided = ledger.read("SELECT decided_at, outcome FROM decisions WHERE transaction_seq = ?", [seq])
    return {
        "kind": "decision" if decided else "payment",
        "id": wanted,
        "at": decided[0]["decided_at"] if decided else None,
        "about": decided[0]["outcome"] if decided else "came as history, nobody decided it here",
        "subject": f"transaction:{wanted}",
        "transactions": [wanted] if decided else [],
    }


def _payments(ledger: Ledger, kind: str, wanted: str) -> list[str]:
    if kind not in _WITH_PAYMENTS:
        return []
    sql = _DECIDED_OF.format(table=_WITH_PAYMENTS[kind], kind=kind)
    return [row["transaction_id"] for row in ledger.read(sql, [wanted, MOST])]
