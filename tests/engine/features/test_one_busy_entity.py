"""Has one customer with 100,000 payments, or with amounts as large as there are, exact features in bounded work?"""

from __future__ import annotations

import random
from dataclasses import replace

import feature_oracle
import pytest
from feature_oracle import Payment, Report
from feature_sameness import assert_same
from feature_streams import MAPPING, SECOND, START, ledger_like, outcomes_table, replayed, transactions_table

from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.features.spec import load_features

BUSY = load_features(
    """
version: 1
horizon: 3d
lateness: 1h
label_delay: 1h
features:
  - {name: n, entity: customer, measure: count, window: 1d}
  - {name: total, entity: customer, measure: sum, window: 1d}
  - {name: usual, entity: customer, measure: mean, window: 1d}
  - {name: spread, entity: customer, measure: std, window: 1d}
  - {name: largest, entity: customer, measure: max, window: 1d}
  - {name: devices, entity: customer, measure: distinct, of: device, window: 1d}
  - {name: last, entity: customer, measure: seconds_since_last}
  - {name: first, entity: customer, measure: seconds_since_first}
  - {name: share, entity: customer, measure: fraud_share, window: 1d}
  - {name: learned, entity: customer, measure: frauds_learned, window: 1d}
""",
    "features.yaml",
    MAPPING,
)


def busy_stream(rows: int) -> tuple[list[Payment], list[Report]]:
    """One customer who pays every few seconds for three days, in sums around 10^12, a tenth of them late."""
    rng = random.Random(17)
    clock, payments, reports = START, [], []
    for seq in range(1, rows + 1):
        clock += rng.choice([0, SECOND, 2 * SECOND, 7 * SECOND])
        late = rng.choice([SECOND, 90 * SECOND]) if rng.random() < 0.1 else 0
        entities = {"customer": "c", "device": f"d{rng.randrange(2_000)}", "order": None}
        amount = 10**12 - rng.randrange(50)
        attributes = {"channel": None, "age": None, "trusted": None}
        payments.append(Payment(seq, clock - late, entities, amount, attributes))
        if rng.random() < 0.1:
            reports.append(Report(seq, rng.random() < 0.3, payments[-1].us + 1800 * SECOND, 0, START))
    return payments, reports


@pytest.mark.parametrize("rows", [25_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_a_customer_with_very_many_payments_has_the_same_features_everywhere(rows: int) -> None:
    """Work that grew with the square of the payments would keep this test from ever ending."""
    payments, reports = busy_stream(rows)
    with ledger_like(payments, reports) as connection:
        batch = batch_features(connection, BUSY).select(list(BUSY.names))
    state = OnlineState(BUSY)
    half = rows - rows // 5
    state.bulk_load(
        transactions_table(payments[:half]), outcomes_table([r for r in reports if r.seq <= half])
    )
    waiting = [r for r in reports if r.seq > half]
    checked = {*random.Random(2).sample(range(half, rows), 3), rows - 1}
    for place, row in enumerate(replayed(state, payments[half:], waiting), start=half):
        if place % 250 == 0 or place in checked:
            assert_same(BUSY, batch.slice(place, 1).to_pylist()[0], row, place + 1)
        if place in checked:
            wanted = feature_oracle.features(payments[place], payments, reports, BUSY)
            assert wanted["n"] > 19_000
            assert wanted["spread"] < 20
            assert_same(BUSY, row, wanted, place + 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_deviations_are_right_where_squares_no_longer_fit_into_16_bytes(sign: int) -> None:
    payments, _ = busy_stream(6_000)
    rng = random.Random(3)
    largest = [replace(p, amount=sign * (10**15 - rng.randrange(3)), us=START + p.seq) for p in payments]
    with ledger_like(largest, []) as connection:
        rows = batch_features(connection, BUSY).select(list(BUSY.names)).to_pylist()
    online = list(replayed(OnlineState(BUSY), largest, []))
    for place in (1, 2, 3, 50, 5_999):
        wanted = feature_oracle.features(largest[place], largest, [], BUSY)
        assert_same(BUSY, rows[place], wanted, place + 1)
        assert_same(BUSY, online[place], wanted, place + 1)


def test_equal_amounts_have_no_deviation_however_large_they_are() -> None:
    payments, _ = busy_stream(5_000)
    equal = [replace(p, amount=10**15, us=START + p.seq) for p in payments]
    with ledger_like(equal, []) as connection:
        spread = batch_features(connection, BUSY)["spread"].to_pylist()
    assert spread == [None, None, *[0.0] * 4_998]
