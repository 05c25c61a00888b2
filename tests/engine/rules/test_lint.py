"""Is every mistake the linter knows found, by name, with its line, and never where there is none?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from rule_samples import RULE, demo_features, demo_files, demo_lists

from engine.rules.contradictions import contradictions
from engine.rules.grammar import parse_condition
from engine.rules.lint import CHECKS, Finding, Severity, Subject, lint, sources_of
from engine.rules.lists import Lists, load_lists

FEATURES, LISTS = demo_features(), demo_lists()
NOW = datetime(2026, 11, 21, tzinfo=UTC)
PINNED = RULE.replace("floor: decline", "floor: review").replace("status: live", "status: shadow")


def findings(
    *texts: str, locked: Mapping[str, Mapping[str, Any]] | None = None, lists: Lists = LISTS
) -> list[Finding]:
    files = {f"catalogue/rule_{n}.yaml": text.encode() for n, text in enumerate(texts)}
    if len(texts) == 1:
        files = {"catalogue/many_payments.yaml": texts[0].encode()}
    subject = Subject(
        sources_of(files, FEATURES, lists, currency="EUR"), FEATURES, lists, NOW, locked=locked or {}
    )
    return lint(subject, CHECKS)


def named(found: list[Finding], check: str) -> Finding:
    (one,) = [finding for finding in found if finding.check == check]
    return one


def changed(old: str, new: str) -> str:
    assert old in PINNED
    return PINNED.replace(old, new, 1)


def test_a_good_rule_is_left_in_peace() -> None:
    assert findings(PINNED) == []


def test_the_demo_rules_have_neither_errors_nor_warnings() -> None:
    files = {path: text for path, text in demo_files().items() if path.startswith("catalogue/")}
    subject = Subject(sources_of(files, FEATURES, LISTS, currency="EUR"), FEATURES, LISTS, NOW)
    assert {f.check for f in lint(subject, CHECKS)} <= {"live_without_shadow"}


@pytest.mark.parametrize(
    ("check", "old", "new", "line", "said"),
    [
        ("unknown_feature", "- customer_txn_count_1d >=", "- customer_txn_count_1day >=", 11, "there is no feature"),
        ("no_false_positives", "Parking apps.", "Unknown", 19, "says nothing ('Unknown')"),
        ("no_false_positives", "Parking apps.", "''", 19, "says nothing ('')"),
        ("no_firing_test", "tests:\n", "tests: []\nold:\n", 22, "that the rule fires"),
        ("failing_test", "amount_minor < 2000", "amount_minor < 1000", 23, "expected hit, was no_hit"),
        ("unpinned_threshold", "amount_minor: 2000,", "amount_minor: 9000,", 13, "when '<' becomes '<='"),
        ("contradictory_conditions", "    - any:", "    - customer_txn_count_1d < 3\n    - any:", 12, "never fires"),
        ("dead_branch", "channel = 'app'", "channel = 'app' AND customer_txn_count_1d < 5", 14, "is dead"),
        ("live_without_shadow", "status: shadow", "status: live", 21, "no time in shadow"),
        ("unread_feature_in_reason", "now {amount_minor}", "now {customer_amount_sum_1d}", 18, "does not read"),
        ("unreadable", "severity: high", "severity: hgih", 6, "'severity' is 'hgih'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(check: str, old: str, new: str, line: int, said: str) -> None:
    found = [f for f in findings(changed(old, new)) if f.check == check]
    assert found, findings(changed(old, new))
    assert found[0].where.startswith(f"catalogue/many_payments.yaml:{line}:")
    assert said in found[0].what


def test_an_unknown_feature_is_told_once_and_with_the_nearest_name() -> None:
    (only,) = findings(changed("- customer_txn_count_1d >=", "- customer_txn_count_1day >="))
    assert (only.hint, only.severity) == ("Did you mean 'customer_txn_count_1d'?", Severity.ERROR)


def test_every_unknown_feature_is_listed_not_only_the_first() -> None:
    text = PINNED.replace("- customer_txn", "- custmer_txn").replace("- amount_minor", "- amount_mnor")
    assert [f.check for f in findings(text)].count("unknown_feature") == 2


def test_a_rule_without_a_quiet_test_is_found() -> None:
    text = PINNED.replace("expect: no_hit}", "expect: missing}")
    assert named(findings(text), "no_quiet_test").severity is Severity.ERROR


def test_two_files_with_one_id_or_title_are_found() -> None:
    found = {f.check for f in findings(PINNED, PINNED.replace("Many", "MANY"))}
    assert {"duplicate_id", "duplicate_title"} <= found


@pytest.mark.parametrize(
    ("version", "said"), [(1, "its version is still 1"), (2, "the version went back from 2 to 1")]
)
def test_a_change_without_a_new_version_is_found(version: int, said: str) -> None:
    locked = {"many_payments": {"version": version, "sha256": "another", "status": "live"}}
    assert said in named(findings(PINNED, locked=locked), "changed_without_version").what


def test_a_rule_that_is_gone_must_have_been_retired() -> None:
    live, retired = ({"old_rule": {"version": 1, "sha256": "", "status": s}} for s in ("live", "retired"))
    assert named(findings(PINNED, locked=live), "gone_without_retiring").where == "old_rule"
    assert findings(PINNED, locked=retired) == []


def test_an_expired_list_entry_and_an_expired_allow_lane_are_found() -> None:
    entry = "{value: x, reason: r, added_by: p, expires: 2026-11-20}"
    lists = load_lists(f"version: 1\nlists:\n  l:\n    description: d\n    entries: [{entry}]\n".encode())
    assert "expired on 2026-11-20" in named(findings(PINNED, lists=lists), "expired_list_entry").what
    lane = changed("floor: review", "allow: true\n  expires: 2026-02-01\n  amount_cap: 10")
    live = lane.replace("status: shadow", "status: live")
    assert named(findings(live), "expired_allow_lane").severity is Severity.WARNING


@pytest.mark.parametrize("value", ["ann@example.org", f"customer_{'0' * 32}"])
def test_a_name_is_no_entry_or_literal_where_payments_hold_pseudonyms(value: str) -> None:
    entry = f"{{value: '{value}', reason: r, added_by: p}}"
    text = f"version: 1\nlists:\n  known:\n    description: d\n    entries: [{entry}]\n".encode()
    lists = load_lists(text)
    conditions = ("IN_LIST(customer, 'known')", f"customer = '{value}'", f"customer NOT IN ('{value}')")
    for condition in conditions:
        rule = changed("- amount_minor < 2000", f'- amount_minor < 2000\n        - "{condition}"').encode()
        sources = sources_of({"catalogue/many_payments.yaml": rule}, FEATURES, lists, currency="EUR")
        for held in (frozenset(), frozenset(("customer",))):
            subject = Subject(sources, FEATURES, lists, NOW, pseudonymous=held)
            found = [f for f in lint(subject, CHECKS) if f.check == "name_in_clear"]
            assert bool(found) == (bool(held) and "@" in value), (condition, held)
            assert "@" not in str(found)


def test_a_threshold_a_hundred_times_too_low_is_caught_by_the_rule_s_own_tests() -> None:
    found = findings(changed("amount_minor < 2000", "amount_minor < 20"))
    assert "failing_test" in {f.check for f in found}


@pytest.mark.parametrize(
    ("condition", "impossible"),
    [
        ("ratio > 5 AND ratio < 3", True),
        ("ratio > 5 AND ratio < 6", False),
        ("ratio >= 5 AND ratio <= 5", False),
        ("ratio > 5 AND ratio <= 5", True),
        ("count_1d > 5 AND count_1d < 6", True),
        ("count_1d >= 5 AND count_1d < 6", False),
        ("5 < ratio AND 3 > ratio", True),
        ("NOT (ratio < 3) AND ratio < 2", True),
        ("NOT (ratio < 3 OR channel = 'app') AND channel = 'app'", True),
        ("channel = 'app' AND channel = 'pos'", True),
        ("channel IN ('app', 'pos') AND channel <> 'app'", False),
        ("channel IN ('app', 'pos') AND channel NOT IN ('pos', 'app')", True),
        ("night AND NOT night", True),
        ("ratio IS NULL AND ratio > 1", True),
        ("ratio IS NOT NULL AND ratio > 1", False),
        ("ratio BETWEEN 5 AND 3", True),
        ("ratio BETWEEN 1 AND 3 AND ratio > 3", True),
        ("(ratio > 5 AND ratio < 3) OR night", False),
        ("(ratio > 5 OR night) AND ratio < 3 AND NOT night", True),
        ("ratio > -1 AND ratio < -2", True),
    ],
)
def test_conditions_that_exclude_each_other_are_told_from_those_that_do_not(
    condition: str, impossible: bool
) -> None:
    kinds = {"ratio": "number", "count_1d": "integer", "channel": "category", "night": "flag"}
    found = contradictions(parse_condition(condition, kinds, ()), frozenset(("count_1d",)))
    assert any(f.whole for f in found) == impossible


def test_every_check_has_its_own_name_and_says_what_it_is_about() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.about for check in CHECKS)
