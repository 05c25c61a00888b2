"""Is a transaction's digest the same in Python, in SQL and through a file?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.incoming.ingest import import_file
from data.integrity.commitments import commit_personal, commitment, content, content_sha256, content_sql
from data.ledger import Ledger
from data.transactions import Transaction
from tests.data.builders import AT, csv_file, mapping, new_ledger, row, transaction

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.decimals(Decimal("-999999999999"), Decimal("999999999999"), places=4)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
fresh = count(1)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with new_ledger(tmp_path_factory.mktemp("commitments")) as opened:
        yield opened


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    return Transaction(
        transaction_id=f"{draw(words)}{next(fresh)}",
        occurred_at=draw(moments),
        amount_minor=draw(st.none() | st.integers(-(10**15), 10**15)),
        entities={"customer": draw(st.none() | words), "device": draw(st.none() | words)},
        attributes={
            "country": draw(st.none() | words),
            "score": draw(st.none() | numbers),
            "trusted": draw(st.none() | st.booleans()),
        },
        amount=draw(st.none() | amounts),
        currency=draw(st.sampled_from(["EUR", "USD"])),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(transactions(), min_size=1, max_size=20))
def test_sql_and_python_agree_on_every_digest(ledger: Ledger, rows: list[Transaction]) -> None:
    with ledger.writing() as w:
        seqs = w.insert_transactions(rows, AT, "api")
    sql = f"SELECT {content_sql(ledger.fields)} AS sha256 FROM transactions WHERE seq BETWEEN ? AND ? ORDER BY seq"
    computed = [found["sha256"] for found in ledger.read(sql, [seqs[0], seqs[-1]])]
    assert computed == [content_sha256(one) for one in rows]


def test_a_transaction_sent_live_and_the_same_in_a_file_are_duplicates(tmp_path: Path) -> None:
    live = transaction(occurred_at=datetime(2026, 3, 1, 11, 0, 0, 123456, tzinfo=UTC))
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            w.insert_transactions([live], AT, "api")
        report = import_file(ledger, mapping(), csv_file(tmp_path, row()), at=AT, actor="admin-1")
    assert (report.accepted, report.duplicate, report.quarantined) == (0, 1, 0)


def test_the_content_is_spelled_out_with_lengths() -> None:
    assert content(transaction(attributes={"country": "NO", "score": 0.5, "trusted": None})) == (
        b"transaction_id=2:t1;occurred_at=16:1772362800123456;amount=7:12.3400;currency=3:EUR;amount_minor=4:1234;"
        b"country=2:NO;customer=2:c1;device=2:d1;score=22:5.0000000000000000e-01;"
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(transactions(), transactions())
def test_different_contents_have_different_bytes(one: Transaction, other: Transaction) -> None:
    assert content(one) != content(other)


def test_a_commitment_is_the_hash_of_salt_and_value() -> None:
    salt = bytes(range(16))
    assert commitment(salt, "c1@example.org") == hashlib.sha256(salt + b"c1@example.org").hexdigest()
    committed, rows = commit_personal("event:1", {"name": "N", "email": "e"}, lambda size: bytes(size))
    assert [found["field"] for found in rows] == ["email", "name"]
    assert committed == (
        f'{{"email":"{commitment(bytes(16), "e")}","name":"{commitment(bytes(16), "N")}"}}'.encode()
    )
