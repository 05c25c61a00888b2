"""What can a rule's condition say, once its text has been understood?

Every condition is true, false or missing (SQL's three-valued logic). Numbers are double precision everywhere; text
is compared byte for byte; a calculation that is not a finite number is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

NUMERIC, TEXT, TRUTH = "number", "text", "truth"


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a condition."""

    @property
    def parts(self) -> tuple[Node, ...]:
        found: list[Node] = []
        for part in fields(self):
            value = getattr(self, part.name)
            found.extend(v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, Node))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A feature; `kind` is number, text or truth."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A decimal number as written, so that nudging its last digit means something."""

    text: str

    @property
    def value(self) -> float:
        return float(self.text)


@dataclass(frozen=True, slots=True)
class Text(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`op` is + - * or / (true division; by zero the result is missing)."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Negative(Node):
    of: Node


@dataclass(frozen=True, slots=True)
class Absolute(Node):
    of: Node


@dataclass(frozen=True, slots=True)
class Coalesce(Node):
    """The first of `options` that is not missing; all of one kind."""

    options: tuple[Node, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`op` is one of = <> < <= > >=; both sides are of one kind, and only numbers have an order."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    """Both bounds included."""

    of: Node
    low: Node
    high: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class Member(Node):
    """Whether a value is one of the literals."""

    of: Node
    literals: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Listed(Node):
    """Whether a feature's text is on a list, by the entries in force at that moment."""

    of: Name
    list_name: str


@dataclass(frozen=True, slots=True)
class IsMissing(Node):
    of: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class Not(Node):
    of: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group(Node):
    """Parentheses as written."""

    of: Node


def kind_of(node: Node) -> str:
    """number, text or truth."""
    if isinstance(node, Name | Coalesce):
        return node.kind
    if isinstance(node, Group):
        return kind_of(node.of)
    if isinstance(node, Number | Arithmetic | Negative | Absolute):
        return NUMERIC
    return TEXT if isinstance(node, Text) else TRUTH


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order written."""
    yield node
    for part in node.parts:
        yield from walk(part)


def names(node: Node) -> tuple[str, ...]:
    """The features a condition reads, in the order written, each once."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Name)))


def written(node: Node) -> str:
    """The condition as text in the grammar, with one space between words."""
    return _WRITTEN[type(node)](node)


def _between(node: Between) -> str:
    word = "NOT BETWEEN" if node.negated else "BETWEEN"
    return f"{written(node.of)} {word} {written(node.low)} AND {written(node.high)}"


def _member(node: Member) -> str:
    word = "NOT IN" if node.negated else "IN"
    return f"{written(node.of)} {word} ({_comma(node.literals)})"


def _comma(nodes: tuple[Node, ...]) -> str:
    return ", ".join(written(n) for n in nodes)


_WRITTEN: dict[type[Node], Callable[[Any], str]] = {
    Name: lambda n: n.name,
    Number: lambda n: n.text,
    Text: lambda n: "'" + n.value.replace("'", "''") + "'",
    Arithmetic: lambda n: f"{written(n.left)} {n.op} {written(n.right)}",
    Negative: lambda n: f"-{' ' * isinstance(n.of, Negative)}{written(n.of)}",
    Absolute: lambda n: f"ABS({written(n.of)})",
    Coalesce: lambda n: f"COALESCE({_comma(n.options)})",
    Compare: lambda n: f"{written(n.left)} {n.op} {written(n.right)}",
    Between: _between,
    Member: _member,
    Listed: lambda n: f"IN_LIST({n.of.name}, '{n.list_name}')",
    IsMissing: lambda n: f"{written(n.of)} IS {'NOT ' if n.negated else ''}NULL",
    Not: lambda n: f"NOT {written(n.of)}",
    And: lambda n: " AND ".join(written(p) for p in n.of),
    Or: lambda n: " OR ".join(written(p) for p in n.of),
    Group: lambda n: f"({written(n.of)})",
}
