"""What does a window hold where rows came so late that joining them one by one would never end?

A row that happened no earlier than all before it is in order: whoever happened after it came after it, too, so that
windows over such rows are right as they stand. The others are put into blocks of 1, 2, 4, ... in the order in which
they came. All that came before a row are a few whole blocks, one for each binary digit of their number, and over a
whole block a window is right again. So the work for n rows grows as n log n, however late they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.features.feature_set import FeatureSet
from engine.features.raw_sql import Raw, remembered

_UNTIL = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
_FROM = "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
_COMBINED = {"sum": "SUM", "max": "MAX", "min": "MIN"}


@dataclass(frozen=True)
class Rewound:
    """The parts of the statement for one entity (as LateRows has them): all that serves its values to which a row came
    later than `feature_set.lateness_us`. No number of rows takes more than `bits`. Reads `base` (with `newest`)."""

    feature_set: FeatureSet
    group: int
    keys: tuple[str, ...]
    raws: tuple[Raw, ...]
    first_seq: int
    bits: int

    def ctes(self) -> dict[str, str]:
        """`upset_`: the entity's values of which one row was very late; `rewind_`: their rows, with `late`, how far
        they `reach` back and how many late ones came `before`; `rewound_`: the aggregates of those asked for."""
        g = self.group
        found = {f"upset_{g}": self._upset(), f"rewind_{g}": self._rewind(), f"calm_{g}": self._calm()}
        if self._merged:
            found[f"blocks_{g}"] = self._blocks()
        for column, place in self._counted.items():
            found[f"beside_{g}_{place}"] = self._beside(column)
            found[f"nearest_{g}_{place}"] = self._nearest(column, place)
        found |= {self._news(raw): self._new_values(raw) for raw in self._distinct}
        return found | {f"rewound_{g}": self._whole()}

    @property
    def _merged(self) -> list[Raw]:
        return [raw for raw in self.raws if raw.function != "count"]

    @property
    def _distinct(self) -> list[Raw]:
        return [raw for raw in self.raws if raw.function == "count"]

    @property
    def _counted(self) -> dict[str, int]:
        columns = dict.fromkeys(raw.argument for raw in self._distinct)
        return {column: place for place, column in enumerate(columns)}

    def _own(self, *more: str) -> str:
        return ", ".join(dict.fromkeys((*self.keys, *more)))

    def _upset(self) -> str:
        fs = self.feature_set
        present = " AND ".join(f"{key} IS NOT NULL" for key in self.keys)
        return f"""
            SELECT DISTINCT {self._own()} FROM base
            WHERE t < newest - {fs.lateness_us} AND {remembered(fs)} AND {present}"""

    def _rewind(self) -> str:
        memory = self.feature_set.memory_us
        listed = ", ".join(f"b.{name}" for name in dict.fromkeys((*self.keys, *self._arguments)))
        same = " AND ".join(f"b.{key} = u.{key}" for key in self.keys)
        return f"""
            SELECT *, COUNT(CASE WHEN late THEN 1 END) OVER (
                PARTITION BY {self._own()} ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM (
                SELECT b.seq, b.t, {listed}, COALESCE(b.t < b.newest, FALSE) AS late,
                    GREATEST(LEAST(b.t - b.newest + {memory}, {memory}), 0) AS reach
                FROM base b JOIN upset_{self.group} u ON {same} WHERE {remembered(self.feature_set, "b.")})"""

    @property
    def _arguments(self) -> list[str]:
        return [name for name in dict.fromkeys(raw.argument for raw in self.raws) if name != "t"]

    def _calm(self) -> str:
        """What windows hold of the rows in order."""
        columns = [f"{_call(raw, 'late')} OVER w_{raw.window_us} AS {raw.column}" for raw in self.raws]
        return f"SELECT seq, {', '.join(columns)} FROM rewind_{self.group} {self._windows(self.raws, self._own())}"

    def _blocks(self) -> str:
        """What windows hold of the late rows, block by block."""
        steps = self._steps(f"rewind_{self.group}", self._own("t", "reach", *self._arguments))
        inner = [f"{_call(raw, 'asks')} OVER w_{raw.window_us} AS {raw.column}" for raw in self._merged]
        outer = [f"{_COMBINED[raw.function]}({raw.column}) AS {raw.column}" for raw in self._merged]
        windows = self._windows(self._merged, self._own("k", "block"))
        return f"""
            SELECT seq, {", ".join(outer)} FROM (
                SELECT seq, asks, {", ".join(inner)} FROM ({steps}) {windows})
            WHERE asks GROUP BY seq"""

    def _windows(self, raws: Sequence[Raw], partition: str) -> str:
        named = {
            f"w_{raw.window_us} AS (PARTITION BY {partition} ORDER BY t"
            f" RANGE BETWEEN LEAST({raw.window_us}, reach) PRECEDING AND 1 PRECEDING)": None
            for raw in raws
        }
        return f"WINDOW {', '.join(named)}"

    def _steps(self, rows: str, columns: str, asking: str = "", asked: str = "") -> str:
        """The late ones of `rows`, each in every block of its own that is the first of two, and those that ask (of
        `asking`, or the asked ones of `rows`) beside each whole block of what came before them."""
        asking, asked = asking or rows, asked or f"seq >= {self.first_seq}"
        series = f"UNNEST(GENERATE_SERIES(0, {self.bits})) AS k"
        most = f"(1 << k) <= (SELECT MAX(before) FROM rewind_{self.group})"
        return f"""
            SELECT seq, FALSE AS asks, {columns}, k, before >> k AS block
            FROM (SELECT *, {series} FROM {rows} WHERE late) WHERE {most} AND ((before >> k) & 1) = 0
            UNION ALL
            SELECT seq, TRUE AS asks, {columns}, k, (before >> k) - 1 AS block
            FROM (SELECT *, {series} FROM {asking} WHERE {asked}) WHERE ((before >> k) & 1) = 1"""

    def _beside(self, column: str) -> str:
        """Late rows with a value, and when the nearest rows in order with that value were (the same moment counts)."""
        own = self._own(column)
        ordered = "CASE WHEN late THEN NULL ELSE t END"
        return f"""
            SELECT * FROM (
                SELECT seq, t, late, before, {own}, MAX({ordered}) OVER (same {_UNTIL}) AS left_t,
                    MIN({ordered}) OVER (same {_FROM}) AS right_t
                FROM rewind_{self.group} WHERE {column} IS NOT NULL
                WINDOW same AS (PARTITION BY {own} ORDER BY t))
            WHERE late"""

    def _nearest(self, column: str, place: int) -> str:
        """The same rows, and when the nearest row with the same value was that each of them could know of or that is in
        order: between the two it is the first to have come of all that have this value."""
        name, own = f"beside_{self.group}_{place}", self._own(column)
        steps = self._steps(name, self._own("t", column), asked="TRUE")
        others = "CASE WHEN asks THEN NULL ELSE t END"
        return f"""
            SELECT b.* REPLACE (GREATEST(left_t, earlier) AS left_t, LEAST(right_t, later) AS right_t)
            FROM {name} b LEFT JOIN (
                SELECT seq, MAX(earlier) AS earlier, MIN(later) AS later FROM (
                    SELECT seq, asks, MAX({others}) OVER (same {_UNTIL}) AS earlier,
                        MIN({others}) OVER (same {_FROM}) AS later
                    FROM ({steps}) WINDOW same AS (PARTITION BY {own}, k, block ORDER BY t))
                WHERE asks GROUP BY seq) n ON n.seq = b.seq"""

    def _news(self, raw: Raw) -> str:
        return f"news_{self.group}_{self._counted[raw.argument]}_{raw.window_us}"

    def _new_values(self, raw: Raw) -> str:
        """How many values a window has of late rows alone. Each counts by that row with it in the window which came
        first: for who happens after that row, while the window holds it and neither of its nearest."""
        nearest, w = f"nearest_{self.group}_{self._counted[raw.argument]}", raw.window_us
        spans = f"""
            SELECT *, GREATEST(t, left_t + {w}) AS low, LEAST(t + {w}, right_t) AS high FROM {nearest}"""
        ends = " UNION ALL ".join(
            f"SELECT seq, {self._own('before')}, TRUE AS late, {end} AS moment, {way} AS way"
            f" FROM ({spans}) WHERE low < high"
            for end, way in (("low", 1), ("high", -1))
        )
        asking = f"""(
            SELECT seq, {self._own("before")}, t AS moment, 0 AS way FROM rewind_{self.group}
            WHERE seq >= {self.first_seq})"""
        steps = self._steps(f"({ends})", self._own("moment", "way"), asking, "TRUE")
        return f"""
            SELECT seq, SUM(news) AS news FROM (
                SELECT seq, asks, SUM(way) OVER (PARTITION BY {self._own("k", "block")} ORDER BY moment
                    RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS news FROM ({steps}))
            WHERE asks GROUP BY seq"""

    def _whole(self) -> str:
        g = self.group
        joins = [f"LEFT JOIN blocks_{g} ON blocks_{g}.seq = c.seq"] if self._merged else []
        joins += [f"LEFT JOIN {name} ON {name}.seq = c.seq" for name in map(self._news, self._distinct)]
        columns = [f"{self._together(raw)} AS {raw.column}" for raw in self.raws]
        return f"SELECT c.seq, {', '.join(columns)} FROM calm_{g} c {' '.join(joins)} WHERE c.seq >= {self.first_seq}"

    def _together(self, raw: Raw) -> str:
        calm, late = f"c.{raw.column}", f"blocks_{self.group}.{raw.column}"
        match raw.function:
            case "count":
                return f"COALESCE({calm}, 0) + COALESCE({self._news(raw)}.news, 0)"
            case "sum":
                return f"COALESCE({calm}, 0) + COALESCE({late}, 0)"
            case "max":
                return f"GREATEST({calm}, {late})"
            case _:
                return f"LEAST({calm}, {late})"


def _call(raw: Raw, unless: str) -> str:
    """The aggregate over those rows of which `unless` does not hold."""
    distinct = "DISTINCT " if raw.function == "count" else ""
    return f"{raw.function}({distinct}CASE WHEN {unless} THEN NULL ELSE {raw.argument} END)"
