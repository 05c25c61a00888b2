"""Do the compiled conditions and the SQL ones always agree, also on missing and odd values?"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_samples import KINDS

from engine.rules.compiled import checked, compile_condition, compile_conditions
from engine.rules.conditions import Node, written
from engine.rules.grammar import GrammarError, parse_condition
from engine.rules.lists import Entry, Lists, ValueList
from engine.rules.rule_set import kinds_of, lines_of
from engine.rules.sql import condition_sql, microseconds_of

START = datetime(2026, 1, 1, tzinfo=UTC)
LISTS = Lists(
    {
        "blocked": ValueList(
            "blocked",
            "",
            (
                Entry("DE", "", "", None, None),
                Entry("NO", "", "", START + timedelta(days=1), START + timedelta(days=3)),
                Entry("it's", "", "", None, START + timedelta(days=2)),
            ),
        ),
        "empty": ValueList("empty", "", ()),
    }
)
TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "category": pa.string(),
    "flag": pa.bool_(),
}
TEXTS = ("DE", "NO", "it's", "", "ecom", "ECOM")

numbers = st.one_of(
    st.sampled_from(["count_1d", "count_7d", "ratio", "share", "0", "1", "2", "0.1", "0.3", "100000"]),
)
texts = st.one_of(
    st.sampled_from(["channel", "country"]),
    st.sampled_from(TEXTS).map(lambda t: "'" + t.replace("'", "''") + "'"),
)


def arithmetic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda x: f"ABS({x})"),
        inner.map(lambda x: f"(-{x})"),
        st.tuples(inner, inner).map(lambda p: f"COALESCE({p[0]}, {p[1]})"),
    )


values = st.recursive(numbers, arithmetic, max_leaves=5)
comparisons = st.one_of(
    st.tuples(values, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), values).map(" ".join),
    st.tuples(values, st.sampled_from(["", "NOT "]), values, values).map(
        lambda p: f"{p[0]} {p[1]}BETWEEN {p[2]} AND {p[3]}"
    ),
    st.tuples(texts, st.sampled_from(["=", "<>"]), texts).map(" ".join),
    st.tuples(texts, st.sampled_from(["IN", "NOT IN"])).map(lambda p: f"{p[0]} {p[1]} ('DE', 'it''s', '')"),
    st.tuples(values, st.sampled_from(["IN", "NOT IN"])).map(lambda p: f"{p[0]} {p[1]} (0, 1, 0.3)"),
    st.tuples(values, st.sampled_from(["IS NULL", "IS NOT NULL"])).map(" ".join),
    st.sampled_from(["night", "new", "night IS NULL"]),
    st.sampled_from(
        ["IN_LIST(country, 'blocked')", "IN_LIST(channel, 'blocked')", "IN_LIST(country, 'empty')"]
    ),
)


def logic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        inner.map(lambda x: f"NOT ({x})"),
    )


conditions = st.recursive(comparisons, logic, max_leaves=5)

small = st.integers(-2, 3)
floats = st.one_of(
    st.sampled_from(
        [0.0, -0.0, 0.1, 0.3, 1.0, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan")]
    ),
    st.floats(width=64),
)
rows = st.fixed_dictionaries(
    {
        "count_1d": st.one_of(st.none(), small, st.integers(-(2**53), 2**53)),
        "count_7d": st.one_of(st.none(), small),
        "ratio": st.one_of(st.none(), floats),
        "share": st.one_of(st.none(), floats),
        "channel": st.one_of(st.none(), st.sampled_from(TEXTS)),
        "country": st.one_of(
            st.none(), st.sampled_from(TEXTS), st.text(max_size=3).filter(lambda t: "\x00" not in t)
        ),
        "night": st.one_of(st.none(), st.booleans()),
        "new": st.one_of(st.none(), st.booleans()),
        "occurred_at": st.integers(0, 5 * 24).map(lambda h: START + timedelta(hours=h)),
    }
)
CONNECTION = duckdb.connect()


def alone(node: Node, row: dict[str, Any], at: datetime) -> bool | None:
    """The answer of one condition, compiled by itself."""
    values = {name: checked(row.get(name), kind) for name, kind in kinds_of(node).items()}
    return compile_condition(node, LISTS)(values, at)


def in_sql(text: str, table: list[dict[str, Any]]) -> list[bool | None]:
    schema = [pa.field(name, TYPES[kind]) for name, kind in KINDS.items()]
    schema.append(pa.field("occurred_at", pa.timestamp("us")))
    plain = [{**row, "occurred_at": row["occurred_at"].replace(tzinfo=None)} for row in table]
    CONNECTION.register("rows", pa.Table.from_pylist(plain, schema=pa.schema(schema)))
    sql = condition_sql(parse_condition(text, KINDS, tuple(LISTS)), LISTS, microseconds_of("occurred_at"))
    return [row[0] for row in CONNECTION.execute(f"SELECT {sql} FROM rows").fetchall()]


@settings(max_examples=250, deadline=None)
@given(conditions, st.lists(rows, min_size=1, max_size=12))
def test_python_and_sql_agree_on_random_conditions_and_rows(text: str, table: list[dict[str, Any]]) -> None:
    try:
        node = parse_condition(text, KINDS, tuple(LISTS))
    except GrammarError as refusal:
        assert any(word in refusal.what for word in ("parentheses", "longer", "no feature")), text
        return
    assert written(parse_condition(written(node), KINDS, tuple(LISTS))) == written(node)
    python = [alone(node, row, row["occurred_at"]) for row in table]
    assert in_sql(text, table) == python, text


def parsed(texts: list[str]) -> list[Node]:
    nodes = []
    for text in texts:
        with suppress(GrammarError):
            nodes.append(parse_condition(text, KINDS, tuple(LISTS)))
    return nodes


@settings(max_examples=150, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=6), st.lists(rows, min_size=1, max_size=6))
def test_many_conditions_in_one_function_answer_as_each_does_alone(
    texts: list[str], table: list[dict[str, Any]]
) -> None:
    nodes = parsed(texts)
    lines = [line for node in nodes for line in lines_of(node)]
    plain, telling = compile_conditions(nodes, LISTS), compile_conditions(nodes, LISTS, lines)
    for row in table:
        at = row["occurred_at"]
        answers, told = telling(row, at)
        assert answers == plain(row, at)[0]
        assert list(answers) == [alone(node, row, at) for node in nodes]
        assert list(told) == [alone(line, row, at) for line in lines]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        parse_condition(text, KINDS, tuple(LISTS))
    except GrammarError as refusal:
        assert refusal.what


def test_integers_that_no_double_holds_compare_as_the_doubles_that_sql_makes_of_them() -> None:
    text, nothing = "count_1d = count_7d", dict.fromkeys(KINDS)
    whole = 2**53
    table = [
        {**nothing, "occurred_at": START, "count_1d": sign * count, "count_7d": sign * other}
        for sign in (1, -1)
        for count, other in ((whole + 1, whole), (whole - 1, whole), (2**54 + 2, 2**54 + 1), (whole, whole))
    ]
    (node,) = parsed([text])
    answers = [compile_conditions([node], LISTS)(row, START)[0][0] for row in table]
    assert answers == in_sql(text, table) == [True, False, True, True] * 2


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("count_1d + count_7d = 9", True),
        ("count_1d - count_7d = 5", True),
        ("count_1d * count_7d = 14", True),
        ("count_1d / count_7d = 3.5", True),
        ("count_7d / count_1d < 0.2858", True),
        ("-count_1d = 0 - 7", True),
        ("ABS(count_7d - count_1d) = 5", True),
        ("COALESCE(share, count_1d, count_7d) = 7", True),
        ("count_1d / (count_7d - 2) IS NULL", True),
        ("(0 / count_1d) = 0", True),
        ("(ratio * ratio) IS NULL", True),
        ("(ratio / 0.1) IS NULL", True),
        ("(ratio - ratio) = 0", True),
        ("count_1d BETWEEN 7 AND 7", True),
        ("count_1d NOT BETWEEN 7 AND 8", False),
        ("count_1d BETWEEN 8 AND share", False),
        ("count_1d BETWEEN 7 AND share", None),
        ("share = share", None),
        ("night OR count_1d = 7", True),
        ("night AND count_1d = 7", None),
    ],
)
def test_each_operator_means_what_it_says(text: str, answer: bool | None) -> None:
    known = {"count_1d": 7, "count_7d": 2, "ratio": 1e308}
    row = {**dict.fromkeys(KINDS), **known, "occurred_at": START}
    (node,) = parsed([text])
    assert compile_conditions([node], LISTS)(row, START)[0] == (answer,)
    assert [alone(node, row, START)] == in_sql(text, [row]) == [answer]
