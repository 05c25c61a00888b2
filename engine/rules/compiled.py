"""How are all conditions of a rule set answered for one transaction in a few microseconds?

Conditions become the text of one Python function and are compiled once. Only nodes of the closed grammar are ever
written out: numbers and texts by repr, names as local variables. Every value is a number, a text, a flag or None for
missing, and so is every intermediate result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.decision import FeatureValue
from engine.rules import conditions as c
from engine.rules.lists import Lists
from engine.rules.operators import COMPARISONS

Values = Mapping[str, Any]
Compiled = Callable[[Values, datetime], bool | None]
CompiledSet = Callable[[Values, datetime], tuple[tuple[bool | None, ...], tuple[bool | None, ...]]]
INFINITY = float("inf")
_EXACT = 2.0**53  # up to here an integer compares as its double does


class WrongValue(TypeError):
    """A row holds a value of another kind than its feature."""


def checked(value: FeatureValue, kind: str) -> float | str | bool | None:
    """A row's value as the conditions want it; a number that is not finite is missing. WrongValue otherwise."""
    if value is None:
        return None
    if kind == c.NUMERIC:
        if isinstance(value, str):
            raise WrongValue(f"{value!r} is not a number")
        number = float(value)
        return number if -INFINITY < number < INFINITY else None
    wanted = str if kind == c.TEXT else bool
    if not isinstance(value, wanted):
        raise WrongValue(f"{value!r} is not a {kind}")
    return value


def compile_condition(node: c.Node, lists: Lists) -> Compiled:
    """A function of checked values and the moment: True, False, or None for missing."""
    writer = _Writer(lambda name: f"v[{name.name!r}]")
    source = f"lambda v, at: {writer.write(node)}"
    return eval(compile(source, "<condition>", "eval"), _known_words(writer, lists))


def compile_conditions(nodes: Sequence[c.Node], lists: Lists, lines: Sequence[c.Node] = ()) -> CompiledSet:
    """One function of a row and the moment, answering every condition, and each of `lines`, which are parts of them.

    Values are checked as they are read: KeyError for a name the row does not have, TypeError or OverflowError for
    a value of another kind.
    """
    places: dict[str, str] = {}
    body: list[str] = []
    parts = [part for node in nodes for part in c.walk(node)]
    calculated = {name for part in parts if isinstance(part, c.Arithmetic) for name in c.names(part)}
    for part in parts:
        if isinstance(part, c.Name) and part.name not in places:
            places[part.name] = place = f"v{len(places)}"
            body += _reading(part, place, part.name in calculated)
    writer = _Writer(lambda name: places[name.name], lines)
    answers = [f"r{number}" for number in range(len(nodes))]
    for place, node in zip(answers, nodes, strict=True):
        written = writer.write(node)
        body += [*writer.hoisted, f"{place} = {written}"]
        writer.hoisted.clear()
    told = [writer.names[id(line)] for line in lines]
    body.append(f"return ({_listed(answers)}), ({_listed(told)})")
    words = _known_words(writer, lists)
    exec(compile("def answer(row, at):\n    " + "\n    ".join(body), "<rules>", "exec"), words)
    return words["answer"]


def _listed(names: Sequence[str]) -> str:
    return "".join(f"{name}, " for name in names)


def _reading(name: c.Name, place: str, calculated: bool) -> list[str]:
    """Lines that read a feature's value, check it and make it what conditions want."""
    read = f"{place} = row[{name.name!r}]"
    if name.kind != c.NUMERIC:
        wanted = "text" if name.kind == c.TEXT else "flag"
        return [
            read,
            f"if {place} is not None and {place}.__class__ is not {wanted}: {place} = wrong({place})",
        ]
    odd = f"if {place} is not None and not {-_EXACT!r} <= {place} <= {_EXACT!r}: {place} = number({place})"
    # What is calculated with becomes a double first, as SQL casts it; what is only compared may stay an integer.
    exact = [f"if {place} is not None: {place} = {place} * 1.0"] if calculated else []
    return [read, odd, *exact]


def _known_words(writer: _Writer, lists: Lists) -> dict[str, Any]:
    """All that the compiled text can name."""
    return {
        "__builtins__": {},
        "divide": _divide,
        "finite": _finite,
        "magnitude": abs,
        "holds": {name: lists[name].holds for name in writer.lists},
        "number": lambda value: checked(value, c.NUMERIC),
        "wrong": _wrong,
        "text": str,
        "flag": bool,
    }


def _wrong(value: Any) -> None:
    raise WrongValue(f"{value!r} is not of its feature's kind")


def _divide(a: float, b: float) -> float | None:
    return _finite(a / b) if b else None


def _finite(a: float) -> float | None:
    return a if -INFINITY < a < INFINITY else None


