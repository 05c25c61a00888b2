from __future__ import annotations

import random
from typing import Any

import feature_oracle
import pytest
from feature_oracle import Payment, Report
from feature_sameness import assert_same
from feature_streams import (
    SECOND,
    START,
    feature_set,
    ledger_like,
    outcomes_table,
    replayed,
    streams,
    transactions_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.batch import batch_features
from engine.features.online import OnlineState

FEATURES = feature_set()
Stream = tuple[list[Payment], list[Report]]
Rows = list[dict[str, Any]]


def assert_contract(payments: list[Payment], reports: list[Report], rows: Any, skipped: int = 0) -> None:
    for payment, row in zip(payments[skipped:], rows, strict=True):
        wanted = feature_oracle.features(payment, payments, reports, FEATURES)
        assert_same(FEATURES, row, wanted, payment.seq)


def batch_rows(payments: list[Payment], reports: list[Report], **asked: Any) -> Rows:
    with ledger_like(payments, reports) as connection:
        table = batch_features(connection, FEATURES, **asked)
    assert table.column_names == ["seq", "transaction_id", "occurred_at", *FEATURES.names]
    wanted = [(p.seq, f"t{p.seq}", feature_oracle.moment(p.us)) for p in payments]
    keys = table.select(["seq", "transaction_id", "occurred_at"]).to_pylist()
    assert {tuple(k.values()) for k in keys} <= set(wanted)
    return table.select(list(FEATURES.names)).to_pylist()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(streams())
def test_online_features_are_those_of_the_contract(stream: Stream) -> None:
    payments, reports = stream
    assert_contract(payments, reports, replayed(OnlineState(FEATURES), payments, reports))


@settings(max_examples=40, deadline=None, derandomize=True)
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
    assert_contract(payments, reports, rows, skipped=half)


@pytest.mark.parametrize("examples", [12, pytest.param(60, marks=pytest.mark.soak)])
def test_batch_features_by_windows_are_those_of_the_contract(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(streams(most=60))
    def compare(stream: Stream) -> None:
        payments, reports = stream
        assert_contract(payments, reports, batch_rows(payments, reports, join_up_to=-1))

    compare()


@pytest.mark.parametrize("examples", [8, pytest.param(40, marks=pytest.mark.soak)])
def test_batch_features_of_a_few_rows_are_those_of_the_contract(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(streams(most=60), st.data())
    def compare(stream: Stream, data: st.DataObject) -> None:
        payments, reports = stream
        first = data.draw(st.integers(0, len(payments) - 1))
        last = data.draw(st.integers(first, len(payments) - 1))
        rows = batch_rows(payments, reports, first_seq=payments[first].seq, last_seq=payments[last].seq)
        assert_contract(payments[: last + 1], reports, rows, skipped=first)

    compare()


def long_stream(seed: int, rows: int, late_share: float) -> Stream:
    """One busy customer with many payments in every window, late rows, and labels of every kind."""
    rng = random.Random(seed)
    clock, payments, reports = START, [], []
    for seq in range(1, rows + 1):
        clock += rng.choice([0, 5_000, 20_000])
        late = rng.choice([1, 700_000, 3 * SECOND, 45 * SECOND]) if rng.random() < late_share else 0
        payment = Payment(
            seq,
            clock - late,
            {
                "customer": rng.choice("aaaab"),
                "device": f"d{rng.randrange(90)}",
                "order": str(rng.randrange(900)),
            },
            None if rng.random() < 0.02 else rng.randrange(1, 10**7),
            {
                "channel": rng.choice(["web", "pos", None]),
                "age": rng.uniform(0, 90),
                "trusted": rng.random() < 0.5,
            },
        )
        payments.append(payment)
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2]) if rng.random() < 0.7 else 0):
            reported = 0 if rng.random() < 0.6 else min(rows, seq + rng.randrange(200))
            known = payment.us + rng.choice([0, 3 * SECOND, 4 * SECOND, 6 * SECOND])
            reports.append(Report(seq, rng.random() < 0.2, known, reported, payment.us + 7))
    return payments, reports


@pytest.mark.parametrize("late_share", [0.0, 0.03, 0.3])
def test_batch_and_online_agree_on_a_long_busy_stream(late_share: float) -> None:
    payments, reports = long_stream(11, 2_000, late_share)
    online = list(replayed(OnlineState(FEATURES), payments, reports))
    assert max(row["customer_count_20s"] or 0 for row in online) > 600
    for payment, ours, theirs in zip(
        payments, batch_rows(payments, reports, join_up_to=0), online, strict=True
    ):
        assert_same(FEATURES, ours, theirs, payment.seq)
    checked = random.Random(3).sample(payments, 25)
    for payment in checked:
        wanted = feature_oracle.features(payment, payments, reports, FEATURES)
        assert_same(FEATURES, online[payment.seq - 1], wanted, payment.seq)
