"""Which transactions does the ledger hold, in which order, and what came before one of them?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from data.errors import NotFoundError
from data.ledger import Ledger
from data.said import Source
from data.storage.rows import aware
from data.storage.schema import Field
from data.transactions import Transaction

_PAGE = 20_000
_NEWEST = 100_000
"""Personal values that are looked through before all are: some milliseconds."""
_BASE = ("seq", "transaction_id", "occurred_at", "amount", "currency", "amount_minor")


def transactions(
    ledger: Ledger,
    *,
    first_seq: int | None = None,
    last_seq: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Transaction]:
    """Transactions in seq order, streamed. Seqs are inclusive; occurred_at is in [since, until). No personal fields."""
    first, last = first_seq or 1, _last(ledger, last_seq)
    while first <= last:
        page = transactions_arrow(
            ledger, first_seq=first, last_seq=min(first + _PAGE - 1, last), since=since, until=until
        )
        yield from from_arrow(page, ledger.fields)
        first += _PAGE


def transactions_arrow(
    ledger: Ledger,
    *,
    first_seq: int | None = None,
    last_seq: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pa.Table:
    """The same as one Arrow table: seq, transaction_id, occurred_at (naive UTC, microseconds), amount, currency,
    amount_minor, then the entities and attributes, ordered by seq."""
    columns = ", ".join([*_BASE, *(f'"{f.name}"' for f in ledger.fields if f.in_transactions)])
    conditions, parameters = _conditions(first_seq, last_seq, since, until)
    sql = f"SELECT {columns} FROM transactions WHERE {conditions} ORDER BY seq"
    return ledger.read_arrow(sql, parameters)


def outcomes_arrow(ledger: Ledger) -> pa.Table:
    """Every outcome: transaction_seq, is_fraud, known_at (naive UTC), reported_seq, source, reason_code; ordered by
    reported_seq, known_at and transaction_seq."""
    columns = "transaction_seq, is_fraud, known_at, reported_seq, source, reason_code"
    return ledger.read_arrow(
        f"SELECT {columns} FROM outcomes ORDER BY reported_seq, known_at, transaction_seq"
    )


def of_seqs(ledger: Ledger, seqs: Sequence[int]) -> list[Transaction]:
    """The transactions of these seqs, lowest first, without personal fields."""
    columns = ", ".join([*_BASE, *(f'"{f.name}"' for f in ledger.fields if f.in_transactions)])
    chosen = "seq IN (SELECT unnest(CAST(? AS BIGINT[])))"
    found = ledger.read_arrow(f"SELECT {columns} FROM transactions WHERE {chosen} ORDER BY seq", [list(seqs)])
    return list(from_arrow(found, ledger.fields))


def one(ledger: Ledger, wanted: str | int) -> Transaction:
    """One transaction by its id (text) or seq (number), without personal fields. NotFoundError if unknown."""
    seq = ledger.seq_of(wanted) if isinstance(wanted, str) else wanted
    if seq is not None:
        for transaction in from_arrow(transactions_arrow(ledger, first_seq=seq, last_seq=seq), ledger.fields):
            return transaction
    raise NotFoundError("there is no such transaction", where=str(wanted))


def personal_values(ledger: Ledger, owner: str) -> dict[str, str]:
    """The personal values of 'transaction:<seq>' or 'event:<seq>' that have not been erased."""
    rows = ledger.read("SELECT field, value FROM personal_values WHERE owner = ?", [owner])
    return {row["field"]: row["value"] for row in rows}


def personal_values_of(source: Source, wanted: Mapping[str, Collection[str]]) -> dict[str, dict[str, str]]:
    """Personal values by owner, of these fields of each and perhaps others; left out are those that were erased.

    Values have no key that DuckDB could skip by, but lie in the order they were recorded: the newest are looked at
    first, and all of them only for an owner of whom a field is still missing.
    """
    found: dict[str, dict[str, str]] = {}
    for where in (f"rowid >= (SELECT count(*) FROM personal_values) - {_NEWEST} AND", ""):
        owners = [owner for owner, fields in wanted.items() if not set(fields) <= found.get(owner, {}).keys()]
        if owners:
            marks = ", ".join("?" for _ in owners)
            sql = f"SELECT owner, field, value FROM personal_values WHERE {where} owner IN ({marks})"
            for row in source.read(sql, owners):
                found.setdefault(row["owner"], {})[row["field"]] = row["value"]
    return found


def from_arrow(table: pa.Table, fields: tuple[Field, ...]) -> Iterator[Transaction]:
    """Rows of `transactions_arrow` as Transactions."""
    entities = [f.name for f in fields if f.role == "entity"]
    attributes = [f.name for f in fields if f.role == "attribute"]
    for row in table.to_pylist():
        yield Transaction(
            transaction_id=row["transaction_id"],
            occurred_at=aware(row["occurred_at"]),
            amount_minor=row["amount_minor"],
            entities={name: row[name] for name in entities},
            attributes={name: row[name] for name in attributes},
            amount=row["amount"],
            currency=row["currency"],
            seq=row["seq"],
        )


def _last(ledger: Ledger, last_seq: int | None) -> int:
    newest = ledger.next_transaction_seq - 1
    return newest if last_seq is None else min(last_seq, newest)


def _conditions(
    first_seq: int | None, last_seq: int | None, since: datetime | None, until: datetime | None
) -> tuple[str, list[Any]]:
    wanted = (
        ("seq >= ?", first_seq),
        ("seq <= ?", last_seq),
        ("occurred_at >= ?", since),
        ("occurred_at < ?", until),
    )
    given = [(condition, value) for condition, value in wanted if value is not None]
    return " AND ".join(["true", *(condition for condition, _ in given)]), [value for _, value in given]
