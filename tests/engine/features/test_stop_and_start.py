"""Is an engine that was stopped and rebuilt from its ledger the same as one that never stopped, in bounded memory?"""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import feature_oracle
from feature_oracle import Payment, Report, moment
from feature_sameness import assert_same
from feature_streams import SECOND, START, feature_set, observe, streams, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.live import remembered
from data.incoming.mapping import load_mapping
from data.ledger import Ledger
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from tests.ledgers import new_ledger

FEATURES = feature_set()
AT = datetime(2026, 4, 1, tzinfo=UTC)
MAPPING = load_mapping(
    b"""
version: 1
institution: test
base_currency: EUR
transaction: {id: id, occurred_at: at, amount: {column: amount, negative: keep}, currency: {constant: EUR}}
entities: {customer: c, device: d, order: o}
attributes:
  channel: {column: channel, type: category}
  age: {column: age, type: number}
  trusted: {column: trusted, type: flag}
"""
)
Stream = tuple[list[Payment], list[Report]]


def counted(stream: Stream) -> Stream:
    """The stream as a ledger numbers it: 1, 2, 3, ..., empty words missing, outcomes told as they come."""
    payments, reports = stream
    seqs = {p.seq: n for n, p in enumerate(payments, start=1)}

    def stored(payment: Payment) -> Payment:
        attributes = {name: None if value == "" else value for name, value in payment.attributes.items()}
        return replace(payment, seq=seqs[payment.seq], attributes=attributes)

    told = [replace(r, seq=seqs[r.seq], reported_seq=seqs.get(r.reported_seq, 0)) for r in reports]
    told = [replace(r, reported_seq=max(r.reported_seq, r.seq)) for r in told]
    return [stored(p) for p in payments], sorted(told, key=lambda r: r.reported_seq)


def record(ledger: Ledger, payment: Payment, told: list[Report]) -> None:
    """Put a payment and what was reported behind it into the ledger."""
    with ledger.writing() as w:
        seqs = w.insert_transactions([replace(transaction(payment), seq=0)], AT, "test")
        assert seqs == [payment.seq]
        for report in told:
            row = {
                "transaction_seq": report.seq,
                "is_fraud": report.fraud,
                "known_at": moment(report.known_us),
                "reported_seq": report.reported_seq,
                "source": "test",
                "reason_code": "",
                "recorded_at": moment(report.recorded_us),
            }
            w.insert("outcomes", [row])


@settings(max_examples=8, deadline=None, derandomize=True)
@given(streams(most=24), st.data())
def test_an_engine_stopped_anywhere_goes_on_as_if_it_had_not_stopped(
    stream: Stream, data: st.DataObject
) -> None:
    payments, reports = counted(stream)
    by_seq = {p.seq: p for p in payments}
    stops = data.draw(st.sets(st.integers(1, len(payments)), min_size=1, max_size=4))
    lasting = stopped = OnlineState(FEATURES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.duckdb"
        ledger = new_ledger(path, MAPPING, AT)
        for payment in payments:
            wanted = feature_oracle.features(payment, payments, reports, FEATURES)
            for state in (lasting, stopped):
                assert_same(FEATURES, state.features(transaction(payment)), wanted, payment.seq)
            told = [r for r in reports if r.reported_seq == payment.seq]
            for state in {id(s): s for s in (lasting, stopped)}.values():
                state.add(transaction(payment))
                for report in told:
                    observe(state, by_seq, report)
            record(ledger, payment, told)
            if payment.seq in stops:
                ledger.close()
                ledger = Ledger.open(path)
                stopped = remembered(ledger, FEATURES)
                lasting.trim()
                assert (stopped.newest_us, stopped.remembered) == (lasting.newest_us, lasting.remembered)
        rows = batch_features(ledger, FEATURES).select(list(FEATURES.names)).to_pylist()
        ledger.close()
    for payment, row in zip(payments, rows, strict=True):
        assert_same(FEATURES, row, feature_oracle.features(payment, payments, reports, FEATURES), payment.seq)


def test_memory_holds_what_windows_can_reach_and_no_more_however_long_it_runs() -> None:
    """The horizon and the allowed lateness make 39 seconds; payments come two a second, each with an outcome."""
    state, rng, held = OnlineState(FEATURES), random.Random(4), []
    numbered: list[int] = []
    entities = len(FEATURES.entities)
    for seq in range(1, 3_001):
        made = Payment(
            seq,
            START + seq * SECOND // 2,
            {"customer": rng.choice("ab"), "device": f"d{seq}", "order": "1"},
            100,
            {"channel": "web", "age": 1.0, "trusted": True},
        )
        state.add(transaction(made))
        observe(state, {seq: made}, Report(seq, True, made.us, seq, made.us))
        if seq % 500 == 0:
            state.trim()
            held.append((state.remembered, state.remembered_labels))
            numbered.append(state.numbered)
    within = 2 * FEATURES.memory_us // SECOND + 1
    assert held == [held[0]] * len(held)
    assert max(numbered) <= 2 * numbered[0]  # each payment has a device of its own; two turns' worth is held
    assert 0 < held[0][0] <= within * entities
    assert within <= held[0][1] <= within * (1 + entities)


def test_an_outcome_of_a_payment_that_memory_has_let_go_of_is_left_alone() -> None:
    """Both were told to be fraud at second 25; one lies outside memory at second 60 and is told to be none after."""
    at = {1: 0, 2: 24, 3: 25, 4: 60}
    entities = {"customer": "a", "device": "x", "order": "1"}
    attributes = {"channel": "web", "age": 1.0, "trusted": True}
    by_seq = {n: Payment(n, START + second * SECOND, entities, 100, attributes) for n, second in at.items()}
    payments, state = list(by_seq.values()), OnlineState(FEATURES)
    told = [Report(1, True, START + 25 * SECOND, 3, START), Report(2, True, START + 25 * SECOND, 3, START)]
    for payment in payments:
        state.add(transaction(payment))
        for report in (r for r in told if r.reported_seq == payment.seq):
            observe(state, by_seq, report)
    state.trim()
    held = state.remembered_labels
    taken_back = Report(1, False, START + 60 * SECOND, 4, START)
    observe(state, by_seq, taken_back)
    assert state.remembered_labels == held
    for second in (45, 61):  # also a late one, whose windows reach the payment that is remembered
        asked = Payment(5, START + second * SECOND, entities, 100, attributes)
        wanted = feature_oracle.features(asked, payments, [*told, taken_back], FEATURES)
        assert_same(FEATURES, state.features(transaction(asked)), wanted, 5)
