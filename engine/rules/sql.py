"""How is a condition answered for millions of rows, exactly as Python answers it for one?

DuckDB's own habits are written around: numbers are cast to DOUBLE before anything else, a calculation that is not
finite is missing (1/0 is inf there, and NaN is greater than everything), division by zero is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlglot import exp

from engine.rules import conditions as c
from engine.rules.lists import Entry, Lists

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def condition_sql(node: c.Node, lists: Lists, at: str) -> str:
    """A boolean SQL expression over a feature table's columns.

    `at` is SQL for the moment of the row in microseconds since 1970.
    """
    return _Writer(lists, at).write(node)


def identifier(name: str) -> str:
    """A quoted column name."""
    return exp.to_identifier(name, quoted=True).sql("duckdb")


def literal(text: str) -> str:
    """A quoted text."""
    return exp.Literal.string(text).sql("duckdb")


def microseconds(moment: datetime) -> str:
    """A moment as microseconds since 1970 UTC, which compare alike whatever zone a connection is set to."""
    return str((moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1))


def microseconds_of(column: str) -> str:
    """The same for a column of times in UTC, with or without zone."""
    return f"epoch_us({identifier(column)})"


class _Writer:
    def __init__(self, lists: Lists, at: str) -> None:
        self.lists, self.at = lists, at

    def write(self, node: c.Node) -> str:
        return str(getattr(self, "_" + type(node).__name__.lower())(node))

    def _finite(self, text: str) -> str:
        for odd in ("inf", "-inf", "nan"):
            text = f"NULLIF({text}, '{odd}'::DOUBLE)"
        return text

    def _name(self, node: c.Name) -> str:
        column = identifier(node.name)
        return self._finite(f"{column}::DOUBLE") if node.kind == c.NUMERIC else column

    def _number(self, node: c.Number) -> str:
        # From text, because a decimal literal would first become a DECIMAL.
        return f"'{node.text}'::DOUBLE"

    def _text(self, node: c.Text) -> str:
        return literal(node.value)

    def _group(self, node: c.Group) -> str:
        return f"({self.write(node.of)})"

    def _arithmetic(self, node: c.Arithmetic) -> str:
        left, right = self.write(node.left), self.write(node.right)
        if node.op == "/":
            right = f"NULLIF({right}, 0::DOUBLE)"
        return self._finite(f"({left} {node.op} {right})")

    def _negative(self, node: c.Negative) -> str:
        return f"(- ({self.write(node.of)}))"

    def _absolute(self, node: c.Absolute) -> str:
        return f"abs({self.write(node.of)})"

    def _coalesce(self, node: c.Coalesce) -> str:
        return f"coalesce({', '.join(self.write(option) for option in node.options)})"

    def _compare(self, node: c.Compare) -> str:
        return f"({self.write(node.left)} {node.op} {self.write(node.right)})"

    def _between(self, node: c.Between) -> str:
        text = f"({self.write(node.of)} BETWEEN {self.write(node.low)} AND {self.write(node.high)})"
        return f"(NOT {text})" if node.negated else text

    def _member(self, node: c.Member) -> str:
        literals = ", ".join(self.write(x) for x in node.literals)
        return f"({self.write(node.of)} {'NOT IN' if node.negated else 'IN'} ({literals}))"

    def _listed(self, node: c.Listed) -> str:
        column, values = self.write(node.of), self.lists[node.list_name]
        parts = [f"{column} IN ({', '.join(map(literal, sorted(values.always)))})"] if values.always else []
        parts += [self._dated(column, entry) for entry in values.entries if entry.added or entry.expires]
        return f"CASE WHEN {column} IS NOT NULL THEN {' OR '.join(parts) or 'FALSE'} END"

    def _dated(self, column: str, entry: Entry) -> str:
        parts = [f"{column} = {literal(entry.value)}"]
        if entry.added:
            parts.append(f"{self.at} >= {microseconds(entry.added)}")
        if entry.expires:
            parts.append(f"{self.at} < {microseconds(entry.expires)}")
        return f"({' AND '.join(parts)})"

    def _ismissing(self, node: c.IsMissing) -> str:
        return f"(({self.write(node.of)}) IS {'NOT ' if node.negated else ''}NULL)"

    def _not(self, node: c.Not) -> str:
        return f"(NOT ({self.write(node.of)}))"

    def _and(self, node: c.And) -> str:
        return "(" + " AND ".join(self.write(part) for part in node.of) + ")"

    def _or(self, node: c.Or) -> str:
        return "(" + " OR ".join(self.write(part) for part in node.of) + ")"
