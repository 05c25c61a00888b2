from __future__ import annotations

import random
from array import array
from dataclasses import replace

import pytest
from feature_oracle import Payment, moment
from feature_streams import (
    MAPPING,
    SECOND,
    START,
    feature_set,
    outcomes_table,
    transaction,
    transactions_table,
)

from data.errors import ConflictError
from engine.features.history import Codes, Column, RunningSum
from engine.features.online import OnlineState
from engine.features.spec import load_features

FEATURES = feature_set()


def pay(seq: int, second: float, amount: int | None = 100, customer: str | None = "a") -> Payment:
    entities = {"customer": customer, "device": "x", "order": "1"}
    attributes = {"channel": "web", "age": 1.0, "trusted": True}
    return Payment(seq, START + int(second * SECOND), entities, amount, attributes)


def seen(*payments: Payment) -> OnlineState:
    state = OnlineState(FEATURES)
    for payment in payments:
        state.add(transaction(payment))
    return state


def test_looking_changes_nothing() -> None:
    state = seen(pay(1, 0), pay(2, 1))
    first = state.features(transaction(pay(3, 2)))
    assert state.features(transaction(pay(3, 2))) == first
    assert first["customer_count_3s"] == 2


def test_the_first_payment_of_an_entity_has_counts_of_zero_and_no_mean() -> None:
    row = seen(pay(1, 0)).features(transaction(pay(2, 1, customer="b")))
    assert (row["customer_count_20s"], row["customer_sum_3s"], row["customer_devices_20s"]) == (0, 0, 0)
    assert (row["customer_mean_20s"], row["customer_max_20s"], row["customer_last"]) == (None, None, None)


def test_an_unknown_entity_has_no_features_not_even_counts() -> None:
    row = seen(pay(1, 0, customer=None)).features(transaction(pay(2, 1, customer=None)))
    assert row["customer_count_20s"] is None
    assert row["pair_count_20s"] is None
    assert row["order_count_20s"] == 1


def test_a_payment_without_amount_counts_but_has_no_part_in_means() -> None:
    row = seen(pay(1, 0, None), pay(2, 1, 300)).features(transaction(pay(3, 2)))
    assert (row["customer_count_3s"], row["customer_mean_3s"], row["customer_max_20s"]) == (2, 300.0, 300)
    assert row["customer_std_20s"] is None


def test_a_window_ends_before_the_present_instant_and_begins_with_its_first() -> None:
    row = seen(pay(1, 0), pay(2, 3)).features(transaction(pay(3, 3)))
    assert row["customer_count_3s"] == 1
    assert seen(pay(1, 0)).features(transaction(pay(2, 3.000001)))["customer_count_3s"] == 0


def test_a_late_payment_counts_from_when_it_arrived() -> None:
    state = seen(pay(1, 0), pay(2, 5))
    assert state.features(transaction(pay(3, 6)))["customer_count_20s"] == 2
    state.add(transaction(pay(3, 1)))
    assert state.features(transaction(pay(4, 6)))["customer_count_20s"] == 3


def test_what_is_kept_stays_exact_beyond_the_eight_bytes_of_a_sum() -> None:
    large = 4 * 10**18
    row = seen(pay(1, 0, large), pay(2, 1, large), pay(3, 2, large)).features(transaction(pay(4, 2.5)))
    assert row["customer_sum_3s"] == 2**63 - 1
    assert row["customer_mean_3s"] == large
    assert row["customer_std_20s"] == 0.0


def test_only_an_empty_state_is_loaded() -> None:
    with pytest.raises(ConflictError):
        seen(pay(1, 0)).bulk_load(transactions_table([pay(1, 0)]), outcomes_table([]))


def test_an_empty_ledger_loads_as_an_empty_state() -> None:
    state = OnlineState(FEATURES)
    state.bulk_load(transactions_table([]), outcomes_table([]))
    assert state.newest_us is None
    assert state.features(transaction(pay(1, 0)))["customer_count_20s"] == 0


def test_bulk_sums_beyond_eight_bytes_are_exact_too() -> None:
    payments = [pay(n, n, 3 * 10**18) for n in range(1, 5)]
    state = OnlineState(FEATURES)
    state.bulk_load(transactions_table(payments))
    row = state.features(transaction(pay(5, 4.5)))
    assert (row["customer_mean_20s"], row["customer_std_20s"]) == (3e18, 0.0)


def test_memory_is_bounded_and_trimming_changes_no_feature() -> None:
    rng = random.Random(5)
    state, lean, clock = OnlineState(FEATURES), OnlineState(FEATURES), 0.0
    for seq in range(1, 600):
        clock += rng.random()
        payment = transaction(pay(seq, clock, rng.randrange(900), rng.choice("abcd")))
        assert lean.features(payment) == state.features(payment)
        fraud = rng.random() < 0.2
        for each in (state, lean):
            each.add(payment)
            if seq % 3 == 0:
                each.observe_outcome(
                    payment,
                    fraud,
                    known_at=payment.occurred_at,
                    reported_seq=seq,
                    recorded_at=payment.occurred_at,
                )
        lean.trim()
    assert lean.remembered < state.remembered < 4 * 600
    assert lean.remembered < 4 * 200


