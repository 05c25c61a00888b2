"""Random streams of payments and outcomes with ties, gaps, late arrivals, missing keys and reversals."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
from feature_oracle import Payment, Report, moment
from hypothesis import strategies as st

from data.transactions import Transaction
from engine.features.spec import FeatureSet, load_features

SECOND = 1_000_000
# Half an hour before the clocks of Berlin went forward, so that local time is tried at a change too.
START = 1_774_745_940 * SECOND

MAPPING: Any = SimpleNamespace(
    entities={"customer": "c", "device": "d", "order": "o"},
    attributes={
        "channel": SimpleNamespace(type="category"),
        "age": SimpleNamespace(type="number"),
        "trusted": SimpleNamespace(type="flag"),
    },
    time_zone="UTC",
)

EVERYTHING = """
version: 1
horizon: 30s
lateness: 9s
label_delay: 4s
time_zone: Europe/Berlin
features:
  - {name: amount_minor, measure: value}
  - {name: age, measure: value, of: age}
  - {name: customer_count_3s, entity: customer, measure: count, window: 3s}
  - {name: customer_count_20s, entity: customer, measure: count, window: 20s}
  - {name: customer_sum_3s, entity: customer, measure: sum, window: 3s}
  - {name: customer_mean_3s, entity: customer, measure: mean, window: 3s}
  - {name: customer_mean_20s, entity: customer, measure: mean, window: 20s}
  - {name: customer_max_20s, entity: customer, measure: max, window: 20s}
  - {name: customer_age_max_20s, entity: customer, measure: max, of: age, window: 20s}
  - {name: customer_std_3s, entity: customer, measure: std, window: 3s}
  - {name: customer_std_20s, entity: customer, measure: std, window: 20s}
  - {name: customer_devices_20s, entity: customer, measure: distinct, of: device, window: 20s}
  - {name: customer_channels_3s, entity: customer, measure: distinct, of: channel, window: 3s}
  - {name: customer_trust_20s, entity: customer, measure: distinct, of: trusted, window: 20s}
  - {name: customer_last, entity: customer, measure: seconds_since_last, window: 20s}
  - {name: customer_first, entity: customer, measure: seconds_since_first}
  - {name: everyone_count_3s, entity: everyone, measure: count, window: 3s}
  - {name: everyone_std_20s, entity: everyone, measure: std, window: 20s}
  - {name: everyone_devices_20s, entity: everyone, measure: distinct, of: device, window: 20s}
  - {name: everyone_share_20s, entity: everyone, measure: fraud_share, window: 20s}
  - {name: order_count_20s, entity: order, measure: count, window: 20s}
  - {name: pair_count_20s, entity: [customer, device], measure: count, window: 20s}
  - {name: pair_first, entity: [customer, device], measure: seconds_since_first, window: 30s}
  - {name: device_frauds_3s, entity: device, measure: fraud_count, window: 3s}
  - {name: device_share_3s, entity: device, measure: fraud_share, window: 3s}
  - {name: device_share_20s, entity: device, measure: fraud_share, window: 20s}
  - {name: device_learned_3s, entity: device, measure: frauds_learned, window: 3s}
  - {name: device_learned_20s, entity: device, measure: frauds_learned, window: 20s}
  - {name: customer_learned_3s, entity: customer, measure: frauds_learned, window: 3s}
  - {name: pair_share_20s, entity: [customer, device], measure: fraud_share, window: 20s}
  - {name: amount_ratio, derived: "amount_minor / customer_mean_20s"}
  - {name: amount_against_habit, derived: "(amount_minor - customer_mean_20s) / customer_std_20s"}
  - {name: mixed, derived: "-(amount_minor - 2 * customer_sum_3s) / (customer_count_3s + 0.5) * 1.1"}
  - {name: share_ratio, derived: "device_share_3s / device_share_20s"}
  - {name: channel, attribute: channel}
  - {name: trusted, attribute: trusted}
  - {name: device_id, attribute: device, model: false}
  - {name: local_hour, measure: local_hour}
  - {name: local_night, measure: local_night}
  - {name: local_weekend, measure: local_weekend}
