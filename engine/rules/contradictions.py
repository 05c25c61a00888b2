"""Can this condition ever hold, or do its own parts exclude each other?

A condition is written out as alternatives (disjunctive normal form), each a list of single statements about features.
Two statements about one feature that leave no common value make an alternative impossible. On a line of numbers it is
enough to look at pairs (Helly 1923), so a pair can always be named.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

from engine.rules import conditions as c
from engine.rules.operators import COMPARISONS

MOST_ALTERNATIVES = 256
Literal = tuple[c.Node, bool]
Value = float | str | bool


@dataclass(frozen=True, slots=True)
class Region:
    """The values one statement leaves to a feature: an interval, or some values only, or all but some.

    `missing` says that the statement wants the feature to be missing; every other one wants it present.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    only: frozenset[Value] | None = None
    never: frozenset[Value] = frozenset()
    missing: bool = False

    def holds(self, value: Value) -> bool:
        """Whether the value lies in this region."""
        if value in self.never or (self.only is not None and value not in self.only):
            return False
        if isinstance(value, str):
            return True
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below


@dataclass(frozen=True, slots=True)
class Statement:
    """One part of an alternative: what it says of which feature (`listed` names a list it must or must not be on)."""

    name: str
    text: str
    region: Region
    listed: tuple[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why alternatives cannot hold. `whole` says that no alternative is left, so that the condition never holds."""

    parts: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        quoted = " and ".join(f"'{part}'" for part in self.parts)
        return f"{quoted} cannot both hold" if len(self.parts) > 1 else f"{quoted} can never hold"


def contradictions(when: c.Node, integers: frozenset[str] = frozenset()) -> list[Contradiction]:
    """The pairs of statements that exclude each other; empty where there are none, or too many alternatives to say.

    `integers` names the features that only take whole numbers: `n > 1` and `n < 2` leave them nothing.
    """
    alternatives = _alternatives(when, False)
    if alternatives is None:
        return []
    found = [_impossible(alternative, integers) for alternative in alternatives]
    parts = list(dict.fromkeys(pair for pair in found if pair))
    return [Contradiction(pair, all(found)) for pair in parts]


def _alternatives(node: c.Node, negated: bool) -> list[list[Literal]] | None:
    """Lists of (statement, negated), of which one must hold entirely; None if there are too many."""
    if isinstance(node, c.Group):
        return _alternatives(node.of, negated)
    if isinstance(node, c.Not):
        return _alternatives(node.of, not negated)
    if not isinstance(node, c.And | c.Or):
        return [[(node, negated)]]
    parts = [_alternatives(part, negated) for part in node.of]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if isinstance(node, c.Or) != negated:  # NOT (a AND b) is NOT a OR NOT b
        joined = [alternative for part in known for alternative in part]
        return joined if len(joined) <= MOST_ALTERNATIVES else None
    if math.prod(len(part) for part in known) > MOST_ALTERNATIVES:
        return None
    return [[literal for chosen in choice for literal in chosen] for choice in product(*known)]


def _impossible(alternative: list[Literal], integers: frozenset[str]) -> tuple[str, ...]:
    statements = [found for node, negated in alternative for found in _statements(node, negated)]
    for one in statements:
        if _empty(one.region, Region(missing=one.region.missing), one.name in integers):
            return (one.text,)
    for one, other in combinations(statements, 2):
        if one.name == other.name and _exclude(one, other, one.name in integers):
            return tuple(dict.fromkeys((one.text, other.text)))
    return ()


def _exclude(one: Statement, other: Statement, integer: bool) -> bool:
    if one.listed and other.listed and one.listed[0] == other.listed[0]:
        return one.listed[1] != other.listed[1]
    return _empty(one.region, other.region, integer)


def _empty(a: Region, b: Region, integer: bool) -> bool:
    if a.missing or b.missing:
        return a.missing != b.missing
    for some, other in ((a, b), (b, a)):
        if some.only is not None:
            return not any(some.holds(value) and other.holds(value) for value in some.only)
    low, open_low = max((a.low, a.open_low), (b.low, b.open_low))
    high, closed_high = min((a.high, not a.open_high), (b.high, not b.open_high))
    if integer and math.isfinite(low) and math.isfinite(high):
        first = math.floor(low) + 1 if open_low else math.ceil(low)
        last = math.floor(high) if closed_high else math.ceil(high) - 1
        return first > last
    if low == high:
        return open_low or not closed_high or low in a.never or low in b.never
    return low > high


def _statements(node: c.Node, negated: bool) -> Iterator[Statement]:
    text = f"NOT {c.written(node)}" if negated else c.written(node)
    if isinstance(node, c.Compare):
        yield from _compared(node, negated, text)
    elif isinstance(node, c.Between) and isinstance(node.of, c.Name) and node.negated == negated:
        low, high = _value(node.low), _value(node.high)
        if isinstance(low, float) and isinstance(high, float):
            yield Statement(node.of.name, text, Region(low, high))
    elif isinstance(node, c.Member) and isinstance(node.of, c.Name):
        values = frozenset(v for v in map(_value, node.literals) if v is not None)
        outside = node.negated != negated
        yield Statement(node.of.name, text, Region(never=values) if outside else Region(only=values))
    elif isinstance(node, c.IsMissing) and isinstance(node.of, c.Name):
        yield Statement(node.of.name, text, Region(missing=node.negated == negated))
    elif isinstance(node, c.Listed):
        yield Statement(node.of.name, text, Region(), (node.list_name, not negated))
    elif isinstance(node, c.Name) and node.kind == c.TRUTH:
        yield Statement(node.name, text, Region(only=frozenset((not negated,))))


def _compared(node: c.Compare, negated: bool, text: str) -> Iterator[Statement]:
    op, left, right = node.op, node.left, node.right
    if isinstance(right, c.Name) and not isinstance(left, c.Name):
        op, left, right = COMPARISONS[op].mirrored, right, left
    value = _value(right)
    if not isinstance(left, c.Name) or value is None:
        return
    op = COMPARISONS[op].opposite if negated else op
    if op == "=":
        yield Statement(left.name, text, Region(only=frozenset((value,))))
    elif op == "<>":
        yield Statement(left.name, text, Region(never=frozenset((value,))))
    elif left.kind == c.NUMERIC and isinstance(value, float):
        above = op in (">", ">=")
        region = Region(low=value, open_low=op == ">") if above else Region(high=value, open_high=op == "<")
        yield Statement(left.name, text, region)


def _value(node: c.Node) -> Value | None:
    if isinstance(node, c.Group):
        return _value(node.of)
    if isinstance(node, c.Negative):
        inner = _value(node.of)
        return -inner if isinstance(inner, float) else None
    if isinstance(node, c.Number):
        return node.value
    return node.value if isinstance(node, c.Text) else None
