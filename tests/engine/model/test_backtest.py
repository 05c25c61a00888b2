"""Backtests over a small DuckDB history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from data.errors import InputError
from engine.features.feature_set import FeatureSet, FeatureSpec
from engine.measuring.backtest import Protocol, backtest, run
from engine.measuring.labelled_history import Window, as_microseconds, load_history

START = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = FeatureSet(
    (
        FeatureSpec("amount_minor", "value", "money", "integer", "amount", of="amount"),
        FeatureSpec(
            "customer_txn_count_1d",
            "count",
            "count",
            "integer",
            "payments in a day",
            entity=("customer",),
            window_us=86_400_000_000,
        ),
    )
)
QUICK = {"rounds": 20, "max_bin": 256}


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def protocol(**changes: Any) -> Protocol:
    given: dict[str, Any] = {
        "train": Window(day(5), day(15)),
        "test": Window(day(22), day(30)),
        "entity": "customer",
    }
    return Protocol(**(given | changes))


@pytest.fixture(scope="module")
def source() -> Iterator[Any]:
    """30 days of 200 payments by 100 customers; large ones are often fraud, known seven days later."""
    rng = np.random.default_rng(0)
    rows = 6000
    amount = rng.lognormal(8, 1, rows).astype(np.int64)
    at = pa.array(
        [START + timedelta(seconds=30 * 86_400 / rows * i) for i in range(rows)], pa.timestamp("us", "UTC")
    ).cast(pa.timestamp("us"))
    transactions = pa.table(
        {
            "seq": np.arange(1, rows + 1),
            "transaction_id": [f"t{i}" for i in range(rows)],
            "occurred_at": at,
            "amount_minor": amount,
            "customer": [f"c{i}" for i in rng.integers(0, 100, rows)],
        }
    )
    fraud = rng.random(rows) < np.where(amount > 9000, 0.25, 0.005)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.register("given", transactions.append_column("fraud", pa.array(fraud)))
    con.execute("CREATE TABLE transactions AS SELECT * EXCLUDE (fraud) FROM given ORDER BY seq")
    con.execute(
        "CREATE TABLE outcomes AS SELECT seq AS transaction_seq, true AS is_fraud, "
        "occurred_at + INTERVAL 7 DAY AS known_at, 0 AS reported_seq FROM given WHERE fraud"
    )
    yield con
    con.close()


def count(source: Any, where: str) -> int:
    return int(source.sql(f"SELECT count(*) FROM transactions WHERE {where}").fetchall()[0][0])


def test_it_reports_counts_and_figures_with_intervals(source: Any) -> None:
    found = backtest(source, FEATURES, protocol(), params=QUICK)

    told = found.to_json()
    assert told["train"]["rows"] == found.train_rows == 2000
    assert found.test_rows + found.removed == 1600
    assert told["auc"]["low"] < told["auc"]["value"] < told["auc"]["high"]
    assert found.average_precision.value > 2 * found.test_frauds / found.test_rows
    assert len(found.card_precision_by_day) == 8
    assert told["features"] == ["amount_minor", "customer_txn_count_1d"]


def test_customers_known_to_be_compromised_are_not_judged(source: Any) -> None:
    found = backtest(source, FEATURES, protocol(), params=QUICK)

    known = """
        EXISTS (SELECT 1 FROM transactions f JOIN outcomes o ON o.transaction_seq = f.seq
                WHERE f.customer = transactions.customer AND f.occurred_at >= TIMESTAMP '2026-01-06'
                  AND o.known_at < date_trunc('day', transactions.occurred_at))
    """
    within = "occurred_at >= TIMESTAMP '2026-01-23' AND occurred_at < TIMESTAMP '2026-01-31'"
    assert found.removed == count(source, f"{within} AND {known}") > 0
    assert backtest(source, FEATURES, protocol(entity=""), params=QUICK).removed == 0


def test_frauds_before_the_chosen_moment_do_not_count_as_compromise(source: Any) -> None:
    later, all_known = (
        backtest(source, FEATURES, protocol(compromised_since=since), params=QUICK).removed
        for since in (day(12), None)
    )

    assert 0 < later < all_known


def test_labels_that_were_not_known_when_the_test_began_teach_nothing(source: Any) -> None:
    closer = protocol(test=Window(day(17), day(25)))

    found = backtest(source, FEATURES, closer, params=QUICK)

    # The last five of ten training days, but for the payment whose label was known at the very moment.
    assert (found.train_rows, found.unmatured) == (1001, 999)


def test_probabilities_come_from_trees_that_saw_no_label_younger_than_the_delay(source: Any) -> None:
    longer = protocol(train=Window(day(0), day(20)), test=Window(day(27), day(30)))
    history = load_history(source, FEATURES, [longer.train, longer.test], entity="customer")
    about_us = history.occurred_us[history.outcome_row]
    # The calibrator learns from the last five days of twenty: nobody had labels of the week before those then.
    unknown = (about_us > as_microseconds(day(8.5))) & (about_us < as_microseconds(day(15)))
    misled = replace(history, outcome_fraud=np.where(unknown, 0, history.outcome_fraud))

    found, told_wrong = (run(each, FEATURES, longer, params=QUICK).trained for each in (history, misled))

    assert unknown.any() and found.calibrator == told_wrong.calibrator
    assert found.label_summary["earlier"]["to"] < day(8.5).isoformat()


def test_a_chargeback_that_came_after_the_test_began_is_not_learned_from(source: Any) -> None:
    history = load_history(source, FEATURES, [Window(day(5), day(30))])
    then, _ = history.labels(known_by_us=int(day(22).timestamp()) * 1_000_000)
    now, reported = history.labels()

    late = history.occurred_us > int(day(15).timestamp()) * 1_000_000
    assert then[~late].sum() == now[~late].sum() > 0
    assert then[late].sum() == 0 < now[late].sum()
    assert (reported == (now == 1)).all()  # in this history only frauds are reported; silence is legitimate


def test_a_reversal_that_came_later_wins(source: Any) -> None:
    con = source.cursor()
    con.execute("BEGIN")
    con.execute(
        "INSERT INTO outcomes SELECT transaction_seq, false, known_at + INTERVAL 1 DAY, 0 FROM outcomes LIMIT 1"
    )
    reversed_seq = con.sql("SELECT transaction_seq FROM outcomes WHERE NOT is_fraud").fetchall()[0][0]
    history = load_history(con, FEATURES, [Window(day(0), day(30))])
    con.execute("ROLLBACK")

    y, _ = history.labels()

    row = int(np.searchsorted(history.seq, reversed_seq))
    assert y[row] == 0
    early, _ = history.labels(known_by_us=int(history.outcome_us[history.outcome_row == row].min()))
    assert early[row] == 1


def test_a_correction_reported_later_wins_though_it_was_known_earlier(source: Any) -> None:
    con = source.cursor()
    con.execute("BEGIN")
    con.execute(
        "INSERT INTO outcomes SELECT transaction_seq, false, known_at - INTERVAL 1 HOUR, reported_seq + 1 "
        "FROM outcomes LIMIT 1"
    )
    corrected = con.sql("SELECT transaction_seq FROM outcomes WHERE NOT is_fraud").fetchall()[0][0]
    history = load_history(con, FEATURES, [Window(day(0), day(30))])
    con.execute("ROLLBACK")

    y, _ = history.labels()

    assert y[np.searchsorted(history.seq, corrected)] == 0


def test_the_same_history_serves_many_protocols(source: Any) -> None:
    history = load_history(source, FEATURES, [Window(day(5), day(30))], entity="customer")

    direct = backtest(source, FEATURES, protocol(), params=QUICK)
    shared = run(history, FEATURES, protocol(), params=QUICK)

    assert shared.to_json() == direct.to_json()


def test_a_window_without_transactions_says_what_there_is(source: Any) -> None:
    with pytest.raises(InputError, match=r"no transactions in this window.*between 2026-01-01"):
        backtest(source, FEATURES, protocol(test=Window(day(300), day(310))))


def test_an_unknown_entity_says_what_there_is(source: Any) -> None:
    with pytest.raises(InputError, match=r"transactions have no entity 'card'.*customer"):
        backtest(source, FEATURES, protocol(entity="card"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test": Window(day(10), day(20))}, "before training ends"),
        ({"delay": timedelta(days=-1)}, "a label delay cannot be negative"),
        ({"cards": 0}, "counts from 1"),
    ],
)
def test_impossible_protocols_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        protocol(**changes)


def test_windows_must_run_forward_and_name_their_zone() -> None:
    with pytest.raises(InputError, match="before it starts"):
        Window(day(2), day(1))
    with pytest.raises(InputError, match="a window needs times with a zone"):
        Window(datetime(2026, 1, 1), day(1))
