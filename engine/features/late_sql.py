"""Which rows does a window hold that arrived only later, and what stands in their place?

A window over time is right for a row up to the first one in it that arrived after the row, `since`. There it ends, and
what the row could see from then on is joined row by row: over a stretch as long as rows are late, not as wide as the
window, so that rows out of order by moments cost little however long an entity's history is.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.features.raw_sql import Raw

_LADDER = tuple(2**bits for bits in range(15, 46, 5))
"""Lengths of the buckets in which rows meet, 33 ms to 407 days: each stretch takes the next longer one."""
_NEVER = -(2**62)


@dataclass(frozen=True)
class LateRows:
    """The parts of the statement for one entity: its number in the feature set, the columns `keys` that hold it, the
    aggregates asked of it and the `width` of the widest window. Reads those `rows` that anybody sees (with
    `newest`) and `asked`. Values that are `upset` by very late rows are left out: rewind_sql.py serves them."""

    group: int
    keys: tuple[str, ...]
    raws: tuple[Raw, ...]
    width: int
    rows: str = "base"
    upset: bool = False

    def ctes(self) -> dict[str, str]:
        """`near_`: asked rows that one of their windows arrived after, with `since`; `recent_` and `fresh_`: what to
        add to their windows, which end there."""
        found = {f"later_{self.group}": self._later(), f"near_{self.group}": self._near()}
        if self._merged:
            found[f"recent_{self.group}"] = self._recent()
        return found | {name: self._fresh(column) for column, name in self._counted.items()}

    @property
    def added(self) -> tuple[str, ...]:
        """The names of those to add, which have a row at most for each row."""
        return (*((f"recent_{self.group}",) if self._merged else ()), *self._counted.values())

    @property
    def gap(self) -> str:
        """How long before a row its windows end, for a statement joined with `near_`."""
        near = f"near_{self.group}"
        return f"COALESCE({near}.t - {near}.since, 0) + 1"

    def whole(self, raw: Raw, windowed: str) -> str:
        """The aggregate of a window together with what is added to it."""
        if raw.function == "count":
            return f"COALESCE({windowed}, 0) + COALESCE({self._counted[raw.argument]}.{raw.column}, 0)"
        added = f"recent_{self.group}.{raw.column}"
        if raw.function == "sum":
            return f"COALESCE({windowed}, 0) + COALESCE({added}, 0)"
        return f"{'GREATEST' if raw.function == 'max' else 'LEAST'}({windowed}, {added})"

    @property
    def _merged(self) -> list[Raw]:
        return [raw for raw in self.raws if raw.function != "count"]

    @property
    def _counted(self) -> dict[str, str]:
        """The columns whose different values are counted, and the name of what adds to each."""
        columns = dict.fromkeys(raw.argument for raw in self.raws if raw.function == "count")
        return {column: f"fresh_{self.group}_{place}" for place, column in enumerate(columns)}

    @property
    def _calm(self) -> str:
        if not self.upset:
            return ""
        same = " AND ".join(f"u.{key} = b.{key}" for key in self.keys)
        return f"AND NOT EXISTS (SELECT 1 FROM upset_{self.group} u WHERE {same})"

    def _own(self, of: str = "") -> str:
        return ", ".join(of + key for key in self.keys)

    def _span(self, reach: str) -> str:
        steps = [f"WHEN {reach} <= {step} THEN {step}" for step in _LADDER if step < self.width]
        return f"CASE {' '.join(steps)} ELSE {self.width} END" if steps else str(self.width)

    def _later(self) -> str:
        """Rows that arrived after later ones, and how far behind the newest of those: nobody they belong before who
        was there already happened after that."""
        return f"""
            SELECT *, {self._span("reach")} AS span FROM (
                SELECT seq, t, {self._own()}, LEAST(newest - t, {self.width}) AS reach
                FROM {self.rows} b WHERE t < newest {self._calm})"""

    def _near(self) -> str:
        later = f"later_{self.group}"
        return f"""
            SELECT *, {self._span("t - since")} AS span FROM (
                SELECT x.seq, x.t, {self._own("x.")}, MIN(y.t) AS since
                FROM (SELECT seq, t, {self._own()}, {_spans_of(later)} AS span FROM asked) x
                JOIN (SELECT *, UNNEST(GENERATE_SERIES(t // span, (t + reach) // span)) AS bucket FROM {later}) y
                ON {self._same} AND x.span = y.span AND x.t // x.span = y.bucket
                WHERE y.seq > x.seq AND y.t < x.t AND y.t >= x.t - {self.width}
                GROUP BY x.seq, x.t, {self._own("x.")})"""

    @property
    def _same(self) -> str:
        return " AND ".join(f"x.{key} = y.{key}" for key in self.keys)

    def _pairs(self, rows: str) -> str:
        """Each near row x with all `rows` y of its entity since then."""
        near = f"near_{self.group}"
        return f"""
            FROM (SELECT *, UNNEST(GENERATE_SERIES(since // span, t // span)) AS bucket FROM {near}) x
            JOIN (SELECT *, {_spans_of(near)} AS span FROM {rows}) y
            ON {self._same} AND x.span = y.span AND x.bucket = y.t // y.span
            WHERE y.t >= x.since AND y.t < x.t"""

    def _recent(self) -> str:
        columns = [
            f"{raw.call('y.')} FILTER (WHERE y.t >= x.t - {raw.window_us}) AS {raw.column}"
            for raw in self._merged
        ]
        return f"SELECT x.seq, {', '.join(columns)} {self._pairs(self.rows)} AND y.seq < x.seq GROUP BY x.seq"

    def _fresh(self, column: str) -> str:
        """How many values occur since then that did not in the part of the window before: the row with such a value
        that happened first since then knows when it occurred before."""
        listed = ", ".join(dict.fromkeys((*self.keys, column)))
        rows = f"""(
            SELECT seq, t, {listed}, LAG(t) OVER (PARTITION BY {listed} ORDER BY t) AS before
            FROM {self.rows} WHERE {column} IS NOT NULL)"""
        counts = [
            f"COUNT(*) FILTER (WHERE last >= t - {raw.window_us} AND before < t - {raw.window_us}) AS {raw.column}"
            for raw in self.raws
            if raw.argument == column and raw.function == "count"
        ]
        return f"""
            SELECT seq, {", ".join(counts)} FROM (
                SELECT x.seq, x.t, MAX(y.t) FILTER (WHERE y.seq < x.seq) AS last,
                    MIN(COALESCE(y.before, {_NEVER})) AS before {self._pairs(rows)} GROUP BY x.seq, x.t, y.{column})
            GROUP BY seq"""


def _spans_of(rows: str) -> str:
    """A row for each length of buckets that is in use there. Joined with a table of them instead, DuckDB looks at the
    buckets only after it has joined whole histories."""
    return f"UNNEST((SELECT LIST(DISTINCT span) FROM {rows}))"
