"""How is a condition answered for one transaction in a microsecond or two?

A condition becomes the text of one Python expression over already checked values and is compiled once. Only nodes of
the closed grammar are ever written out: names as dictionary keys, numbers and texts by repr. Every value is a float,
a text, a flag or None for missing, and so is every intermediate result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.decision import FeatureValue
from engine.rules.conditions import (
    NUMERIC,
    TEXT,
    Absolute,
    And,
    Arithmetic,
    Between,
    Coalesce,
    Compare,
    Group,
    IsMissing,
    Listed,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Text,
)
from engine.rules.lists import Lists

Values = Mapping[str, Any]
Compiled = Callable[[Values, datetime], bool | None]
INFINITY = float("inf")


class WrongValue(TypeError):
    """A row holds a value of another kind than its feature."""


def checked(value: FeatureValue, kind: str) -> float | str | bool | None:
    """A row's value as the conditions want it; a number that is not finite is missing. WrongValue otherwise."""
    if value is None:
        return None
    if kind == NUMERIC:
        if isinstance(value, str):
            raise WrongValue(f"{value!r} is not a number")
        number = float(value)
        return number if -INFINITY < number < INFINITY else None
    wanted = str if kind == TEXT else bool
    if not isinstance(value, wanted):
        raise WrongValue(f"{value!r} is not a {kind}")
    return value


def compile_condition(node: Node, lists: Lists) -> Compiled:
    """A function of checked values and the moment: True, False, or None for missing."""
    writer = _Writer()
    source = f"lambda v, at: {writer.write(node)}"
    holds = {name: lists[name].holds for name in writer.lists}
    return eval(
        compile(source, "<condition>", "eval"),
        {"__builtins__": {}, "divide": _divide, "finite": _finite, "magnitude": abs, "holds": holds},
    )


def _divide(a: float, b: float) -> float | None:
    return _finite(a / b) if b else None


def _finite(a: float) -> float | None:
    return a if -INFINITY < a < INFINITY else None


class _Writer:
    """Writes Python; `t1`, `t2`, ... hold intermediate results so that each is worked out once."""

    def __init__(self) -> None:
        self.count = 0
        self.lists: set[str] = set()

    def write(self, node: Node) -> str:
        return str(getattr(self, "_" + type(node).__name__.lower())(node))

    def _fresh(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def _known(self, *nodes: Node) -> tuple[str, list[str]]:
        """A test for "one of these is missing", and the names under which their values are then known."""
        tests, values = [], []
        for node in nodes:
            if isinstance(node, Number | Text):
                values.append(self.write(node))
                continue
            name = self._fresh()
            tests.append(f"({name} := {self.write(node)}) is None")
            values.append(name)
        # Walrus names are bound left to right; `or` may stop early, but then their values are not used.
        return " or ".join(tests) or "False", values

    def _name(self, node: Name) -> str:
        return f"v[{node.name!r}]"

    def _number(self, node: Number) -> str:
        return repr(node.value)

    def _text(self, node: Text) -> str:
        return repr(node.value)

    def _group(self, node: Group) -> str:
        return self.write(node.of)

    def _arithmetic(self, node: Arithmetic) -> str:
        missing, (a, b) = self._known(node.left, node.right)
        result = f"divide({a}, {b})" if node.op == "/" else f"finite({a} {node.op} {b})"
        return f"(None if {missing} else {result})"

    def _negative(self, node: Negative) -> str:
        missing, (a,) = self._known(node.of)
        return f"(None if {missing} else -{a})"

    def _absolute(self, node: Absolute) -> str:
        missing, (a,) = self._known(node.of)
        return f"(None if {missing} else magnitude({a}))"

    def _coalesce(self, node: Coalesce) -> str:
        text = "None"
        for option in reversed(node.options):
            missing, (a,) = self._known(option)
            text = f"({text} if {missing} else {a})"
        return text

    def _compare(self, node: Compare) -> str:
        missing, (a, b) = self._known(node.left, node.right)
        op = {"=": "==", "<>": "!="}.get(node.op, node.op)
        return f"(None if {missing} else {a} {op} {b})"

    def _between(self, node: Between) -> str:
        # As SQL has it: x >= low AND x <= high, so that one false half is enough when the other is missing.
        low, high = Compare(">=", node.of, node.low), Compare("<=", node.of, node.high)
        inside = self._and(And((low, high)))
        return self._inverted(inside) if node.negated else inside

    def _member(self, node: Member) -> str:
        missing, (a,) = self._known(node.of)
        literals = ", ".join(self.write(x) for x in node.literals)
        return f"(None if {missing} else {a} {'not in' if node.negated else 'in'} ({literals},))"

    def _listed(self, node: Listed) -> str:
        self.lists.add(node.list_name)
        missing, (a,) = self._known(node.of)
        return f"(None if {missing} else holds[{node.list_name!r}]({a}, at))"

    def _ismissing(self, node: IsMissing) -> str:
        missing, _ = self._known(node.of)
        return f"(not ({missing}))" if node.negated else f"({missing})"

    def _inverted(self, text: str) -> str:
        name = self._fresh()
        return f"(None if ({name} := {text}) is None else not {name})"

    def _not(self, node: Not) -> str:
        return self._inverted(self.write(node.of))

    def _and(self, node: And) -> str:
        return self._joined(node.of, "False", "True")

    def _or(self, node: Or) -> str:
        return self._joined(node.of, "True", "False")

    def _joined(self, nodes: tuple[Node, ...], decisive: str, other: str) -> str:
        """The decisive value if any part has it, else missing if any part is missing, else the other value."""
        names, tests = [], []
        for node in nodes:
            names.append(self._fresh())
            tests.append(f"({names[-1]} := {self.write(node)}) is {decisive}")
        missing = " or ".join(f"{name} is None" for name in names)
        return f"({decisive} if {' or '.join(tests)} else None if {missing} else {other})"
