"""Can anything that happens later, or becomes known later, move a feature of the past?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from feature_oracle import Payment, Report
from feature_streams import (
    SECOND,
    feature_set,
    ledger_like,
    outcomes_table,
    streams,
    transaction,
    transactions_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.batch import batch_features
from engine.features.online import OnlineState

FEATURES = feature_set()
Stream = tuple[list[Payment], list[Report]]
some = st.sampled_from


@st.composite
def two_futures(draw: st.DrawFn) -> tuple[list[Payment], Stream, Stream]:
    """A past, and two whole streams that share it and nothing else."""
    payments, reports = draw(streams(most=40))
    cut = draw(st.integers(1, len(payments)))
    past, future = payments[:cut], payments[cut:]
    now, seq = max(p.us for p in past), past[-1].seq
    # What the past may have known: reported before its last payment was decided, and known by its latest moment.
    known = [r for r in reports if r.reported_seq < seq and r.known_us <= now]
    unknown = [r for r in reports if r not in known]
    other = [_altered(draw, p) for p in draw(st.permutations(future))]
    other = [replace(p, seq=seq + n) for n, p in enumerate(other, start=1)]
    told = [_told_later(draw, r, now, seq) for r in unknown]
    return past, (payments, reports), (past + other, known + [r for r in told if r is not None])


def _altered(draw: st.DrawFn, payment: Payment) -> Payment:
    shift = draw(some([0, -40 * SECOND, -SECOND, 5 * SECOND]))
    amount = draw(some([payment.amount, 10**12, None]))
    customer = draw(some(["a", "b", None]))
    entities = {**payment.entities, "customer": customer}
    return replace(payment, us=payment.us + shift, amount=amount, entities=entities)


def _told_later(draw: st.DrawFn, report: Report, now: int, seq: int) -> Report | None:
    """The same report with another content, still unknown to the past; None if nobody ever makes it."""
    fraud, later = draw(st.booleans()), draw(some([1, SECOND, 60 * SECOND]))
    changed = replace(report, fraud=fraud, known_us=max(report.known_us, now) + later)
    if report.reported_seq >= seq:
        changed = replace(changed, known_us=report.known_us, reported_seq=seq)
    return draw(some([changed, None]))


def past_by_batch(past: list[Payment], stream: Stream, join_up_to: int) -> list[dict[str, Any]]:
    with ledger_like(*stream) as connection:
        table = batch_features(connection, FEATURES, join_up_to=join_up_to)
    return table.slice(0, len(past)).to_pylist()


@pytest.mark.parametrize("examples", [6, pytest.param(30, marks=pytest.mark.soak)])
@pytest.mark.parametrize("join_up_to", [-1, 1_000], ids=["by windows", "by join"])
def test_no_other_future_moves_a_batch_feature_of_the_past(join_up_to: int, examples: int) -> None:
    moved = 0

    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(two_futures())
    def compare(futures: tuple[list[Payment], Stream, Stream]) -> None:
        nonlocal moved
        past, one, two = futures
        assert past_by_batch(past, one, join_up_to) == past_by_batch(past, two, join_up_to)
        moved += one != two

    compare()
    assert moved > 4, "the futures must differ"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(two_futures())
def test_outcomes_known_later_move_no_online_feature(futures: tuple[list[Payment], Stream, Stream]) -> None:
    """Imported labels are all in memory from the start, also those that became known only later."""
    past, (_, one), (_, two) = futures
    rows = []
    for reports in (one, two):
        imported = [r for r in reports if r.reported_seq < past[-1].seq and r.reported_seq <= r.seq]
        state = OnlineState(FEATURES)
        state.bulk_load(transactions_table(past[:-1]), outcomes_table(imported))
        rows.append(state.features(transaction(past[-1])))
    assert rows[0] == rows[1]
