"""Is a rule file that means harm, or is merely broken, refused with its place, and without costing anything first?"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_samples import RULE, demo_features, demo_lists

from data.errors import ConfigError
from engine.rules.lint import CHECKS, Subject, lint, sources_of
from engine.rules.loader import LARGEST_FILE, MOST_PARTS, MOST_TESTS, load_rule
from engine.rules.pinning import check_pins, mutants
from engine.rules.rule import Rule
from engine.rules.rule_set import lines_of

FEATURES, LISTS = demo_features(), demo_lists()
WHEN = "customer_txn_count_1d >= 5"
PLACE = re.compile(r"catalogue/many_payments\.yaml:\d+:\d+\Z")


def read(text: str) -> Rule:
    return load_rule(text.encode(), "catalogue/many_payments.yaml", FEATURES, LISTS, currency="EUR")


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        read(text)
    return refused.value


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 200 + "customer_txn_count_1d" + ")" * 200 + " > 1",
        "NOT " * 100 + "local_night",
        "1+" * 110 + "amount_minor > 0",
        "amount_minor > " + "9" * 400,
        "amount_minor > 1e308",
        "(SELECT max(seq) FROM events) > 1",
        "amount_minor > 1 -- always",
        "amount_minor > 1 /* always */",
        "amount_minor > 1; DROP TABLE events",
        "amount_minor > 1; ATTACH '/etc/passwd'",
        "read_text('/etc/passwd') = 'x'",
        "read_csv('/etc/passwd') = 1",
        "getenv('HOME') = 'x'",
        "amount_minor > 1 OR " * 2_000 + "amount_minor > 1",
        "'" + "x" * 40_000 + "' = channel",
    ],
)
def test_a_hostile_condition_is_refused_with_file_line_and_column(condition: str) -> None:
    told = refusal(RULE.replace(WHEN, f"'{condition.replace(chr(39), chr(39) * 2)}'"))
    assert told.where == "catalogue/many_payments.yaml:11:7"
    assert len(str(told)) < 600


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (WHEN, "&a " + WHEN, "anchors and aliases"),
        ("version: 1\n", "version: !!python/object:os.system 1\n", "is not allowed"),
        ("title: Many", "<<: {a: 1}\ntitle: Many", "merge keys"),
        ("version: 1\n", "version: " + "9" * 5_000 + "\n", "999...' is too large"),
        ("version: 1\n", "version: 1e999\n", "too large"),
        ("version: 1\n", "version: 0x10\n", "more than one way"),
        ("version: 1\n", "version: .inf\n", "more than one way"),
        (f"    - {WHEN}\n", "    - " + "[" * 1_000 + "]" * 1_000 + "\n", "nested deeper"),
        (
            "    - any:\n",
            "    - any:\n" + "".join(f"{' ' * (8 + 4 * n)}- any:\n" for n in range(20)),
            "nested",
        ),
        ("\nwhen:", "\n---\nwhen:", "second document"),
        ("severity: high", "severity: hi\u0000gh", "not valid YAML"),
    ],
)
def test_hostile_yaml_is_refused_with_file_line_and_column(old: str, new: str, said: str) -> None:
    assert old in RULE
    told = refusal(RULE.replace(old, new, 1))
    assert PLACE.match(told.where)
    assert said in str(told)


def test_a_file_of_100_kb_is_refused_unread() -> None:
    assert f"larger than {LARGEST_FILE} bytes" in str(refusal(RULE + "#" * 100_000))


def test_a_condition_with_too_many_parts_is_refused_where_it_becomes_too_large() -> None:
    lines = "".join(f"    - amount_minor > {n}\n" for n in range(MOST_PARTS))
    told = refusal(RULE.replace(f"    - {WHEN}\n", lines))
    assert told.where == f"catalogue/many_payments.yaml:{11 + MOST_PARTS // 3}:7"
    assert "more than 250 names" in told.what


def test_the_largest_rule_there_may_be_is_pinned_in_bounded_work() -> None:
    """What it costs is mutants times tests."""
    lines = "".join(f"    - amount_minor <> {n}\n" for n in range(MOST_PARTS // 3 - 4))
    test = "  - {{name: t{n}, given: {{customer_txn_count_1d: 5, amount_minor: 3, channel: app}}, expect: no_hit}}\n"
    tests = "".join(test.format(n=n) for n in range(MOST_TESTS - 4))
    rule = read(RULE.replace(f"    - {WHEN}\n", lines + f"    - {WHEN}\n") + tests)
    assert len(lines_of(rule.when)) == MOST_PARTS // 3 - 1
    assert sum(1 for _ in mutants(rule.when)) < 6 * MOST_PARTS
    assert check_pins(rule, LISTS)
    over = RULE + tests + "".join(test.format(n=f"x{n}") for n in range(1))
    assert refusal(over).what == "101 inline tests"


spoiled = st.tuples(
    st.integers(0, len(RULE)),
    st.integers(0, 12),
    st.text("-:{}[]()'\"&*!|>%@#,? \n\tabz09._<=;\u00a7\U0001f600", max_size=12),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(spoiled, min_size=1, max_size=4))
def test_a_spoiled_file_is_read_or_refused_with_its_place_and_never_crashes(
    cuts: list[tuple[int, int, str]],
) -> None:
    text = RULE
    for start, gone, put in cuts:
        text = text[:start] + put + text[start + gone :]
    try:
        read(text)
    except ConfigError as refused:
        assert PLACE.match(refused.where), str(refused)
    found = lint(_subject(text), CHECKS)
    assert all(finding.what for finding in found)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_rule_are_refused_and_never_crash(content: bytes) -> None:
    with pytest.raises(ConfigError):
        load_rule(content, "catalogue/many_payments.yaml", FEATURES, LISTS, currency="EUR")


def _subject(text: str) -> Subject:
    files = {"catalogue/many_payments.yaml": text.encode()}
    sources = sources_of(files, FEATURES, LISTS, currency="EUR")
    return Subject(sources, FEATURES, LISTS, datetime(2026, 11, 21, tzinfo=UTC))
