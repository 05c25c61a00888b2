"""Is this one line of text a condition of the closed grammar, and what does it say?

The text is capped and cut into the grammar's own words before sqlglot parses it; every node of the tree must be on
the white list; and the tree written out again must have the same words, so that nothing sqlglot reads differently
from a person (shifts, aliases, comments, statements) gets through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from data.errors import did_you_mean
from engine.rules import conditions as c
from engine.rules.operators import ARITHMETIC, COMPARISON_OF

LONGEST = 500
DEEPEST = 8
LONGEST_CHAIN = 40
"""Sums of sums, or NOTs of NOTs: what hangs together deeper than this, no compiler has to take."""
MOST_LITERALS = 100
ALLOWED = (
    "comparisons, AND, OR, NOT, BETWEEN, IN (...), IS [NOT] NULL, + - * /, ABS(x), COALESCE(x, y), "
    "IN_LIST(feature, 'list'), decimal numbers and 'text'"
)
_WORD = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)(?![A-Za-z0-9_.])|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>'(?:[^'\n]|'')*')|(?P<sign><>|!=|<=|>=|[-+*/=<>(),]))"
)
_KEYWORDS = frozenset(("AND", "OR", "NOT", "BETWEEN", "IN", "IS", "NULL", "ABS", "COALESCE", "IN_LIST"))
_PLAIN_NUMBER = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?\Z")
_KINDS = {"integer": c.NUMERIC, "number": c.NUMERIC, "flag": c.TRUTH, "category": c.TEXT}


class GrammarError(ValueError):
    """The text is not a condition; the message is a sentence, `hint` the next step."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


def parse_condition(text: str, kinds: Mapping[str, str], lists: Collection[str] = ()) -> c.Node:
    """Parse one condition. `kinds` maps feature names to integer, number, flag or category; `lists` names the
    lists. Raises GrammarError."""
    words = _words(text)
    try:
        tree = _tree(text)
    except (SqlglotError, RecursionError) as problem:
        raise GrammarError(f"'{_short(text)}' cannot be read as a condition") from problem
    try:
        node = _Reader(kinds, lists).read(tree)
    except RecursionError as problem:
        raise GrammarError("the condition is nested too deeply", "Split it into several lines.") from problem
    if _depth(node) > LONGEST_CHAIN:
        what = f"more than {LONGEST_CHAIN} calculations hang together"
        raise GrammarError(what, "Declare a derived feature for a part of it.")
    if c.kind_of(node) != c.TRUTH:
        raise GrammarError(f"'{_short(text)}' is a value, not a condition", "Compare it with something.")
    if not c.names(node):
        raise GrammarError(f"'{_short(text)}' reads no feature, so it is always the same")
    if _words(c.written(node)) != words:
        hint = f"Did you mean: {_short(c.written(node))}"
        raise GrammarError(f"'{_short(text)}' can be read in more than one way", hint)
    return node


@lru_cache(maxsize=2048)
def _tree(text: str) -> exp.Expression:
    # Kept: every preview and proposal reads the same rules again. A tree is only read, so all may share it.
    return sqlglot.parse_one(text, dialect="duckdb")


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _depth(node: c.Node) -> int:
    deepest, level = 0, [node]
    while level:
        deepest, level = deepest + 1, [part for each in level for part in each.parts]
    return deepest


