"""Does an inline test with a small history see the very features that the engine would decide with?"""

from __future__ import annotations

import pytest
from rule_samples import RULE, demo_features, demo_files, demo_lists

from data.errors import ConfigError
from engine.rules.inline_tests import LONGEST_HISTORY
from engine.rules.loader import load_rule, load_rules
from engine.rules.pinning import check_pins
from engine.rules.rule import Rule
from engine.rules.testing import failures, run_rule_tests

FEATURES, LISTS = demo_features(), demo_lists()
BASE = RULE[: RULE.index("tests:\n")] + "tests:\n"
FIVE = "".join(f"      - {{ago: {hours}h, customer: c1}}\n" for hours in (24, 20, 12, 2, 1))
NO = "  - {name: quiet, given: {customer_txn_count_1d: 4, amount_minor: 100, channel: app}, expect: no_hit}\n"


def rule(tests: str) -> Rule:
    text = (BASE + tests + NO).encode()
    return load_rule(text, "catalogue/many_payments.yaml", FEATURES, LISTS, currency="EUR")


def one(history: str, transaction: str, expect: str = "hit", more: str = "") -> str:
    rows = f"    history:\n{history}" if history else ""
    return f"  - name: busy\n{more}{rows}    transaction: {transaction}\n    expect: {expect}\n"


def test_the_features_are_worked_out_from_the_history() -> None:
    found = rule(one(FIVE, "{amount: 19.99, customer: c1}"))
    assert found.tests[0].given == {"customer_txn_count_1d": 5, "amount_minor": 1999, "channel": None}
    assert failures(run_rule_tests(found, LISTS)) == []


def test_a_window_ends_where_the_engine_ends_it() -> None:
    late = FIVE.replace("ago: 24h", "ago: 86401s")
    found = rule(
        one(late, "{amount: 1, customer: c1}", "no_hit")
        + one(FIVE, "{amount: 1, customer: c1}").replace("busy", "hits")
    )
    assert [test.given["customer_txn_count_1d"] for test in found.tests[:2]] == [4, 5]


def test_somebody_else_s_payments_and_the_same_moment_do_not_count() -> None:
    other = FIVE.replace("customer: c1", "customer: c2")
    found = rule(one(other, "{amount: 1, customer: c1, channel: app}") + NO.replace("quiet", "x"))
    assert found.tests[0].given["customer_txn_count_1d"] == 0
    assert [t.test.name for t in failures(run_rule_tests(found, LISTS))] == ["busy"]


def test_without_a_history_everything_is_a_first() -> None:
    found = rule(
        one("", "{customer: c1}", "no_hit") + one(FIVE, "{amount: 1, customer: c1}").replace("busy", "hits")
    )
    assert found.tests[0].given == {"customer_txn_count_1d": 0, "amount_minor": None, "channel": None}


def test_a_fraud_counts_from_when_it_became_known_and_after_the_label_delay() -> None:
    condition = "when: device_fraud_count_30d >= 1\n"
    start, end = BASE.index("when:"), BASE.index("on_missing")
    text = (BASE[:start] + condition + BASE[end:]).replace(
        "{customer_txn_count_1d} payments, now {amount_minor}", "{device_fraud_count_30d} frauds"
    )
    tests = "".join(
        f"  - name: {expect} {ago} {known}\n    history: [{{ago: {ago}, device: d1, fraud_known: {known}}}]\n"
        f"    transaction: {{device: d1}}\n    expect: {expect}\n"
        for ago, known, expect in (("20d", "5d", "hit"), ("6d", "1d", "no_hit"), ("38d", "5d", "no_hit"))
    )
    found = load_rule(
        (text + tests).encode(), "catalogue/many_payments.yaml", FEATURES, LISTS, currency="EUR"
    )
    assert failures(run_rule_tests(found, LISTS)) == []


def test_a_history_pins_a_threshold_as_values_do() -> None:
    quiet = one(FIVE.split("\n", 1)[1], "{amount: 19.99, customer: c1, channel: app}", "no_hit").replace(
        "busy", "four"
    )
    app = one(FIVE, "{amount: 90, customer: c1, channel: app}").replace("busy", "in the app")
    web = one(FIVE, "{amount: 20, customer: c1, channel: ecom}", "no_hit").replace("busy", "on the web")
    small = one(FIVE, "{amount: 19.99, customer: c1, channel: ecom}").replace("busy", "small")
    assert check_pins(rule(quiet + app + web + small), LISTS) == []
    unpinned = check_pins(rule(quiet + app + small), LISTS)
    assert "amount_minor < 2000" in {u.condition for u in unpinned}


@pytest.mark.parametrize(
    ("test", "place", "said"),
    [
        (one(FIVE, "{amount: 1, costumer: c1}"), ":30:", "no feature reads 'costumer'"),
        (one(FIVE, "{amount: 1, costumer: c1}"), ":30:", "Did you mean 'customer'?"),
        (one("      - {customer: c1}\n", "{amount: 1}"), ":25:", "'ago' is missing"),
        (one("      - {ago: yesterday}\n", "{amount: 1}"), ":25:", "a duration such as 30s"),
        (one(FIVE, "{amount: 1.999}"), ":30:", "at most 2 decimals"),
        (one(FIVE, "{amount: 1, ago: 1h}"), ":30:", "unknown key 'ago'"),
        (one(FIVE, "{amount: 1, customer: {a: 1}}"), ":30:", "must be text"),
        (one(FIVE, "{amount: 1}", more="    given: {channel: app}\n"), ":24:", "not both"),
        (
            one("      - {ago: 1h}\n" * (LONGEST_HISTORY + 1), "{amount: 1}"),
            ":24:",
            f"up to {LONGEST_HISTORY}",
        ),
        ("  - {name: busy, history: [{ago: 1h}], expect: hit}\n", ":23:", "'transaction' is missing"),
    ],
)
def test_a_mistake_in_a_history_is_refused_with_its_place(test: str, place: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        rule(test)
    assert f"many_payments.yaml{place}" in refused.value.where
    assert said in str(refused.value)


def test_at_least_four_demo_rules_are_tested_with_a_history() -> None:
    files = {p: t for p, t in demo_files().items() if p.startswith("catalogue/")}
    with_history = [path for path, text in files.items() if b"    history:\n" in text]
    assert len(with_history) >= 4
    assert len(load_rules(files, FEATURES, LISTS, currency="EUR")) >= 20
