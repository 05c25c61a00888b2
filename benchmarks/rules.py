"""How fast are fifty rules on one transaction, beside zen-engine on the same rules in the same run?

    python -m benchmarks.rules [--rounds N]

Needs zen-engine (`pip install -e '.[bench]'`). The demo's rules and variants of them, 50 in all. Every engine answers
the features of simulated payments and rows drawn at random of which every third value is missing, and the answers are
compared before anything is timed. zen has no third value: it gets the rules guarded against
missing values (hit or not), and once more with every line and every rule written out as true, false or null, which is
what the trace here tells.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

try:
    import zen
except ImportError as missing:
    raise SystemExit("this needs zen-engine: pip install -e '.[bench]' -c constraints.txt") from missing

from benchmarks import institutions
from benchmarks.machine import machine
from data.incoming.mapping import load_mapping
from engine.decision import RuleState
from engine.features.batch import batch_features
from engine.features.spec import load_features
from engine.rules import conditions as c
from engine.rules.lists import Lists, load_lists
from engine.rules.loader import load_rules
from engine.rules.operators import COMPARISONS
from engine.rules.rule import Rule
from engine.rules.rule_set import RuleSet, kinds_of, lines_of

RULES = Path(__file__).resolve().parents[1] / "rules"
AT = datetime(2026, 6, 1, tzinfo=UTC)
WANTED, ROWS = 50, 400
TEXTS = ("pos", "ecom", "app", "DE", "NO", "electronics", "gift_cards", "digital_goods", "dev_0badc0de01")
Row = dict[str, Any]
OURS = "here, results and every line, three-valued"
ANSWERS = {RuleState.HIT: True, RuleState.NO_HIT: False, RuleState.MISSING: None}


def fifty_rules() -> RuleSet:
    """The demo's rules, then the same with every number half and twice as large, until there are fifty."""
    files = {p.relative_to(RULES).as_posix(): p.read_bytes() for p in RULES.rglob("*") if p.is_file()}
    features = load_features(files["features.yaml"], "features.yaml", load_mapping(RULES / "mapping.yaml"))
    lists = load_lists(files["lists.yaml"])
    demo = load_rules(files, features, lists)
    rules = list(demo)
    for factor in (2, 3):
        for rule in demo:
            rules.append(replace(rule, id=f"{rule.id}_{factor}", when=scaled(rule.when, factor)))
    return RuleSet(tuple(rules[:WANTED]), lists)


def scaled(node: c.Node, factor: int) -> c.Node:
    """The condition with every number multiplied."""
    if isinstance(node, c.Number):
        return c.Number(f"{float(node.text) * factor:.6f}")
    changed: Row = {}
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, c.Node):
            changed[name] = scaled(value, factor)
        elif isinstance(value, tuple):
            changed[name] = tuple(scaled(part, factor) for part in value)
    return replace(node, **changed)


def simulated_rows(rule_set: RuleSet) -> list[Row]:
    """What the rules read of the latest of 20,000 simulated payments."""
    names = {name for rule in rule_set for name in kinds_of(rule.when)}
    with closing(institutions.ledger_like(20_000)) as connection:
        table = batch_features(connection, institutions.demo_features())
    return table.slice(len(table) - ROWS).select(sorted(names)).to_pylist()


def drawn_rows(rule_set: RuleSet) -> list[Row]:
    """Rows in which two thirds of the values are there, drawn at random."""
    chance = random.Random(7)
    kinds = {name: kind for rule in rule_set for name, kind in kinds_of(rule.when).items()}
    draw: dict[str, Callable[[], Any]] = {
        c.NUMERIC: lambda: int(10 ** chance.uniform(0, 6)) if chance.random() < 0.7 else chance.randrange(4),
        c.TEXT: lambda: chance.choice(TEXTS),
        c.TRUTH: lambda: chance.random() < 0.5,
    }
    return [
        {name: draw[kind]() if chance.random() < 2 / 3 else None for name, kind in kinds.items()}
        for _ in range(ROWS)
    ]


