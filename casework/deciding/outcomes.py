"""What became of a transaction later, as told by those who process chargebacks?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from casework.app import App
from data import outcome_rows, reading
from data.errors import InputError, NotFoundError
from data.incoming.mapping_columns import OutcomeColumns
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
    """Record outcomes, all or none, and let the features learn them; those that the ledger has are duplicates.

    NotFoundError for a transaction that was never seen, InputError for one known before it happened or in the
    future.
    """
    with app.lock:
        _ = app.live  # built before the write: made from the ledger after it, it would learn them twice
        known = _transactions(app, told)
        found = [(each, known[each.transaction_id]) for each in told]
        for each, transaction in found:
            _refuse_impossible(each, transaction, at)
        try:
            with app.ledger.writing() as w:
                new = outcome_rows.store_news(w, _lines(found), source=f"api:{by}", actor=by, at=at)
            for row in new:
                observe(app, found[row["line"]][1], row, at)
        except BaseException:
            app.forget()  # it may lack what the ledger has
            raise
    frauds = sum(row["is_fraud"] for row in new)
    return {"recorded": len(new), "frauds": frauds, "duplicate": len(told) - len(new)}


def observe(app: App, transaction: Transaction, row: Mapping[str, Any], at: datetime) -> None:
    """Let what decides learn one outcome that is in the ledger: is_fraud, known_at and reported_seq of it."""
    app.live.memory.observe_outcome(
        transaction,
        row["is_fraud"],
        known_at=row["known_at"],
        reported_seq=row["reported_seq"],
        recorded_at=at,
    )
    app.live.past.learn(
        transaction.seq,
        row["is_fraud"],
        row["known_at"],
        reported_seq=row["reported_seq"],
        recorded_at=at,
    )


def _lines(found: Sequence[tuple[Told, Transaction]]) -> pa.Table:
    """Each once, with its place as its line."""
    first: dict[tuple[Any, ...], int] = {}
    for line, (each, transaction) in enumerate(found):
        known_at = each.known_at.astimezone(UTC).replace(tzinfo=None)
        first.setdefault((transaction.seq, each.is_fraud, known_at, each.reason_code), line)
    names = outcome_rows.TOLD.names
    rows = [dict(zip(names, (line, *content), strict=True)) for content, line in first.items()]
    return pa.Table.from_pylist(rows, schema=outcome_rows.TOLD)


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
