"""What became of a transaction later, as told by those who process chargebacks?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.app import App
from data import outcome_rows, reading
from data.errors import InputError, NotFoundError
from data.events import EventDraft
from data.mapping_columns import OutcomeColumns
from data.transactions import Transaction

_FURTHEST_AHEAD = timedelta(days=1)


def meaning(columns: OutcomeColumns | None, is_fraud: bool | None, reason_code: str) -> bool | None:
    """Whether a report says fraud, no fraud (any more), or nothing about it (None), by the codes of the mapping.

    As for files: a reversal code takes a fraud back, and where fraud codes are named only they make one. Without a
    mapping for outcomes the flag alone speaks.
    """
    code = reason_code.lower()
    if columns is not None and code and code in columns.reversal_codes:
        return False
    if columns is None or not code or not columns.fraud_codes:
        return is_fraud
    counts = code in columns.fraud_codes
    if is_fraud is None:
        return True if counts else None
    return None if is_fraud and not counts else is_fraud


@dataclass(frozen=True, slots=True)
class Told:
    """One outcome as reported. A reversal is a later report on the same transaction."""

    transaction_id: str
    is_fraud: bool
    known_at: datetime
    reason_code: str


def report(app: App, told: Sequence[Told], *, by: str, at: datetime) -> dict[str, Any]:
    """Record outcomes, all or none, and let the features learn them.

    NotFoundError for a transaction that was never seen, InputError for one known before it happened or in the
    future.
    """
    with app.lock:
        live = app.live
        known = _transactions(app, told)
        found = [(each, known[each.transaction_id]) for each in told]
        for each, transaction in found:
            _refuse_impossible(each, transaction, at)
        reported_seq = outcome_rows.reported_seq(app.ledger)
        with app.ledger.writing() as w:
            w.insert("outcomes", [_row(each, t, reported_seq, by, at) for each, t in found])
            payload = {"reported_seq": reported_seq, "outcomes": [_told(each, t) for each, t in found]}
            w.event(EventDraft(by, "outcomes.reported", "outcomes", payload), at)
        for each, transaction in found:
            live.engine.state.observe_outcome(
                transaction,
                each.is_fraud,
                known_at=each.known_at,
                reported_seq=reported_seq,
                recorded_at=at,
            )
            live.past.learn(transaction.seq, each.is_fraud, each.known_at)
    return {"recorded": len(found), "frauds": sum(each.is_fraud for each in told)}


def _transactions(app: App, told: Sequence[Told]) -> dict[str, Transaction]:
    seqs = sorted({_seq(app, each.transaction_id) for each in told})
    if not seqs:
        return {}
    # Written out, so that DuckDB passes over the parts of the table that hold none of them.
    wanted = ", ".join(map(str, seqs))
    rows = app.ledger.read_arrow(f"SELECT * FROM transactions WHERE seq IN ({wanted})")
    return {t.transaction_id: t for t in reading.from_arrow(rows, app.ledger.fields)}


def _seq(app: App, transaction_id: str) -> int:
    seq = app.ledger.seq_of(transaction_id)
    if seq is None:
        raise NotFoundError(
            "no transaction of that id was ever seen",
            where=transaction_id[:128],
            hint="Nothing was recorded. Import or decide the transaction first.",
        )
    return seq


def _refuse_impossible(each: Told, transaction: Transaction, at: datetime) -> None:
    if not transaction.occurred_at <= each.known_at <= at + _FURTHEST_AHEAD:
        raise InputError(
            "an outcome cannot be known before the transaction happened, or in the future",
            where=f"{each.transaction_id}.known_at",
            hint="Nothing was recorded.",
        )


def _told(each: Told, transaction: Transaction) -> dict[str, Any]:
    return {
        "transaction_seq": transaction.seq,
        "is_fraud": each.is_fraud,
        "known_at": each.known_at,
        "reason_code": each.reason_code,
    }


def _row(each: Told, transaction: Transaction, reported_seq: int, by: str, at: datetime) -> dict[str, Any]:
    return {
        **_told(each, transaction),
        "reported_seq": reported_seq,
        "source": f"api:{by}",
        "recorded_at": at,
    }