"""


def feature_set(text: str = EVERYTHING) -> FeatureSet:
    return load_features(text, "features.yaml", MAPPING)


@st.composite
def streams(draw: st.DrawFn, most: int = 30) -> tuple[list[Payment], list[Report]]:
    """Payments in seq order, and reports about them; mostly in order of time, with a share of late rows."""
    some = st.sampled_from
    clock, payments = START, []
    seq = draw(some([0, 0, 7]))
    for _ in range(draw(st.integers(1, most))):
        seq += draw(some([1, 1, 1, 3]))
        clock += draw(some([0, 0, 1, SECOND - 1, SECOND, 3 * SECOND, 3 * SECOND + 1, 11 * SECOND]))
        late = draw(some([0, 0, 0, 0, 1, SECOND, 4 * SECOND, 15 * SECOND, 60 * SECOND]))
        payments.append(
            Payment(
                seq=seq,
                us=clock - late,
                entities={
                    "customer": draw(some(["a", "a", "b", None])),
                    "device": draw(some(["x", "x", "y", None])),
                    "order": draw(some(["1", "2", "3"])),
                },
                amount=draw(some([None, 0, 1, 250, 99_999, -500, 10**12, 10**12 - 1, -(10**12)])),
                attributes={
                    "channel": draw(some(["web", "pos", "", None])),
                    "age": draw(some([0.5, 31.0, -2.25, None])),
                    "trusted": draw(some([True, False, None])),
                },
            )
        )
    reports = []
    for number in range(draw(st.integers(0, 2 * len(payments)))):
        payment = draw(some(payments))
        reported = draw(some([0, 0, *(p.seq for p in payments if p.seq >= payment.seq)]))
        known = payment.us + draw(
            some([-SECOND, 0, 4 * SECOND, 4 * SECOND + 1, 4 * SECOND + 2, 9 * SECOND, 29 * SECOND])
        )
        recorded = START + draw(some([0, number]))
        reports.append(Report(payment.seq, draw(st.booleans()), known, reported, recorded))
    return payments, reports


def transaction(payment: Payment) -> Transaction:
    return Transaction(
        transaction_id=f"t{payment.seq}",
        occurred_at=moment(payment.us),
        amount_minor=payment.amount,
        entities=payment.entities,
        attributes=payment.attributes,
        amount=None if payment.amount is None else Decimal(payment.amount) / 100,
        currency="EUR",
        seq=payment.seq,
    )


def transactions_table(payments: list[Payment]) -> pa.Table:
    columns: dict[str, Any] = {
        "seq": pa.array([p.seq for p in payments], pa.int64()),
        "transaction_id": pa.array([f"t{p.seq}" for p in payments], pa.string()),
        "occurred_at": pa.array([p.us for p in payments], pa.int64()).cast(pa.timestamp("us")),
        "amount_minor": pa.array([p.amount for p in payments], pa.int64()),
    }
    for name in MAPPING.entities:
        columns[name] = pa.array([p.entities[name] for p in payments], pa.string())
    for name, kind in (("channel", pa.string()), ("age", pa.float64()), ("trusted", pa.bool_())):
        columns[name] = pa.array([p.attributes[name] for p in payments], kind)
    return pa.table(columns)


def outcomes_table(reports: list[Report]) -> pa.Table:
    return pa.table(
        {
            "transaction_seq": pa.array([r.seq for r in reports], pa.int64()),
            "is_fraud": pa.array([r.fraud for r in reports], pa.bool_()),
            "known_at": pa.array([r.known_us for r in reports], pa.int64()).cast(pa.timestamp("us")),
            "reported_seq": pa.array([r.reported_seq for r in reports], pa.int64()),
            "recorded_at": pa.array([r.recorded_us for r in reports], pa.int64()).cast(pa.timestamp("us")),
        }
    )


def ledger_like(payments: list[Payment], reports: list[Report]) -> duckdb.DuckDBPyConnection:
    """A connection that has `transactions` and `outcomes`."""
    connection = duckdb.connect()
    connection.register("_payments", transactions_table(payments))
    connection.register("_reports", outcomes_table(reports))
    connection.execute("CREATE TABLE transactions AS FROM _payments")
    connection.execute("CREATE TABLE outcomes AS FROM _reports")
    return connection


def replayed(
    state: Any, payments: list[Payment], reports: list[Report], known: list[Payment] | None = None
) -> Iterator[dict[str, Any]]:
    """Feed an online state as a live service would: each outcome after the payment it was reported behind.

    `known` are all payments that the reports may be about, where some were loaded before.
    """
    by_seq = {p.seq: p for p in known or payments}
    waiting = sorted(reports, key=lambda r: max(r.reported_seq, r.seq))
    for payment in payments:
        while waiting and max(waiting[0].reported_seq, waiting[0].seq) < payment.seq:
            observe(state, by_seq, waiting.pop(0))
        yield state.features(transaction(payment))
        state.add(transaction(payment))
    for report in waiting:
        observe(state, by_seq, report)


def observe(state: Any, by_seq: dict[int, Payment], report: Report) -> None:
    state.observe_outcome(
        transaction(by_seq[report.seq]),
        report.fraud,
        known_at=moment(report.known_us),
        reported_seq=report.reported_seq,
        recorded_at=moment(report.recorded_us),
    )
