"""Does a rule file say what it means, and does every mistake name its line and the way out?"""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_samples import RULE, demo_features, demo_lists

from data.errors import ConfigError
from engine.decision import Outcome
from engine.rules.conditions import written
from engine.rules.grammar import GrammarError
from engine.rules.loader import load_rules
from engine.rules.reasons import parse_reason
from engine.rules.rule_set import RuleSet

FEATURES, LISTS = demo_features(), demo_lists()


def loaded(text: str = RULE, name: str = "many_payments") -> RuleSet:
    return load_rules({f"catalogue/{name}.yaml": text.encode()}, FEATURES, LISTS, currency="EUR")


def refusal(old: str, new: str) -> str:
    assert old in RULE
    with pytest.raises(ConfigError) as caught:
        loaded(RULE.replace(old, new, 1))
    return str(caught.value)


def test_a_rule_file_becomes_a_rule() -> None:
    rule = loaded().rule("many_payments")
    assert written(rule.when) == "customer_txn_count_1d >= 5 AND (amount_minor < 2000 OR channel = 'app')"
    assert rule.features == ("customer_txn_count_1d", "amount_minor", "channel")
    assert (rule.then.floor, rule.on_missing) == (Outcome.DECLINE, Outcome.REVIEW)
    assert len(rule.sha256) == 64


def test_other_files_of_the_set_are_left_alone() -> None:
    assert len(load_rules({"policy.yaml": b"currency: EUR", "guidelines.md": b"#"}, FEATURES)) == 0


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 cards"), (1, "1 card"), (2, "2 cards"), (None, "unknown cards")]
)
def test_a_reason_takes_the_word_that_fits_the_number(count: int | None, said: str) -> None:
    reason = parse_reason("After {n} {n:card|cards} today", {"n": "count"}, "EUR")
    assert reason.render({"n": count}) == f"After {said} today"


@pytest.mark.parametrize("place", ["{n:}", "{n:card}", "{n:card|}", "{n:a|b|c}"])
def test_a_choice_without_two_words_is_refused(place: str) -> None:
    with pytest.raises(GrammarError, match="gives no two words to choose from"):
        parse_reason(f"After {place}", {"n": "count"}, "EUR")


def test_the_demos_reasons_start_like_sentences() -> None:
    for file in sorted((Path(__file__).parents[3] / "rules" / "catalogue").glob("*.yaml")):
        reason = file.read_text().partition('reason: "')[2]
        assert reason[0] == reason[0].upper(), file.name


def test_the_currency_of_reasons_comes_from_the_policy_of_the_set() -> None:
    files = {"catalogue/many_payments.yaml": RULE.encode(), "policy.yaml": b"currency: SEK"}
    reason = load_rules(files, FEATURES, LISTS).rule("many_payments").then.reason
    assert reason.render({"customer_txn_count_1d": 7, "amount_minor": 1250}) == "7 payments, now 12.50 SEK"


def test_an_unknown_feature_is_answered_with_file_line_column_and_the_nearest_name() -> None:
    said = refusal("- customer_txn_count_1d >= 5", "- customer_txn_count_1day >= 5")
    assert said == (
        "catalogue/many_payments.yaml:11:7: there is no feature 'customer_txn_count_1day'. "
        "Did you mean 'customer_txn_count_1d'?"
    )


def test_a_no_is_text_and_a_country() -> None:
    text = RULE.replace("channel = 'app'", "country IN ('NO', 'DE')").replace("channel: ecom", "country: NO")
    assert (
        loaded(text.replace("channel: app", "country: DE")).rule("many_payments").tests[0].given["country"]
        == "NO"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: many_payments", "id: other_rule", "'id' is 'other_rule'"),
        ("status: live", "status: alive", "draft, shadow, live, retired"),
        ("version: 1\ntitle", "version: 1\nversion: 1\ntitle", "already given at 2:1"),
        ("severity: high", "severty: high", "'severity' is missing"),
        ("runbook: Look", "notes: x\nrunbook: Look", "unknown key 'notes'"),
        ("on_missing: review", "on_missing: decline", "no_hit, review"),
        ("  all:", "  every:", "unknown key 'every'"),
        ("amount_minor < 2000", "amount_minor < 2000 -- cheap", "more than one way"),
        ("amount_minor < 2000", "IN_LIST(device, 'blocked_device')", "Did you mean 'blocked_devices'?"),
        ("now {amount_minor}", "now {customer_amount_sum_1d}", "which the rule does not read"),
        ("now {amount_minor}", "now {amount_minor", "a brace without its partner"),
        ("floor: decline", "floor: approve", "review, decline"),
        ("  floor: decline\n", "", "exactly one of floor, allow, block"),
        ("  floor: decline\n", "  allow: true\n", "'expires' is missing"),
        ("channel: ecom}", "chanel: ecom}", "Did you mean 'channel'?"),
        ("customer_txn_count_1d: 5,", "customer_txn_count_1d: five,", "allowed: a number"),
        ("expect: hit", "expect: yes", "'expect' is 'yes'"),
        ("expect: no_hit}\n  - {name: large", "expect: hit}\n  - {name: large", None),
        ("name: four,", "name: five in the app,", "the same name"),
        ("version: 1, at: 2026-01-05", "version: 2, at: 2026-01-05", "what version 1 changed"),
        ("at: 2026-01-05", "at: yesterday", "a date such as"),
    ],
)
def test_a_mistake_is_refused(old: str, new: str, said: str | None) -> None:
    if said is None:
        loaded(RULE.replace(old, new, 1))
    else:
        assert said in refusal(old, new)


@pytest.mark.parametrize(("gone", "said"), [("expect: hit", "fires"), ("expect: no_hit", "stays quiet")])
def test_a_rule_must_show_that_it_fires_and_that_it_stays_quiet(gone: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        loaded(RULE.replace(gone + "}", "expect: missing}"))


def test_two_rules_may_not_share_a_title() -> None:
    files = {
        f"catalogue/{name}.yaml": RULE.replace("many_payments", name).encode()
        for name in ("rule_a", "rule_b")
    }
    with pytest.raises(ConfigError, match="is also that of rule_a"):
        load_rules(files, FEATURES, LISTS)


def test_conditions_nested_too_deeply_are_refused() -> None:
    deep = "not: {" * 20 + "any: [local_night]" + "}" * 20
    with pytest.raises(ConfigError, match="nested deeper"):
        loaded(RULE.replace("when:\n  all:\n", f"when: {{{deep}}}\nx:\n  all:\n"))