def test_values_that_were_forgotten_and_come_back_are_counted_as_before() -> None:
    """Each device of 200 comes back after about two memories' time; the first payments are loaded, the others added."""
    rng, clock = random.Random(6), 0.0
    state, lean, first = OnlineState(FEATURES), OnlineState(FEATURES), []
    for seq in range(1, 1_200):
        clock += rng.random()
        made = pay(seq, clock - 15 * (rng.random() < 0.1), customer=rng.choice("ab"))
        made = replace(made, entities={**made.entities, "device": f"d{rng.randrange(200)}"})
        if seq > 60:
            assert lean.features(transaction(made)) == state.features(transaction(made))
            lean.add(transaction(made))
            lean.trim()
        else:
            first.append(made)
        state.add(transaction(made))
        if seq == 60:
            lean.bulk_load(transactions_table(first))
    assert lean.numbered < state.numbered


def test_an_entity_value_not_seen_within_memory_is_forgotten() -> None:
    state = seen(pay(1, 0), pay(2, 500, customer="b"))
    state.trim()
    assert state.remembered == seen(pay(2, 500, customer="b")).remembered


def test_a_label_is_not_known_before_its_payment() -> None:
    state = seen(replace(pay(1, 10)))
    payment = transaction(pay(1, 10))
    moments = {"known_at": moment(START), "recorded_at": moment(START)}
    state.observe_outcome(payment, True, reported_seq=1, **moments)
    assert state.features(transaction(pay(2, 12)))["device_learned_3s"] == 1
    assert state.features(transaction(pay(2, 10)))["device_learned_20s"] == 0


def test_a_reversal_takes_a_fraud_back_and_a_second_one_restores_it() -> None:
    state = seen(pay(1, 0))
    shares = []
    for number, fraud in enumerate([True, False, True]):
        now = moment(START + (5 + number) * SECOND)
        state.observe_outcome(transaction(pay(1, 0)), fraud, known_at=now, reported_seq=1, recorded_at=now)
        shares.append(state.features(transaction(pay(2, 9)))["device_share_20s"])
    assert shares == [1.0, 0.0, 1.0]


def test_the_clock_of_the_institution_changes_in_spring() -> None:
    features = load_features(
        "version: 1\ntime_zone: Europe/Berlin\nfeatures: [{name: hour, measure: local_hour}]", "f", MAPPING
    )
    state = OnlineState(features)
    change = 1_774_746_000  # 2026-03-29 01:00 UTC, when 02:00 becomes 03:00
    hours = [state.features(transaction(Payment(1, (change + s) * SECOND, {})))["hour"] for s in (-1, 0)]
    assert hours == [1, 3]


def test_a_long_window_has_the_largest_value_whatever_is_inserted_or_forgotten() -> None:
    rng = random.Random(1)
    values: list[int] = []
    column = Column(array("q"))
    for _ in range(1_500):
        place = len(values) if rng.random() < 0.9 else rng.randint(0, len(values))
        value = rng.randrange(10**6)
        values.insert(place, value)
        column.insert(place, value)
        low = rng.randrange(len(values))
        high = rng.randint(low + 1, len(values))
        assert column.largest(low, high) == max(values[low:high])
        if rng.random() < 0.002:
            column.forget(100)
            del values[:100]


def test_a_long_window_has_its_different_values_whatever_is_inserted_or_forgotten() -> None:
    rng = random.Random(2)
    values: list[int] = []
    codes = Codes(array("q"))
    for _ in range(1_500):
        place = len(values) if rng.random() < 0.9 else rng.randint(0, len(values))
        code = rng.randrange(-1, 40 + len(values) // 4)
        values.insert(place, code)
        codes.insert(place, code)
        low = rng.randint(0, len(values) // 8)
        high = rng.randint(low + len(values) // 2, len(values))
        assert codes.different(7, low, high) == len(set(values[low:high]) - {-1})
        if rng.random() < 0.002:
            codes.forget(100)
            del values[:100]


def test_running_sums_follow_insertions_and_removals_in_the_middle() -> None:
    rng = random.Random(3)
    values: list[int] = []
    sums = RunningSum()
    for _ in range(300):
        place = rng.randint(0, len(values))
        value = rng.choice([1, -5, 10**18, 9 * 10**18])
        values.insert(place, value)
        sums.insert(place, value)
        if rng.random() < 0.3:
            gone = rng.randrange(len(values))
            del values[gone]
            sums.remove(gone)
        low = rng.randint(0, len(values))
        assert sums.totals[-1] - sums.totals[low] == sum(values[low:])
