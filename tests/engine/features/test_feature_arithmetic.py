from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from engine.features.derived import Expression, ExpressionError, parse

VALUES: list[Any] = [None, 0, 1, -3, 2**53, 0.1, -2.5, 1e308, 5e-324]


def in_sql(expression: Expression, row: dict[str, Any]) -> float | None:
    columns = ", ".join(f"CAST({'NULL' if v is None else repr(v)} AS DOUBLE) AS {n}" for n, v in row.items())
    query = f"SELECT {expression.sql(exp.column).sql(dialect='duckdb')} FROM (SELECT {columns})"
    with duckdb.connect() as connection:
        return connection.sql(query).fetchall()[0][0]


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("a / b", {"a": 1, "b": 4}, 0.25),
        ("a / b", {"a": 1, "b": 0}, None),
        ("a / b", {"a": None, "b": 4}, None),
        ("a - b - 1", {"a": 5, "b": 2}, 2.0),
        ("a / b / 2", {"a": 8, "b": 2}, 2.0),
        ("-(a + b) * 0.5", {"a": 1, "b": 2}, -1.5),
        ("a * b", {"a": 1e308, "b": 1e308}, None),
        ("0 * (a * b)", {"a": 1e308, "b": 1e308}, None),
    ],
)
def test_arithmetic_is_the_same_in_python_and_in_sql(
    text: str, row: dict[str, Any], value: float | None
) -> None:
    expression = parse(text)
    assert expression.evaluate(row) == value
    assert in_sql(expression, row) == value


def trees() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "c", "0", "2", "0.1", "1.5"])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
            inner.map(lambda p: f"({p})"),
            inner.map(lambda p: f"-({p})"),
        ),
        max_leaves=8,
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(trees(), st.tuples(*[st.sampled_from(VALUES)] * 3))
def test_any_expression_gives_the_same_double_in_python_and_in_sql(
    text: str, values: tuple[Any, ...]
) -> None:
    expression = parse(f"a + ({text})")
    row = dict(zip("abc", values, strict=True))
    ours, theirs = expression.evaluate(row), in_sql(expression, row)
    assert ours == theirs or (ours is not None and theirs is not None and math.isclose(ours, theirs))


@pytest.mark.parametrize(
    "text",
    [
        *("a ** 2", "a // b", "a % b", "a and b", "not a", "a < b", "a if b else c", "f(a)", "a.b", "a[0]"),
        *(
            "0x10 + a",
            "1e5 + a",
            "1_000 + a",
            "a; b",
            "a\n+b",
            "lambda: a",
            "'a'",
            "True + a + ()",
            "~a",
            "+a",
        ),
        *("", "1 + 2", "a +", "a b", "(" * 150 + "a" + ")" * 150, "+".join(["a"] * 120)),
    ],
)
def test_anything_but_plain_arithmetic_on_features_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)
