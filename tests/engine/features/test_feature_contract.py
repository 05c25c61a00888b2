"""The worked examples of docs/feature-contract.md, by batch and online."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from feature_oracle import Payment, Report
from feature_streams import MAPPING, ledger_like, replayed

from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.features.spec import FeatureSet, load_features

MINUTE = 60 * 1_000_000
DAY = 24 * 60 * MINUTE
NOON = DAY // 2


def declared(row: str, *more: str) -> FeatureSet:
    rows = "".join(f"  - {each}\n" for each in (row, *more))
    return load_features(f"version: 1\nlabel_delay: 7d\nfeatures:\n{rows}", "features.yaml", MAPPING)


def pay(seq: int, us: int) -> Payment:
    return Payment(
        seq,
        us,
        {"customer": "a", "device": "x", "order": "1"},
        100,
        {"channel": "", "age": 1.0, "trusted": True},
    )


def computed(
    how: str, features: FeatureSet, payments: list[Payment], reports: list[Report]
) -> list[dict[str, Any]]:
    if how == "online":
        return list(replayed(OnlineState(features), payments, reports))
    with ledger_like(payments, reports) as connection:
        table = batch_features(connection, features, join_up_to=0 if how == "by windows" else 100)
    return table.select(list(features.names)).to_pylist()


HOWS = pytest.mark.parametrize("how", ["online", "by windows", "by join"])


@HOWS
def test_the_example_of_a_late_payment(how: str) -> None:
    features = declared("{name: payments, entity: customer, measure: count, window: 1h}")
    times = [720, 750, 780, 780, 765, 790]
    payments = [pay(seq, minute * MINUTE) for seq, minute in enumerate(times, start=1)]
    assert [row["payments"] for row in computed(how, features, payments, [])] == [0, 1, 2, 2, 2, 4]


@HOWS
def test_the_example_of_labels(how: str) -> None:
    features = declared(
        "{name: share, entity: device, measure: fraud_share, window: 7d}",
        "{name: frauds, entity: device, measure: fraud_count, window: 7d}",
        "{name: learned, entity: device, measure: frauds_learned, window: 7d}",
    )
    days = [5, 8, 9, 10, 11, 14, 20]
    payments = [pay(seq, day * DAY + NOON) for seq, day in enumerate(days, start=1)]
    told = [(1, True, 12), (2, False, 15), (3, True, 16), (3, False, 19), (4, True, 30), (6, True, 15)]
    reports = [Report(seq, fraud, day * DAY + NOON, 0, day * DAY) for seq, fraud, day in told]
    assert computed(how, features, payments, reports)[-1] == {"share": 0.0, "frauds": 0, "learned": 1}


@HOWS
def test_a_reversal_changes_nothing_for_those_before_it(how: str) -> None:
    features = declared("{name: share, entity: device, measure: fraud_share, window: 30d}")
    payments = [pay(seq, day * DAY) for seq, day in enumerate([1, 12, 13], start=1)]
    reports = [Report(1, True, 2 * DAY, 1, 0), Report(1, False, 2 * DAY, 2, 0)]
    shares = [row["share"] for row in computed(how, features, payments, reports)]
    assert shares == [None, 1.0, 0.0]


@HOWS
def test_a_correction_known_earlier_than_what_it_corrects_is_in_force_wherever_that_is(how: str) -> None:
    features = declared("{name: learned, entity: device, measure: frauds_learned, window: 7d}")
    payments = [pay(seq, day * DAY) for seq, day in enumerate([0, 71, 72, 73, 77, 78], start=1)]
    reports = [Report(1, True, 70 * DAY, 1, 0), Report(1, False, 30 * DAY, 3, 0)]
    learned = [row["learned"] for row in computed(how, features, payments, reports)]
    assert learned == [0, 1, 1, 0, 0, 0]


@HOWS
@pytest.mark.parametrize(("sign", "limit"), [(1, 2**63 - 1), (-1, -(2**63))])
def test_a_sum_beyond_eight_bytes_is_the_outermost_that_fits(how: str, sign: int, limit: int) -> None:
    """Amounts larger than the door lets in stand for very many payments: 300 of 10^18 for 300,000 of 10^15."""
    features = declared(
        "{name: total, entity: customer, measure: sum, window: 1d}",
        "{name: payments, entity: customer, measure: count, window: 1d}",
        "{name: usual, entity: customer, measure: mean, window: 1d}",
        "{name: twice, derived: 2 * total}",
    )
    payments = [replace(pay(seq, seq), amount=sign * 10**18) for seq in range(1, 301)]
    rows = computed(how, features, payments, [])
    assert rows[9]["total"] == sign * 9 * 10**18
    assert rows[10]["total"] == rows[-1]["total"] == limit
    assert rows[-1] == {"total": limit, "payments": 299, "usual": sign * 1e18, "twice": 2.0 * limit}
