"""What is each comparison called in the grammar, in sqlglot's tree and in Python, and what is its opposite?"""

from __future__ import annotations

from typing import NamedTuple

from sqlglot import exp


class Comparison(NamedTuple):
    """`tree` is sqlglot's node, `python` the operator there; `a op b` is NOT `a opposite b`, and `b mirrored a`.

    `near` are the operators that a slip of the pen would leave in its place.
    """

    tree: type
    python: str
    opposite: str
    mirrored: str
    near: tuple[str, ...]


COMPARISONS: dict[str, Comparison] = {
    "=": Comparison(exp.EQ, "==", "<>", "=", ("<>",)),
    "<>": Comparison(exp.NEQ, "!=", "=", "<>", ("=",)),
    "<": Comparison(exp.LT, "<", ">=", ">", ("<=", ">")),
    "<=": Comparison(exp.LTE, "<=", ">", ">=", ("<", ">=")),
    ">": Comparison(exp.GT, ">", "<=", "<", (">=", "<")),
    ">=": Comparison(exp.GTE, ">=", "<", "<=", (">", "<=")),
}

ARITHMETIC: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}

COMPARISON_OF: dict[type, str] = {operator.tree: word for word, operator in COMPARISONS.items()}
