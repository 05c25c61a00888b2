"""Are features right, and is their work in proportion, where rows come later than anybody waits for?"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import feature_oracle
import pytest
from feature_oracle import Payment, Report
from feature_sameness import assert_same
from feature_streams import MAPPING, SECOND, START, ledger_like, streams
from hypothesis import given, settings

from engine.features.batch import batch_features, batch_sql
from engine.features.facts import probe
from engine.features.spec import load_features

HOUR = 3_600 * SECOND
IMPATIENT = load_features(
    """
version: 1
horizon: 30s
lateness: 1s
label_delay: 4s
features:
  - {name: n, entity: customer, measure: count, window: 3s}
  - {name: spread, entity: customer, measure: std, window: 20s}
  - {name: largest, entity: customer, measure: max, window: 30s}
  - {name: devices, entity: customer, measure: distinct, of: device, window: 3s}
  - {name: channels, entity: customer, measure: distinct, of: channel, window: 20s}
  - {name: first, entity: [customer, device], measure: seconds_since_first}
  - {name: devices_of_all, entity: everyone, measure: distinct, of: device, window: 20s}
  - {name: share, entity: device, measure: fraud_share, window: 20s}
""",
    "features.yaml",
    MAPPING,
)
DAYS = load_features(
    """
version: 1
horizon: 3d
lateness: 1h
label_delay: 1h
features:
  - {name: n, entity: customer, measure: count, window: 1d}
  - {name: spread, entity: customer, measure: std, window: 1d}
  - {name: devices, entity: customer, measure: distinct, of: device, window: 1d}
  - {name: first, entity: customer, measure: seconds_since_first}
  - {name: share, entity: customer, measure: fraud_share, window: 1d}
""",
    "features.yaml",
    MAPPING,
)


@pytest.mark.parametrize("examples", [6, pytest.param(150, marks=pytest.mark.soak)])
def test_features_where_most_rows_come_too_late_are_those_of_the_contract(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(streams(most=60))
    def compare(stream: tuple[list[Payment], list[Report]]) -> None:
        payments, reports = stream
        with ledger_like(payments, reports) as connection:
            table = batch_features(connection, IMPATIENT, join_up_to=-1)
        for payment, row in zip(payments, table.select(list(IMPATIENT.names)).to_pylist(), strict=True):
            wanted = feature_oracle.features(payment, payments, reports, IMPATIENT)
            assert_same(IMPATIENT, row, wanted, payment.seq)

    compare()


def delayed(rows: int, by: int) -> list[Payment]:
    """One customer's payments of a day; every second one arrives late."""
    rng = random.Random(5)
    times = [START + row * 24 * HOUR // rows for row in range(rows)]
    return [
        Payment(
            seq,
            time - (by if seq % 2 else 0),
            {"customer": "c", "device": f"d{rng.randrange(40)}", "order": None},
            rng.randrange(10**6),
            {"channel": None, "age": None, "trusted": None},
        )
        for seq, time in enumerate(times, start=1)
    ]


def behind(rows: int) -> list[Payment]:
    """The same, but the late ones all come together behind one of three months later."""
    mixed = delayed(rows, SECOND)
    newer = replace(mixed[-1], us=START + 2_160 * HOUR)
    order = [*mixed[1::2], newer, *mixed[::2]]
    return [replace(payment, seq=seq) for seq, payment in enumerate(order, start=1)]


def handled(payments: list[Payment], reports: list[Report]) -> int:
    """Rows that the steps of the statement hand on, all together."""
    with ledger_like(payments, reports) as connection:
        facts = probe(connection, DAYS, None, None, -1)
        told = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {batch_sql(DAYS, facts)}").fetchall()[0][1]
    return sum(step["intermediate_rows"] for plan in json.loads(told)["operator"] for step in steps(plan))


def steps(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("children", []):
        yield from steps(child)


@pytest.mark.parametrize("made", [partial(delayed, by=5 * HOUR), behind], ids=["remembered", "forgotten"])
def test_work_for_rows_that_come_very_late_does_not_grow_with_their_square(
    made: Callable[[int], list[Payment]],
) -> None:
    few, many = made(400), made(1_600)
    reports = [[Report(p.seq, p.seq % 9 == 0, p.us, 0, START) for p in some[1::2]] for some in (few, many)]
    assert handled(many, reports[1]) < 7 * handled(few, reports[0])  # sixteen times with the square


@pytest.mark.parametrize("made", [partial(delayed, by=5 * HOUR), behind], ids=["remembered", "forgotten"])
def test_payments_that_come_very_late_in_great_numbers_have_the_features_of_the_contract(
    made: Callable[[int], list[Payment]],
) -> None:
    payments = made(900)
    with ledger_like(payments, []) as connection:
        given_rows = batch_features(connection, DAYS, join_up_to=-1).select(list(DAYS.names)).to_pylist()
    for place in random.Random(1).sample(range(len(payments)), 30):
        wanted = feature_oracle.features(payments[place], payments, [], DAYS)
        assert_same(DAYS, given_rows[place], wanted, place + 1)
