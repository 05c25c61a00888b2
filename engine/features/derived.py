"""How is a feature computed from other features of the same transaction, the same way in Python and in SQL?

A closed grammar: decimal numbers, feature names, `+ - * /` and parentheses, all in double precision. Anything
missing makes the result missing, and so do a division by zero and a result that is not a finite number.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from engine.decision import FeatureValue

Row = Mapping[str, FeatureValue]
Evaluate = Callable[[Row], float | None]

LONGEST = 200
_CHARACTERS = re.compile(r"[A-Za-z0-9_+\-*/(). ]+\Z")
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?\Z")
_SYMBOLS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_SQL: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


class ExpressionError(ValueError):
    """The text is not in the grammar; the message says which part."""


@dataclass(frozen=True)
class Expression:
    """A parsed derived expression: its text, the feature names it reads, and how to evaluate it."""

    text: str
    names: tuple[str, ...]
    evaluate: Evaluate = field(compare=False, repr=False)
    tree: ast.expr = field(compare=False, repr=False)

    def sql(self, column: Callable[[str], exp.Expression]) -> exp.Expression:
        """The same expression in SQL; `column` gives the SQL of a feature's value."""
        value = _sql(self.tree, column)
        finite = exp.func("isfinite", value)
        return exp.Case(ifs=[exp.If(this=finite, true=value.copy())])


def parse(text: str) -> Expression:
    """Parse `text`, or raise ExpressionError with a sentence."""
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression is longer than {LONGEST} characters")
    if not _CHARACTERS.match(text):
        raise ExpressionError("the expression holds a character outside names, numbers and + - * / ( )")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as problem:
        raise ExpressionError("the expression cannot be read as arithmetic") from problem
    _check(tree, text.strip())
    names = dict.fromkeys(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    if not names:
        raise ExpressionError("the expression names no feature")
    return Expression(text.strip(), tuple(names), _finite(_compiled(tree)), tree)


def _check(node: ast.expr, text: str) -> None:
    if isinstance(node, ast.BinOp):
        if type(node.op) not in _SYMBOLS:
            raise ExpressionError("only + - * / are known between values")
        _check(node.left, text)
        _check(node.right, text)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand, text)
    elif isinstance(node, ast.Constant):
        written = ast.get_source_segment(text, node) or ""
        if not _NUMBER.match(written):
            raise ExpressionError(f"'{written}' is not a plain decimal number")
    elif not isinstance(node, ast.Name):
        raise ExpressionError(f"'{ast.get_source_segment(text, node)}' is not a name, a number or arithmetic")


def _compiled(node: ast.expr) -> Evaluate:
    if isinstance(node, ast.Constant):
        number = _constant(node)
        return lambda row: number
    if isinstance(node, ast.Name):
        name = node.id
        return lambda row: None if (value := row[name]) is None else float(value)
    if isinstance(node, ast.UnaryOp):
        inner = _compiled(node.operand)
        return lambda row: None if (value := inner(row)) is None else -value
    assert isinstance(node, ast.BinOp)
    return _binary(_SYMBOLS[type(node.op)], _compiled(node.left), _compiled(node.right))


def _binary(symbol: str, left: Evaluate, right: Evaluate) -> Evaluate:
    combine = _ARITHMETIC[symbol]

    def evaluate(row: Row) -> float | None:
        a = left(row)
        b = right(row)
        return None if a is None or b is None else combine(a, b)

    return evaluate


_ARITHMETIC: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
}


def _finite(evaluate: Evaluate) -> Evaluate:
    def checked(row: Row) -> float | None:
        value = evaluate(row)
        return value if value is not None and math.isfinite(value) else None

    return checked


def _constant(node: ast.Constant) -> float:
    assert isinstance(node.value, int | float)
    return float(node.value)


def _sql(node: ast.expr, column: Callable[[str], exp.Expression]) -> exp.Expression:
    if isinstance(node, ast.Constant):
        return _double(exp.Literal.number(repr(_constant(node))))
    if isinstance(node, ast.Name):
        return _double(column(node.id))
    if isinstance(node, ast.UnaryOp):
        return exp.Neg(this=exp.paren(_sql(node.operand, column)))
    assert isinstance(node, ast.BinOp)
    left, right = exp.paren(_sql(node.left, column)), exp.paren(_sql(node.right, column))
    symbol = _SYMBOLS[type(node.op)]
    if symbol == "/":
        divisor = exp.Nullif(this=right, expression=exp.Literal.number(0))
        return exp.Div(this=left, expression=divisor, typed=False, safe=False)
    return _SQL[symbol](this=left, expression=right)


def _double(value: exp.Expression) -> exp.Expression:
    return exp.cast(value, "double")