class Zen:
    """Writes conditions in zen's expression language."""

    def __init__(self, lists: Lists, *, three_valued: bool) -> None:
        self.lists, self.three_valued = lists, three_valued

    def line(self, node: c.Node) -> str:
        """One line: false where a value is missing, or null if three values are told."""
        if isinstance(node, c.IsMissing):
            return f"{_name(node.of)} {'!=' if node.negated else '=='} null"
        missing = " or ".join(f"{name} == null" for name in c.names(node))
        return f"(({missing}) ? {'null' if self.three_valued else 'false'} : ({self._known(node)}))"

    def _known(self, node: c.Node) -> str:
        if isinstance(node, c.Name):
            return f"{node.name} == true"
        if isinstance(node, c.Compare):
            return f"{_name(node.left)} {COMPARISONS[node.op].python} {_name(node.right)}"
        if isinstance(node, c.Between):
            of = _name(node.of)
            return f"{of} >= {_name(node.low)} and {of} <= {_name(node.high)}"
        if isinstance(node, c.Member):
            values = ", ".join(_name(literal) for literal in node.literals)
            return f"{_name(node.of)} {'not in' if node.negated else 'in'} [{values}]"
        assert isinstance(node, c.Listed), node
        values = [e.value for e in self.lists[node.list_name].entries if e.in_force(AT)]
        return f"{node.of.name} in [{', '.join(repr(value) for value in values) or repr('')}]"

    def whole(self, node: c.Node, names: dict[int, str]) -> str:
        """A whole condition; `names` are the keys under which lines have been answered already."""
        if isinstance(node, c.Group):
            return self.whole(node.of, names)
        if not isinstance(node, c.And | c.Or):
            return names.get(id(node)) or self.line(node)
        parts = [self.whole(part, names) for part in node.of]
        word, decisive, other = (
            ("and", "false", "true") if isinstance(node, c.And) else ("or", "true", "false")
        )
        if not self.three_valued:
            return f"({f' {word} '.join(parts)})"
        decided = " or ".join(f"{part} == {decisive}" for part in parts)
        missing = " or ".join(f"{part} == null" for part in parts)
        return f"(({decided}) ? {decisive} : ({missing}) ? null : {other})"


def _name(node: c.Node) -> str:
    return repr(node.value) if isinstance(node, c.Text) else c.written(node)


def graph(expressions: Sequence[tuple[str, str]]) -> Any:
    """A decision of zen's with one expression node."""
    listed = [{"id": key, "key": key, "value": value} for key, value in expressions]
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "rules", "type": "expressionNode", "name": "rules", "content": {"expressions": listed}},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": f"{a}-{b}", "type": "edge", "sourceId": a, "targetId": b}
        for a, b in (("in", "rules"), ("rules", "out"))
    ]
    return zen.ZenEngine().create_decision({"nodes": nodes, "edges": edges})


def in_one_expression(rules: Sequence[Rule], lists: Lists) -> Callable[[Row], list[bool]]:
    """All rules as one list in one compiled expression: the least that zen can be asked for. Hit or not."""
    writer = Zen(lists, three_valued=False)
    compiled = zen.compile_expression("[" + ", ".join(writer.whole(rule.when, {}) for rule in rules) + "]")
    return lambda row: compiled.evaluate(row)


def in_a_graph(rules: Sequence[Rule], lists: Lists) -> Callable[[Row], list[bool]]:
    """One decision graph, a key for every rule. Hit or not."""
    writer = Zen(lists, three_valued=False)
    decision = graph([(rule.id, writer.whole(rule.when, {})) for rule in rules])

    def answer(row: Row) -> list[bool]:
        result = decision.evaluate(row)["result"]
        return [result[rule.id] for rule in rules]

    return answer


def with_every_line(rules: Sequence[Rule], lists: Lists) -> Callable[[Row], list[bool | None]]:
    """One decision graph, a key for every line and every rule, each true, false or null."""
    writer, expressions = Zen(lists, three_valued=True), []
    for rule in rules:
        names = {}
        for number, line in enumerate(lines_of(rule.when)):
            key = f"{rule.id}_line_{number}"
            names[id(line)] = f"$.{key}"
            expressions.append((key, writer.line(line)))
        expressions.append((rule.id, writer.whole(rule.when, names)))
    decision, keys = graph(expressions), [key for key, _ in expressions]

    def answer(row: Row) -> list[bool | None]:
        result = decision.evaluate(row)["result"]
        return [result.get(key) for key in keys]

    return answer