def _words(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise GrammarError(
            f"the condition is longer than {LONGEST} characters", "Split it into several lines."
        )
    words, place, depth, end = [], 0, 0, len(text.rstrip())
    while place < end:
        match = _WORD.match(text, place)
        if match is None:
            odd = text[place:].lstrip()[:1]
            raise GrammarError(f"'{odd}' at character {place + 1} of '{_short(text)}' is not in the grammar")
        word, place = match[0].strip(), match.end()
        depth += (word == "(") - (word == ")")
        if depth > DEEPEST:
            raise GrammarError(f"more than {DEEPEST} parentheses are open at once", "Split the condition.")
        upper = word.upper()
        words.append("<>" if word == "!=" else upper if match["name"] and upper in _KEYWORDS else word)
    if not words:
        raise GrammarError("the condition is empty")
    return words


class _Reader:
    """Turns a sqlglot tree into conditions; a node type that is not listed here is refused."""

    def __init__(self, kinds: Mapping[str, str], lists: Collection[str]) -> None:
        self.kinds, self.lists = kinds, lists
        self.readers: dict[type, Callable[[Any], c.Node]] = {
            exp.Column: self._name,
            exp.Literal: self._literal,
            exp.Neg: lambda n: c.Negative(self._number(n.this)),
            exp.Abs: lambda n: c.Absolute(self._number(n.this)),
            exp.Coalesce: self._coalesce,
            exp.Between: lambda n: self._between(n, negated=False),
            exp.In: lambda n: self._member(n, negated=False),
            exp.Is: lambda n: self._is_null(n, negated=False),
            exp.Not: self._not,
            exp.And: lambda n: c.And(self._chain(n, exp.And)),
            exp.Or: lambda n: c.Or(self._chain(n, exp.Or)),
            exp.Paren: lambda n: c.Group(self.read(n.this)),
            exp.Anonymous: self._list_member,
            **dict.fromkeys(COMPARISON_OF, self._compare),
            **dict.fromkeys(ARITHMETIC, self._arithmetic),
        }

    def read(self, tree: Any) -> c.Node:
        reader = self.readers.get(type(tree))
        if reader is None:
            raise GrammarError(f"'{type(tree).__name__}' is not in the grammar")
        return reader(tree)

    def _name(self, tree: Any) -> c.Name:
        name = tree.this.name
        if tree.args.get("table") or tree.this.args.get("quoted"):
            raise GrammarError(f"'{name}' must be a bare feature name", "No quotes, no dots.")
        if name not in self.kinds:
            hint = did_you_mean(name, self.kinds) or "Features are declared in features.yaml."
            raise GrammarError(f"there is no feature '{_short(name)}'", hint)
        return c.Name(name, _KINDS[self.kinds[name]])

    def _literal(self, tree: Any) -> c.Node:
        if tree.is_string:
            return c.Text(tree.this)
        if not _PLAIN_NUMBER.match(tree.this):
            hint = "Write up to 15 digits, and up to 9 after the point."
            raise GrammarError(f"'{_short(tree.this)}' is not a plain decimal number", hint)
        return c.Number(tree.this)

    def _of_kind(self, tree: Any, kind: str) -> c.Node:
        node = self.read(tree)
        if c.kind_of(node) != kind:
            raise GrammarError(
                f"'{_short(c.written(node))}' is a {c.kind_of(node)}, where a {kind} is needed"
            )
        return node

    def _number(self, tree: Any) -> c.Node:
        return self._of_kind(tree, c.NUMERIC)

    def _chain(self, tree: Any, kind: Any) -> tuple[c.Node, ...]:
        """A AND B AND C as one node of three; parentheses stay nodes of their own."""
        parts = []
        while isinstance(tree, kind):
            parts.append(self._of_kind(tree.expression, c.TRUTH))
            tree = tree.this
        return (self._of_kind(tree, c.TRUTH), *reversed(parts))

    def _not(self, tree: Any) -> c.Node:
        inner = tree.this
        if type(inner) is exp.Between:
            return self._between(inner, negated=True)
        if type(inner) is exp.In:
            return self._member(inner, negated=True)
        if type(inner) is exp.Is:
            return self._is_null(inner, negated=True)
        return c.Not(self._of_kind(inner, c.TRUTH))

    def _compare(self, tree: Any) -> c.Node:
        op, left, right = COMPARISON_OF[type(tree)], self.read(tree.this), self.read(tree.expression)
        if c.kind_of(left) != c.kind_of(right):
            one, other = (f"'{_short(c.written(side))}'" for side in (left, right))
            what = f"{one} is a {c.kind_of(left)}, {other} a {c.kind_of(right)}; they cannot be compared"
            raise GrammarError(what)
        if c.kind_of(left) == c.TRUTH:
            raise GrammarError("a flag is not compared", "Write `flag` or `NOT flag`.")
        if c.kind_of(left) == c.TEXT and op not in ("=", "<>"):
            raise GrammarError(f"text has no order, so '{op}' means nothing for it", "Use =, <> or IN.")
        return c.Compare(op, left, right)

    def _arithmetic(self, tree: Any) -> c.Node:
        return c.Arithmetic(ARITHMETIC[type(tree)], self._number(tree.this), self._number(tree.expression))

    def _coalesce(self, tree: Any) -> c.Node:
        options = tuple(self.read(part) for part in (tree.this, *tree.expressions))
        kinds = {c.kind_of(option) for option in options}
        if len(kinds) != 1 or kinds == {c.TRUTH} or len(options) < 2:
            raise GrammarError("COALESCE takes two or more numbers, or two or more texts")
        return c.Coalesce(options, kinds.pop())

    def _between(self, tree: Any, *, negated: bool) -> c.Node:
        if tree.args.get("symmetric"):
            raise GrammarError("BETWEEN SYMMETRIC is not in the grammar")
        low, high = self._number(tree.args["low"]), self._number(tree.args["high"])
        return c.Between(self._number(tree.this), low, high, negated)

    def _member(self, tree: Any, *, negated: bool) -> c.Node:
        others = [key for key, value in tree.args.items() if value and key not in ("this", "expressions")]
        literals = tuple(self.read(part) for part in tree.expressions)
        if others or not literals or not all(isinstance(x, c.Number | c.Text) for x in literals):
            hint = "For a list of lists.yaml write IN_LIST(feature, 'name')."
            raise GrammarError("IN takes a list of numbers or texts in parentheses", hint)
        if len(literals) > MOST_LITERALS:
            raise GrammarError(f"IN takes at most {MOST_LITERALS} values", "Put them on a list.")
        of = self.read(tree.this)
        if {c.kind_of(x) for x in literals} != {c.kind_of(of)}:
            raise GrammarError(f"the values after IN must be of the kind of '{_short(c.written(of))}'")
        return c.Member(of, literals, negated)

    def _is_null(self, tree: Any, *, negated: bool) -> c.Node:
        if type(tree.expression) is not exp.Null:
            raise GrammarError("IS is only followed by NULL or NOT NULL")
        of = self.read(tree.this)
        if c.kind_of(of) == c.TRUTH and not isinstance(of, c.Name):
            raise GrammarError("IS NULL asks about a value, not about a condition")
        return c.IsMissing(of, negated)

    def _list_member(self, tree: Any) -> c.Node:
        if str(tree.this).upper() != "IN_LIST":
            raise GrammarError(f"there is no function '{_short(str(tree.this))}'")
        if len(tree.expressions) != 2:
            raise GrammarError("IN_LIST takes a feature and the name of a list in quotes")
        of, name = (self.read(part) for part in tree.expressions)
        if not isinstance(of, c.Name) or of.kind != c.TEXT or not isinstance(name, c.Text):
            raise GrammarError("IN_LIST takes a text feature and the name of a list in quotes")
        if name.value not in self.lists:
            raise GrammarError(
                f"there is no list '{_short(name.value)}'", did_you_mean(name.value, self.lists)
            )
        return c.Listed(of, name.value)
