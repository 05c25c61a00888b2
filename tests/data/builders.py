"""What do tests of the ledger need: a moment, a mapping, a ledger, transactions and files?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.incoming.mapping import Mapping, load_mapping
from data.ledger import Ledger
from data.transactions import Transaction
from tests import ledgers

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

MAPPING = """\
version: 1
institution: test bank
base_currency: EUR
time_zone: UTC
transaction: {id: id, occurred_at: time, amount: amount, currency: currency}
entities: {customer: customer, device: device}
attributes:
  country: {column: country, type: category}
  score: {column: score, type: number}
  trusted: {column: trusted, type: flag}
personal: {email: email}
label: {column: fraud, known_after: 7d}
"""
HEADER = "id,time,amount,currency,customer,device,country,score,trusted,email,fraud"

HANDBOOK = b"""\
version: 1
institution: handbook
base_currency: EUR
time_zone: UTC
transaction: {id: TRANSACTION_ID, occurred_at: TX_DATETIME, amount: TX_AMOUNT, currency: {constant: EUR}}
entities: {customer: CUSTOMER_ID, terminal: TERMINAL_ID}
label: {column: TX_FRAUD, known_after: 7d}
"""


def shared_file(name: str) -> Path:
    """A file of the shared test data; the test is skipped where that folder is not there."""
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"the shared data file {name} is not on this machine")
    return path


@cache
def mapping(text: str = MAPPING) -> Mapping:
    return load_mapping(text.encode())


def new_ledger(folder: Path, with_mapping: Mapping | None = None) -> Ledger:
    return ledgers.new_ledger(folder / "secondlook.duckdb", with_mapping or mapping(), AT)


def transaction(transaction_id: str = "t1", **changes: Any) -> Transaction:
    """A payment of 12.34 EUR by customer c1 from device d1 in Norway."""
    values: dict[str, Any] = {
        "transaction_id": transaction_id,
        "occurred_at": AT - timedelta(hours=1),
        "amount_minor": 1234,
        "entities": {"customer": "c1", "device": "d1"},
        "attributes": {"country": "NO", "score": 0.5, "trusted": True},
        "amount": Decimal("12.34"),
        "currency": "EUR",
    }
    return Transaction(**(values | changes))


def row(transaction_id: str = "t1", **changes: str) -> str:
    """The same payment as a CSV line under HEADER."""
    cells = {
        "id": transaction_id,
        "time": "2026-03-01T11:00:00.123456Z",
        "amount": "12.34",
        "currency": "EUR",
        "customer": "c1",
        "device": "d1",
        "country": "NO",
        "score": "0.5",
        "trusted": "true",
        "email": "c1@example.org",
        "fraud": "0",
    }
    return ",".join((cells | changes)[name] for name in HEADER.split(","))


def csv_file(folder: Path, *lines: str, name: str = "payments.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def tamper(path: Path, *statements: str) -> None:
    """Change a closed ledger's file behind its back."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