def ours_with_every_line(rule_set: RuleSet, row: Row) -> list[bool | None]:
    """Our answers in the order of `with_every_line`: the lines of a rule, then the rule."""
    results, lines = rule_set.traced(row, AT)
    told, place = [], 0
    for rule, result in zip(rule_set, results, strict=True):
        count = len(lines_of(rule.when))
        told += [*lines[place : place + count], ANSWERS[result.state]]
        place += count
    return told


def agree(rule_set: RuleSet, rows: Sequence[Row], peers: dict[str, Callable[[Row], list]]) -> int:
    """Check that all give the same on every row; how many rule answers were hits. SystemExit if they differ."""
    hits = 0
    for row in rows:
        told = ours_with_every_line(rule_set, row)
        fired = [result.state is RuleState.HIT for result in rule_set.evaluate(row, AT)]
        hits += sum(fired)
        for name, answer in peers.items():
            if answer(row) != (told if "line" in name else fired):
                raise SystemExit(f"{name} answers another way on {row}")
    return hits


def lines_in_one_expression(rules: Sequence[Rule], lists: Lists) -> Callable[[Row], list[bool | None]]:
    """Every line and every rule as one list in one compiled expression; a rule's lines are worked out again for it."""
    writer, expressions = Zen(lists, three_valued=True), []
    for rule in rules:
        expressions += [*map(writer.line, lines_of(rule.when)), writer.whole(rule.when, {})]
    compiled = zen.compile_expression("[" + ", ".join(expressions) + "]")
    return lambda row: compiled.evaluate(row)


def microseconds(answer: Callable[[Row], Any], rows: Sequence[Row]) -> float:
    """Processor time of one answer, which other work on the machine hardly moves."""
    begun = time.process_time()
    for row in rows:
        answer(row)
    return (time.process_time() - begun) / len(rows) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    rule_set = fifty_rules()
    rules, lists = list(rule_set), rule_set.lists
    peers = {
        "zen-engine, decision graph, every line, three-valued": with_every_line(rules, lists),
        "zen-engine, decision graph, hit or not": in_a_graph(rules, lists),
        "zen-engine, one compiled expression, every line, three-valued": lines_in_one_expression(
            rules, lists
        ),
        "zen-engine, one compiled expression, hit or not": in_one_expression(rules, lists),
    }
    print(
        f"{machine()}\n{len(rules)} rules of {len(rule_set.lines)} lines, medians of {rounds} alternating rounds."
    )
    for what, rows in (
        ("simulated payments", simulated_rows(rule_set)),
        ("rows drawn at random, a third of the values missing", drawn_rows(rule_set)),
    ):
        hits = agree(rule_set, rows, peers) / len(rows)
        print(f"\n{what}: {len(rows)}, {hits:.2f} hits each; all answer alike\n")
        show(compared(rule_set, rows, peers, rounds))


def compared(
    rule_set: RuleSet, rows: Sequence[Row], peers: dict[str, Callable[[Row], Any]], rounds: int
) -> dict[str, list[float]]:
    """Microseconds of each in every round."""
    everyone: dict[str, Callable[[Row], Any]] = {
        OURS: lambda row: rule_set.traced(row, AT),
        "here, results only, three-valued": lambda row: rule_set.evaluate(row, AT),
        **peers,
    }
    took: dict[str, list[float]] = {name: [] for name in everyone}
    for _ in range(rounds):
        for name, answer in everyone.items():
            took[name].append(microseconds(answer, rows))
    return took


def show(took: dict[str, list[float]]) -> None:
    print("| | CPU µs a transaction | times as long as the first |\n|---|---|---|")
    for name, values in took.items():
        ratio = statistics.median(value / own for value, own in zip(values, took[OURS], strict=True))
        print(f"| {name} | {statistics.median(values):.1f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
