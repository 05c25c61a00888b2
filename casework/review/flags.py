"""What did a reviewer find wrong beside the verdict, and whose desk does that land on?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

KINDS = ("data_wrong", "possible_bias", "guideline_gap")
INBOX_OF: Mapping[str, str] = {
    "data_wrong": "admin",
    "correction": "admin",
    "possible_bias": "risk_manager",
    "guideline_gap": "team_lead",
}
"""The role that can put right what a flag names. A correction is a flag of its own: an input with a wrong value."""
WITHDRAWN = "withdrawn: the verdict was undone"
"""What the program answers to a flag whose verdict is no more."""


def raise_from(w: Writer, verdict: Mapping[str, Any], at: datetime) -> None:
    """Put the flags and corrections of a verdict's row into the inboxes they belong to."""
    corrections: dict[str, Any] = orjson.loads(verdict["corrections"])
    found = [(kind, verdict["note"]) for kind in verdict["flags"]]
    found += [("correction", f"{name} should be {value}") for name, value in corrections.items()]
    rows = [_row(verdict, number, kind, detail, at) for number, (kind, detail) in enumerate(found)]
    w.insert("flags", rows)
    for row in rows:
        payload = {name: row[name] for name in ("verdict_id", "transaction_seq", "kind", "role")}
        personal = {"detail": row["detail"]} if row["detail"] else {}
        w.event(EventDraft(row["raised_by"], "flag.raised", f"flag:{row['flag_id']}", payload, personal), at)


def withdraw(w: Writer, verdict_id: str, by: str, at: datetime) -> None:
    """Take back the unanswered flags of a verdict that was undone."""
    pending = w.read("SELECT flag_id FROM flags WHERE verdict_id = ? AND answered_at IS NULL", [verdict_id])
    for row in pending:
        _close(w, row["flag_id"], WITHDRAWN, by, at)
        w.event(EventDraft(by, "flag.answered", f"flag:{row['flag_id']}", {"answer": WITHDRAWN}), at)


def inbox(ledger: Ledger, role: str, *, answered: bool = False) -> list[dict[str, Any]]:
    """What waits for a role, the oldest first: {flag_id, kind, detail, transaction_id, case_id, raised_at}. Without
    names: it is about the data and the rules, not about who noticed."""
    return ledger.read(
        "SELECT f.flag_id, f.kind, f.detail, t.transaction_id, f.raised_at, f.answer, f.answered_by, f.answered_at, "
        "coalesce((SELECT max(x.case_id) FROM case_transactions x WHERE x.transaction_seq = f.transaction_seq), '') "
        "AS case_id FROM flags f JOIN transactions t ON t.seq = f.transaction_seq "
        "WHERE f.role = ? AND (f.answered_at IS NOT NULL) = ? ORDER BY f.raised_at, f.flag_id",
        [role, answered],
    )


def answer(w: Writer, flag_id: str, role: str, said: str, by: str, at: datetime) -> None:
    """Say what came of a flag. NotFoundError unless it is in this role's inbox, ConflictError when it was answered,
    InputError without an answer."""
    rows = w.read(
        "SELECT transaction_seq, answered_at FROM flags WHERE flag_id = ? AND role = ?", [flag_id, role]
    )
    if not rows:
        raise NotFoundError("there is no such flag in your inbox", where=flag_id[:80])
    if rows[0]["answered_at"] is not None:
        raise ConflictError("this flag was answered already", where=flag_id)
    if not said.strip():
        raise InputError(
            "a flag is answered in words", where=flag_id, hint="Say what was done, or why nothing."
        )
    _close(w, flag_id, said.strip(), by, at)
    # In words of a person: the chain has a commitment to them.
    about = {"transaction_seq": rows[0]["transaction_seq"]}
    w.event(EventDraft(by, "flag.answered", f"flag:{flag_id}", about, {"answer": said.strip()}), at)


def _close(w: Writer, flag_id: str, said: str, by: str, at: datetime) -> None:
    w.execute(
        "UPDATE flags SET answer = ?, answered_by = ?, answered_at = ? WHERE flag_id = ?",
        [said, by, at, flag_id],
    )


def _row(verdict: Mapping[str, Any], number: int, kind: str, detail: str, at: datetime) -> dict[str, Any]:
    name = hashlib.sha256(f"{verdict['verdict_id']}:{number}:{kind}".encode()).hexdigest()[:16]
    return {
        "flag_id": f"flag_{name}",
        "verdict_id": verdict["verdict_id"],
        "transaction_seq": verdict["transaction_seq"],
        "kind": kind,
        "role": INBOX_OF[kind],
        "detail": detail,
        "raised_by": verdict["reviewer"],
        "raised_at": at,
        "answer": "",
        "answered_by": "",
        "answered_at": None,
    }
