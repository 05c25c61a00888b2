"""Do rules answer rows as written, alike one by one and in bulk, and never by an exception?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_samples import RULE, demo_features, demo_files, demo_lists

from engine.decision import Outcome, RuleResult, RuleState
from engine.rules.loader import load_rules
from engine.rules.pinning import check_all_pins, check_pins
from engine.rules.rule_set import RuleSet
from engine.rules.testing import failures, run_tests

FEATURES, LISTS = demo_features(), demo_lists()
DEMO = load_rules(demo_files(), FEATURES, LISTS)
AT = datetime(2026, 3, 1, tzinfo=UTC)
ROW = {"customer_txn_count_1d": 6, "amount_minor": 1250, "channel": "ecom"}


def one(text: str = RULE) -> RuleSet:
    return load_rules({"catalogue/many_payments.yaml": text.encode()}, FEATURES, LISTS, currency="EUR")


def result(row: dict[str, Any], text: str = RULE, at: datetime = AT) -> RuleResult:
    return one(text).evaluate(row, at)[0]


def test_a_hit_carries_its_floor_and_a_reason_with_values() -> None:
    hit = result(ROW)
    assert (hit.state, hit.floor, hit.reason) == (RuleState.HIT, Outcome.DECLINE, "6 payments, now 12.50 EUR")
    assert hit.features == ("customer_txn_count_1d", "amount_minor", "channel")


def test_no_hit_asks_for_nothing() -> None:
    quiet = result({**ROW, "customer_txn_count_1d": 4})
    assert (quiet.state, quiet.floor, quiet.reason) == (RuleState.NO_HIT, Outcome.APPROVE, "")


def test_a_missing_value_matters_only_where_it_could_change_the_answer() -> None:
    assert result({**ROW, "channel": None}).state is RuleState.HIT
    assert result({**ROW, "amount_minor": None, "channel": "app"}).state is RuleState.HIT
    missing = result({**ROW, "amount_minor": None})
    assert (missing.state, missing.floor) == (RuleState.MISSING, Outcome.REVIEW)
    assert missing.reason == "Many payments within a day: a value it needs is missing"
    assert result({}, RULE.replace("on_missing: review", "on_missing: no_hit")).floor is Outcome.APPROVE


@pytest.mark.parametrize("odd", ["six", 10**400])
def test_a_value_of_the_wrong_kind_is_an_error_state_and_no_exception(odd: Any) -> None:
    broken = result({**ROW, "customer_txn_count_1d": odd})
    assert (broken.state, broken.floor) == (RuleState.ERROR, Outcome.REVIEW)


def test_a_number_that_is_not_finite_is_missing() -> None:
    for odd in (float("nan"), float("inf")):
        assert result({**ROW, "customer_txn_count_1d": odd}).state is RuleState.MISSING


def test_drafts_and_retired_rules_are_not_evaluated_and_shadows_are_marked() -> None:
    for status in ("draft", "retired"):
        assert one(RULE.replace("status: live", f"status: {status}")).evaluate(ROW, AT) == ()
    assert result(ROW, RULE.replace("status: live", "status: shadow")).status == "shadow"


def test_an_allow_lane_closes_at_its_expiry() -> None:
    row = {"customer": "cust_trusted_1"}
    closes = datetime(2026, 12, 31, tzinfo=UTC)
    for at, state in ((closes - timedelta(microseconds=1), RuleState.HIT), (closes, RuleState.NO_HIT)):
        (lane,) = (r for r in DEMO.evaluate(row, at) if r.rule_id == "trusted_customer")
        assert lane.state is state
    assert (lane.effect, lane.amount_cap_minor) == ("allow", 30_000)


def test_tracing_all_rules_at_once_gives_the_same_results_and_every_line() -> None:
    row = {**ROW, "channel": None}
    results, answers = one().traced(row, AT)
    assert results == one().evaluate(row, AT)
    assert one().lines == (
        ("many_payments", "customer_txn_count_1d >= 5"),
        ("many_payments", "amount_minor < 2000"),
        ("many_payments", "channel = 'app'"),
    )
    assert answers == (True, True, None)


def test_a_value_of_the_wrong_kind_spoils_only_the_rules_that_read_it() -> None:
    row = {**dict.fromkeys(FEATURES.names), "customer": "cust_trusted_1", "customer_txn_count_1d": "six"}
    states = {r.rule_id: r.state for r in DEMO.evaluate(row, AT)}
    broken = {rule.id for rule in DEMO if "customer_txn_count_1d" in rule.features}
    assert broken and {rule for rule, state in states.items() if state is RuleState.ERROR} == broken
    assert states["trusted_customer"] is RuleState.HIT


def test_the_demo_rules_pass_their_own_tests() -> None:
    assert len(DEMO) >= 20
    assert failures(run_tests(DEMO)) == []


def test_every_number_of_the_demo_rules_is_pinned() -> None:
    assert [str(unpinned) for unpinned in check_all_pins(DEMO)] == []


def test_every_demo_rule_helps_the_analyst() -> None:
    for rule in DEMO:
        assert len(rule.false_positives) > 20 and len(rule.runbook) > 40, rule.id


def test_a_failing_inline_test_is_told_with_what_was_found() -> None:
    text = RULE.replace("customer_txn_count_1d: 4", "customer_txn_count_1d: 5")
    (failure,) = failures(run_tests(one(text)))
    assert str(failure) == "FAIL many_payments: four: expected no_hit, was hit"


def test_a_threshold_a_hundred_times_too_low_fails_the_tests_of_its_rule() -> None:
    assert failures(run_tests(one(RULE.replace("amount_minor < 2000", "amount_minor < 20"))))


def test_numbers_that_no_test_defends_are_named() -> None:
    loose = RULE.replace("amount_minor: 1999", "amount_minor: 100").replace(
        "amount_minor: 2000", "amount_minor: 9000"
    )
    found = [str(unpinned) for unpinned in check_pins(one(loose).rule("many_payments"), LISTS)]
    assert found == [
        "many_payments: no test notices when '<' becomes '<=' (in 'amount_minor < 2000')",
        "many_payments: no test notices when 2000 becomes 2001 (in 'amount_minor < 2000')",
        "many_payments: no test notices when 2000 becomes 1999 (in 'amount_minor < 2000')",
    ]
    assert check_pins(one().rule("many_payments"), LISTS) == []


TYPES = {"integer": pa.int64(), "number": pa.float64(), "category": pa.string(), "flag": pa.bool_()}
VALUES = {
    "integer": st.one_of(st.integers(0, 6), st.sampled_from([1500, 3000, 20_000, 25_000, 120_000])),
    "number": st.sampled_from([0.0, 0.05, 1.5, 2.5, 3.0, 8.0, 86_399.0, 86_400.0, 1_296_001.0, float("nan")]),
    "category": st.sampled_from(
        [
            "pos",
            "ecom",
            "app",
            "DE",
            "NO",
            "gift_cards",
            "money_transfer",
            "dev_0badc0de01",
            "cust_trusted_1",
            "merch_under_watch_1",
        ]
    ),
    "flag": st.booleans(),
}
demo_rows = st.fixed_dictionaries(
    {spec.name: st.one_of(st.none(), VALUES[spec.kind]) for spec in FEATURES.features}
)


@settings(max_examples=25, deadline=None)
@given(st.lists(demo_rows, min_size=1, max_size=30), st.sampled_from([AT, AT + timedelta(days=365)]))
def test_the_demo_rules_answer_alike_one_by_one_and_in_bulk(
    table: list[dict[str, Any]], at: datetime
) -> None:
    schema = pa.schema([(spec.name, TYPES[spec.kind]) for spec in FEATURES.features])
    arrow = pa.Table.from_pylist(table, schema=schema).append_column("seq", pa.array(range(len(table))))
    connection = duckdb.connect()
    connection.register("features", arrow)
    answered = connection.execute(DEMO.sql("features", at=at) + " ORDER BY seq").fetchall()
    connection.close()
    for row, in_bulk in zip(table, answered, strict=True):
        assert [r.state.value for r in DEMO.evaluate(row, at)] == list(in_bulk[1:])