class _Writer:
    """Writes Python; `t1`, `t2`, ... hold intermediate results so that each is worked out once.

    Of each of `lines` the answer is kept under a name of its own: `hoisted` are the assignments to be made before
    the text, `names` says which name is whose.
    """

    def __init__(self, place: Callable[[c.Name], str], lines: Sequence[c.Node] = ()) -> None:
        self.place = place
        self.count = 0
        self.lists: set[str] = set()
        self.hoisted: list[str] = []
        self.names: dict[int, str] = {}
        self._lines = {id(line) for line in lines}

    def write(self, node: c.Node) -> str:
        text = str(getattr(self, "_" + type(node).__name__.lower())(node))
        if id(node) not in self._lines:
            return text
        name = self.names[id(node)] = self._fresh()
        self.hoisted.append(f"{name} = {text}")
        return name

    def _fresh(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def _held(self, text: str) -> tuple[str, str]:
        """The text with its result held under a name, and the name; what is a name already stays as it is."""
        if text.isidentifier():
            return text, text
        name = self._fresh()
        return f"({name} := {text})", name

    def _known(self, *nodes: c.Node) -> tuple[str, list[str]]:
        """A test for "one of these is missing", and the names under which their values are then known."""
        tests, values = [], []
        for node in nodes:
            text = self.write(node)
            if not isinstance(node, c.Number | c.Text):
                held, text = self._held(text)
                tests.append(f"{held} is None")
            values.append(text)
        # Walrus names are bound left to right; `or` may stop early, but then their values are not used.
        return " or ".join(tests) or "False", values

    def _name(self, node: c.Name) -> str:
        return self.place(node)

    def _number(self, node: c.Number) -> str:
        return repr(node.value)

    def _text(self, node: c.Text) -> str:
        return repr(node.value)

    def _group(self, node: c.Group) -> str:
        return self.write(node.of)

    def _arithmetic(self, node: c.Arithmetic) -> str:
        missing, (a, b) = self._known(node.left, node.right)
        result = f"divide({a}, {b})" if node.op == "/" else f"finite({a} {node.op} {b})"
        return f"(None if {missing} else {result})"

    def _negative(self, node: c.Negative) -> str:
        missing, (a,) = self._known(node.of)
        return f"(None if {missing} else -{a})"

    def _absolute(self, node: c.Absolute) -> str:
        missing, (a,) = self._known(node.of)
        return f"(None if {missing} else magnitude({a}))"

    def _coalesce(self, node: c.Coalesce) -> str:
        text = "None"
        for option in reversed(node.options):
            missing, (a,) = self._known(option)
            text = f"({text} if {missing} else {a})"
        return text

    def _compare(self, node: c.Compare) -> str:
        missing, (a, b) = self._known(node.left, node.right)
        return f"(None if {missing} else {a} {COMPARISONS[node.op].python} {b})"

    def _between(self, node: c.Between) -> str:
        # As SQL has it: x >= low AND x <= high, so that one false half is enough when the other is missing.
        low, high = c.Compare(">=", node.of, node.low), c.Compare("<=", node.of, node.high)
        inside = self._and(c.And((low, high)))
        return self._inverted(inside) if node.negated else inside

    def _member(self, node: c.Member) -> str:
        missing, (a,) = self._known(node.of)
        literals = ", ".join(self.write(x) for x in node.literals)
        return f"(None if {missing} else {a} {'not in' if node.negated else 'in'} {{{literals}}})"

    def _listed(self, node: c.Listed) -> str:
        self.lists.add(node.list_name)
        missing, (a,) = self._known(node.of)
        return f"(None if {missing} else holds[{node.list_name!r}]({a}, at))"

    def _ismissing(self, node: c.IsMissing) -> str:
        missing, _ = self._known(node.of)
        return f"(not ({missing}))" if node.negated else f"({missing})"

    def _inverted(self, text: str) -> str:
        held, name = self._held(text)
        return f"(None if {held} is None else not {name})"

    def _not(self, node: c.Not) -> str:
        return self._inverted(self.write(node.of))

    def _and(self, node: c.And) -> str:
        return self._joined(node.of, "False", "True")

    def _or(self, node: c.Or) -> str:
        return self._joined(node.of, "True", "False")

    def _joined(self, nodes: tuple[c.Node, ...], decisive: str, other: str) -> str:
        """The decisive value if any part has it, else missing if any part is missing, else the other value."""
        parts = [self._held(self.write(node)) for node in nodes]
        tests = " or ".join(f"{held} is {decisive}" for held, _ in parts)
        missing = " or ".join(f"{name} is None" for _, name in parts)
        return f"({decisive} if {tests} else None if {missing} else {other})"
