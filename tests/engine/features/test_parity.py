from __future__ import annotations

import math
from typing import Any

import feature_oracle
from feature_oracle import Payment, Report
from feature_streams import feature_set, ledger_like, outcomes_table, replayed, streams, transactions_table
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.batch import batch_features
from engine.features.online import OnlineState

FEATURES = feature_set()
Stream = tuple[list[Payment], list[Report]]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return type(a) is type(b) and a == b


def assert_same(given_row: dict[str, Any], wanted: dict[str, Any], what: str) -> None:
    different = {
        name: (given_row[name], wanted[name]) for name in wanted if not same(given_row[name], wanted[name])
    }
    assert list(given_row) == list(wanted)
    assert not different, f"{what}: (given, wanted) {different}"


@settings(max_examples=150, deadline=None)
@given(streams())
def test_online_features_are_those_of_the_contract(stream: Stream) -> None:
    payments, reports = stream
    state = OnlineState(FEATURES)
    for payment, row in zip(payments, replayed(state, payments, reports), strict=True):
        wanted = feature_oracle.features(payment, payments, reports, FEATURES)
        assert_same(row, wanted, f"seq {payment.seq}")


@settings(max_examples=100, deadline=None)
@given(streams())
def test_a_state_loaded_in_bulk_continues_as_if_it_had_lived_through_it(stream: Stream) -> None:
    payments, reports = stream
    half = len(payments) // 2
    last = payments[half - 1].seq if half else 0
    early = [max(r.reported_seq, r.seq) <= last for r in reports]
    state = OnlineState(FEATURES)
    loaded = [r for r, is_early in zip(reports, early, strict=True) if is_early]
    state.bulk_load(transactions_table(payments[:half]), outcomes_table(loaded))
    waiting = [r for r, is_early in zip(reports, early, strict=True) if not is_early]
    rows = replayed(state, payments[half:], waiting, payments)
    for payment, row in zip(payments[half:], rows, strict=True):
        wanted = feature_oracle.features(payment, payments, reports, FEATURES)
        assert_same(row, wanted, f"seq {payment.seq}")


@settings(max_examples=150, deadline=None)
@given(streams(), st.booleans())
def test_batch_features_are_those_of_the_contract(stream: Stream, many: bool) -> None:
    payments, reports = stream
    with ledger_like(payments, reports) as connection:
        table = batch_features(connection, FEATURES, join_up_to=0 if many else 1_000)
    for payment, row in zip(payments, table.to_pylist(), strict=True):
        wanted = feature_oracle.features(payment, payments, reports, FEATURES)
        assert row.pop("seq") == payment.seq
        assert row.pop("transaction_id") == f"t{payment.seq}"
        assert row.pop("occurred_at") == feature_oracle.moment(payment.us)
        assert_same(row, wanted, f"seq {payment.seq}")
