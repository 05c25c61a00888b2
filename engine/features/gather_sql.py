"""How are the raw aggregates of every asked transaction gathered: by windows, by a join, or both?

Windows are right for a row if all rows of its entity that arrived later also happened later; for the others
late_sql.py shortens and completes them, and rewind_sql.py serves all rows of an entity value that one came to very
late. A join that spells the meaning out (`fix_`) serves a handful of asked rows alone, and rows so late that memory
ends within a window whose different values are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.features.facts import Facts
from engine.features.feature_set import FeatureSet, widest
from engine.features.label_sql import LabelCount, label_groups, learned, shares
from engine.features.late_sql import LateRows
from engine.features.raw_sql import MARK_BITS, MARK_MASK, Raw, held, raws, remembered
from engine.features.rewind_sql import Rewound


@dataclass(frozen=True)
class Gathering:
    """The parts of the statement between the base rows and the features; every CTE is named with its entity's
    number in the feature set."""

    feature_set: FeatureSet
    facts: Facts

    @property
    def few(self) -> bool:
        return self.facts.few

    def raws(self, group: int) -> list[Raw]:
        return raws(self.feature_set, group)

    @property
    def groups(self) -> range:
        return range(len(self.feature_set.entities))

    def _keys(self, group: int) -> list[str]:
        return [held(name) for name in self.feature_set.entities[group]]

    def _same(self, group: int) -> str:
        return " AND ".join(f"x.{key} = y.{key}" for key in self._keys(group))

    def ctes(self) -> dict[str, str]:
        """From `base` (and `labels`, `marked`) to `gathered`: asked rows with raw, k_, f_ and l_ columns."""
        found = {"asked": f"SELECT * FROM base WHERE seq >= {self.facts.first_seq}"}
        if self.facts.very_late:
            found |= self._very_late()
        for rewound in self._rewound().values():
            found |= rewound.ctes()
        for late in self._late().values():
            found |= late.ctes()
        if not self.few:
            found["windowed"] = self._windows()
        for group in self.groups:
            found |= self._fixes(group)
        for group in label_groups(self.feature_set):
            found |= self._label_counts(group)
        found["gathered"] = self._joined()
        return found

    def _windows(self) -> str:
        delay = self.feature_set.label_delay_us
        columns, windows = [], {}
        for group in self.groups:
            for raw in self.raws(group):
                name = f"window_{group}_{raw.window_us}"
                gap = f"gap_{group}" if self.facts.late else "1"
                windows[name] = self._window(group, str(raw.window_us), gap)
                columns.append(f"{raw.call()} OVER {name} AS {raw.column}")
            for width in shares(self.feature_set, group):
                name = f"label_window_{group}_{width}"
                windows[name] = self._window(group, self._start(delay + width), str(delay + 1))
                columns.append(f"SUM(mark) OVER {name} AS y_{group}_{width}")
        source = "marked" if label_groups(self.feature_set) else "base"
        if self.facts.very_late:
            source = f"(SELECT * FROM {source} WHERE {remembered(self.feature_set)})"
        if not columns:
            return f"SELECT * FROM {source}"
        if late := self._late():
            gaps = ", ".join(f"{each.gap} AS gap_{group}" for group, each in late.items())
            joins = " ".join(f"LEFT JOIN near_{group} ON near_{group}.seq = s.seq" for group in late)
            source = f"(SELECT s.*, {gaps} FROM {source} s {joins})"
        named = ", ".join(f"{name} AS ({window})" for name, window in windows.items())
        return f"SELECT *, {', '.join(columns)} FROM {source} WINDOW {named}"

    def _very_late(self) -> dict[str, str]:
        """Rows that somebody sees, and those that came very late but see somebody."""
        fs = self.feature_set
        span = f"t < newest - {fs.lateness_us} AND t > newest - {fs.memory_us}"
        return {
            "kept": f"SELECT * FROM base WHERE {remembered(fs)}",
            "very_late": f"SELECT * FROM asked WHERE {span}",
        }

    def _rewound(self) -> dict[int, Rewound]:
        """By entity, what stands in for windows where a row came very late."""
        if self.few or not self.facts.upset:
            return {}
        fs, first, bits = self.feature_set, self.facts.first_seq, self.facts.row_bits
        return {
            group: Rewound(fs, group, tuple(self._keys(group)), tuple(raws), first, bits)
            for group in self.groups
            if (raws := self.raws(group))
        }

    def _late(self) -> dict[int, LateRows]:
        """By entity, what its late rows make different."""
        if self.few or not self.facts.late:
            return {}
        kept, upset = "kept" if self.facts.very_late else "base", bool(self.facts.upset)
        return {
            group: LateRows(group, tuple(self._keys(group)), tuple(raws), self._width(group), kept, upset)
            for group in self.groups
            if (raws := self.raws(group))
        }

    def _start(self, width: int) -> str:
        """How far back a window reaches, which is not beyond memory."""
        if not self.facts.very_late:
            return str(width)
        return f"LEAST({width}, t - newest + {self.feature_set.memory_us})"

    def _window(self, group: int, start: str, end: str) -> str:
        keys = ", ".join(self._keys(group))
        return f"PARTITION BY {keys} ORDER BY t RANGE BETWEEN {start} PRECEDING AND {end} PRECEDING"

    def _fixes(self, group: int) -> dict[str, str]:
        if not self.raws(group) or not (self.few or self._cut(group)):
            return {}
        return {f"fix_{group}": self._fix(group)}

    def _cut(self, group: int) -> str:
        """Of which rows memory may end within a window whose different values are counted: what they see of late rows
        follows from no other row. All that memory does not reach see nothing."""
        counted = [raw.window_us for raw in self.raws(group) if raw.function == "count"]
        if not self.facts.upset or not counted:
            return ""
        return f"a.t < a.newest - {self.feature_set.memory_us - max(counted)}"

    def _width(self, group: int) -> int:
        return widest(f for f in self.feature_set.of_entity(self.feature_set.entities[group]) if f.is_history)

    def _fix(self, group: int) -> str:
        """The aggregates by their definition: rows of the same entity with a smaller seq in [t - w, t)."""
        width = self._width(group)
        floor = f"AND y.t >= x.newest - {self.feature_set.memory_us}" if self.facts.very_late else ""
        columns = [
            f"{raw.call('y.')} FILTER (WHERE y.t >= x.t - {raw.window_us}) AS {raw.column}"
            for raw in self.raws(group)
        ]
        return f"""
            SELECT x.seq, {", ".join(columns)} FROM (
                SELECT *, UNNEST(GENERATE_SERIES((t - {width}) // {width}, t // {width})) AS bucket
                FROM {"asked" if self.few else f"(SELECT * FROM very_late a WHERE {self._cut(group)})"}) x
            JOIN base y ON {self._same(group)} AND y.t // {width} = x.bucket
            WHERE y.seq < x.seq AND y.t < x.t AND y.t >= x.t - {width} {floor} GROUP BY x.seq"""

    def _label_counts(self, group: int) -> dict[str, str]:
        count = LabelCount(self.feature_set, self.facts, group, rows="asked", every=self.few)
        return {f"known_{group}": count.sql()}

    def _joined(self) -> str:
        """One row per asked transaction with every raw column, from wherever it is right."""
        joins: list[str] = []
        columns: list[str] = []
        late, rewound = self._late(), self._rewound()
        for group in self.groups:
            added = late[group].added if group in late else ()
            stands = [f"rewound_{group}"] if group in rewound else []
            beside = (*self._fixes(group), *added, *stands)
            joins += [f"LEFT JOIN {name} ON {name}.seq = a.seq" for name in beside]
            columns += [f"{self._right(raw, group, late)} AS {raw.column}" for raw in self.raws(group)]
        for group in label_groups(self.feature_set):
            joins += [f"LEFT JOIN {name} ON {name}.seq = a.seq" for name in self._label_counts(group)]
            columns += self._label_columns(group)
        source = "asked" if self.few else self._served()
        names = {n for entity in self.feature_set.entities for n in entity}
        names |= {f.of for f in self.feature_set.features if f.of and f.of != "amount"}
        own = ["seq", "transaction_id", "occurred_at", "t", "amount", *(held(n) for n in sorted(names))]
        listed = ", ".join([*(f"a.{column}" for column in own), *columns])
        return f"SELECT {listed} FROM {source} a {' '.join(joins)}"

    def _served(self) -> str:
        """The asked rows with their windows; those that came later than memory reaches have none."""
        served = f"SELECT * FROM windowed WHERE seq >= {self.facts.first_seq}"
        if self.facts.very_late:
            served += f" UNION ALL BY NAME SELECT * FROM asked WHERE NOT {remembered(self.feature_set)}"
        return f"({served})"

    def _right(self, raw: Raw, group: int, late: Mapping[int, LateRows]) -> str:
        if self.few:
            return f"fix_{group}.{raw.column}"
        right = f"a.{raw.column}"
        if group in late:
            right = late[group].whole(raw, right)
        if self.facts.upset:
            rewound = f"rewound_{group}"
            right = f"CASE WHEN {rewound}.seq IS NULL THEN {right} ELSE {rewound}.{raw.column} END"
        if cut := self._cut(group):
            right = f"CASE WHEN {cut} THEN fix_{group}.{raw.column} ELSE {right} END"
        return right

    def _label_columns(self, group: int) -> list[str]:
        columns = [
            f"COALESCE(known_{group}.l_{group}_{width}, 0) AS l_{group}_{width}"
            for width in learned(self.feature_set, group)
        ]
        for width in shares(self.feature_set, group):
            marks = f"CAST(COALESCE(a.y_{group}_{width}, 0) AS BIGINT)"
            columns.append(self._label_column(group, f"k_{group}_{width}", f"({marks} & {MARK_MASK})"))
            columns.append(self._label_column(group, f"f_{group}_{width}", f"({marks} >> {MARK_BITS})"))
        return columns

    def _label_column(self, group: int, name: str, plain: str) -> str:
        joined = f"COALESCE(known_{group}.{name}, 0)"
        if self.few:
            return f"{joined} AS {name}"
        return f"{plain} + {joined} AS {name}"
