"""Is every number and condition of a rule defended by one of its own tests?

A mutation check (DeMillo, Lipton and Sayward 1978): the rule is changed in one place at a time, and each changed rule
must fail an inline test. What survives is unpinned: somebody could make that change by mistake and nothing would say
so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from engine.rules import conditions as c
from engine.rules.lists import Lists
from engine.rules.operators import COMPARISONS
from engine.rules.rule import Rule
from engine.rules.rule_set import RuleSet
from engine.rules.testing import notices


@dataclass(frozen=True, slots=True)
class Unpinned:
    """A change to the rule that none of its tests notices."""

    rule_id: str
    change: str
    condition: str

    def __str__(self) -> str:
        return f"{self.rule_id}: no test notices when {self.change} (in '{self.condition}')"


def check_pins(rule: Rule, lists: Lists | None = None) -> list[Unpinned]:
    """All changes that no inline test of the rule notices; empty when the rule is pinned."""
    lists = lists or Lists()
    found = []
    for change, condition, mutant in mutants(rule.when):
        if not notices(replace(rule, when=mutant), lists):
            found.append(Unpinned(rule.id, change, condition))
    return found


def check_all_pins(rule_set: RuleSet) -> list[Unpinned]:
    """`check_pins` over a whole set, retired rules left out."""
    return [
        unpinned
        for rule in rule_set
        if rule.status != "retired"
        for unpinned in check_pins(rule, rule_set.lists)
    ]


def mutants(node: c.Node) -> Iterator[tuple[str, str, c.Node]]:
    """Every single change to a condition: what was changed, the smallest condition around it, the changed whole."""
    for change, part in _changes(node):
        yield change, _if_condition(node), part
    for place in fields(node):
        value = getattr(node, place.name)
        if isinstance(node, c.IsMissing) or not isinstance(value, c.Node | tuple):
            continue
        inner = value if isinstance(value, tuple) else (value,)
        for i, part_of in enumerate(inner):
            for change, condition, part in mutants(part_of):
                mixed = (*inner[:i], part, *inner[i + 1 :]) if isinstance(value, tuple) else part
                yield change, condition or _if_condition(node), replace(node, **{place.name: mixed})


def _if_condition(node: c.Node) -> str:
    return c.written(node) if c.kind_of(node) == c.TRUTH else ""


def _changes(node: c.Node) -> Iterator[tuple[str, c.Node]]:
    if isinstance(node, c.Number):
        yield from _nudged(node)
    elif isinstance(node, c.Compare):
        for op in COMPARISONS[node.op].near:
            yield f"'{node.op}' becomes '{op}'", replace(node, op=op)
    elif isinstance(node, c.And | c.Or):
        yield from _loosened(node)
    elif isinstance(node, c.Not):
        yield "NOT is dropped", node.of
    elif isinstance(node, c.Between | c.Member | c.IsMissing):
        yield "the condition is turned round", replace(node, negated=not node.negated)
        if isinstance(node, c.Member) and len(node.literals) > 1:
            for i, gone in enumerate(node.literals):
                rest = node.literals[:i] + node.literals[i + 1 :]
                yield f"{c.written(gone)} is dropped", replace(node, literals=rest)
    elif isinstance(node, c.Listed) or (isinstance(node, c.Name) and node.kind == "truth"):
        yield "the condition is turned round", c.Not(node)


def _nudged(number: c.Number) -> Iterator[tuple[str, c.Node]]:
    value = Decimal(number.text)
    exponent = value.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    for nudged in (value + step, value - step):
        if nudged >= 0:
            yield f"{number.text} becomes {nudged}", c.Number(str(nudged))


def _loosened(node: c.And | c.Or) -> Iterator[tuple[str, c.Node]]:
    for i, gone in enumerate(node.of):
        rest = node.of[:i] + node.of[i + 1 :]
        yield f"'{c.written(gone)}' is dropped", rest[0] if len(rest) == 1 else type(node)(rest)
    yield (
        "all becomes any" if isinstance(node, c.And) else "any becomes all",
        (c.Or if isinstance(node, c.And) else c.And)(node.of),
    )
