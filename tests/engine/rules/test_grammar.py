"""Does the closed grammar let through what it should, and refuse everything else before it costs anything?"""

from __future__ import annotations

import pytest
from rule_samples import KINDS

from engine.rules.conditions import names, written
from engine.rules.grammar import GrammarError, parse_condition


def refusal(text: str) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        parse_condition(text, KINDS, ("blocked",))
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "count_1d >= 5",
        "count_1d + count_7d * 2 > ratio / 3",
        "ABS(ratio - 1.25) < 0.5 OR COALESCE(share, 0) = 0",
        "channel IN ('ecom', 'app') AND NOT night",
        "channel NOT IN ('pos')",
        "count_1d IN (1, 2, 3)",
        "country <> channel",
        "ratio BETWEEN -1 AND 2.5",
        "ratio NOT BETWEEN 1 AND 2",
        "share IS NULL OR country IS NOT NULL",
        "NOT (night OR new)",
        "IN_LIST(country, 'blocked')",
        "channel = 'it''s'",
    ],
)
def test_a_condition_of_the_grammar_is_written_out_as_it_was_read(text: str) -> None:
    assert written(parse_condition(text, KINDS, ("blocked",))) == text


def test_spacing_and_the_case_of_keywords_do_not_matter() -> None:
    node = parse_condition("  count_1d>=5   and not night or share is null", KINDS)
    assert written(node) == "count_1d >= 5 AND NOT night OR share IS NULL"
    assert names(node) == ("count_1d", "night", "share")


@pytest.mark.parametrize(
    "text",
    [
        "count_1d > > 5",
        "0x10 > count_1d",
        "count_1d; drop table transactions",
        "count_1d > 5 -- always",
        "count_1d > 5 /* always */",
        "(SELECT 1) > 0",
        "EXISTS (SELECT 1)",
        "count_1d IN (SELECT 1)",
        "channel LIKE '%'",
        "channel ~ 'x'",
        "count_1d // 2 > 1",
        "count_1d % 2 = 1",
        "count_1d == 5",
        "count_1d::VARCHAR = '5'",
        "CAST(ratio AS INT) > 1",
        "read_csv('x') = 1",
        "getenv('HOME') = 'x'",
        "random() > 0.5",
        "current_date > 5",
        "features.count_1d > 5",
        '"count_1d" > 5',
        "count_1d > 5 extra",
        "count_1d > 1e9",
        "ratio > 0.1234567891",
        "count_1d > 99999999999999999999",
        "CASE WHEN night THEN new END",
        "count_1d > $1",
        "count_1d > ?",
        "NOT share IS NULL",
        "ratio > 'text'",
        "channel > 'a'",
        "night = new",
        "count_1d",
        "night AND count_1d",
        "COALESCE(ratio, 'x') = 1",
        "IN_LIST(ratio, 'blocked')",
        "channel = 'a\nb'",
        "TRUE",
        "",
        "()",
    ],
)
def test_what_is_outside_the_grammar_is_refused(text: str) -> None:
    refusal(text)


def test_an_unknown_feature_is_answered_with_the_nearest_one() -> None:
    error = refusal("count_1b > 5")
    assert str(error) == "there is no feature 'count_1b'"
    assert error.hint == "Did you mean 'count_1d'?"


def test_an_unknown_list_is_answered_with_the_nearest_one() -> None:
    assert refusal("IN_LIST(country, 'bloked')").hint == "Did you mean 'blocked'?"


def test_text_that_reads_differently_from_how_it_looks_is_answered_with_what_was_read() -> None:
    assert refusal("count_1d == 5").hint == "Did you mean: count_1d = 5"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 240 + "night" + ")" * 240,
        "NOT " * 120 + "night",
        "- " * 240 + "ratio > 1",
        "x" * 100_000,
        "night OR " * 11_000 + "night",
        "'" + "a" * 490,
    ],
)
def test_hostile_text_is_refused_before_it_costs_anything(text: str) -> None:
    refusal(text)
