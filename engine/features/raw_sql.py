"""Which aggregates does SQL have to gather over a window, and how is a feature's value read from them?

One packed sum carries the number of rows, the number of rows with an amount, and the sum of the amounts, because
DuckDB spends its time on finding the ends of a window, once per aggregate: packed it is about twice as fast.
The lowest bits hold the rows, as many again the rows with an amount, and what lies above is the (signed) sum: with no
more bits for rows than there are rows, the sum of 40 million of the largest amounts still fits into 16 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.features.facts import Facts
from engine.features.feature_set import (
    CATEGORY,
    FLAG,
    INTEGER,
    LARGEST_SUM,
    LEAST_SUM,
    NUMBER,
    FeatureSet,
    FeatureSpec,
)

SQUARE = "CAST(amount AS HUGEINT) * amount"
MARK_BITS = 30
MARK_MASK = 2**MARK_BITS - 1
GOOD_MARK, FRAUD_MARK = 1, 2**MARK_BITS + 1  # a label, and a label that says fraud

_TYPES = {INTEGER: "BIGINT", NUMBER: "DOUBLE", FLAG: "BOOLEAN", CATEGORY: "VARCHAR"}


def packed(bits: int) -> str:
    """What a packed sum adds up, where a number of rows fits into so many bits."""
    unpriced, priced = 1, 2**bits + 1
    counts = f"CASE WHEN amount IS NULL THEN {unpriced} ELSE {priced} END"
    return f"CAST(COALESCE(amount, 0) AS HUGEINT) * {2 ** (2 * bits)} + {counts}"


def quoted(name: str) -> str:
    """A checked name ([a-z][a-z0-9_]*) as an SQL identifier, keywords included."""
    return f'"{name}"'


def held(name: str) -> str:
    """The working column that holds an entity, an attribute or the amount; no other has a name that begins so."""
    return "amount" if name == "amount" else quoted(f"v_{name}")


def remembered(feature_set: FeatureSet, of: str = "") -> str:
    """Whether memory still reached a row when it came (needs `newest`); one that came later still is seen by nobody."""
    return f"({of}newest IS NULL OR {of}t >= {of}newest - {feature_set.memory_us})"


def typed(expression: str, spec: FeatureSpec) -> str:
    return f"CAST({expression} AS {_TYPES[spec.kind]}) AS {quoted(spec.name)}"


@dataclass(frozen=True)
class Raw:
    """One aggregate over the history of entity number `group` in a window: `function(argument)` named `name`."""

    name: str
    function: str
    argument: str
    window_us: int

    @property
    def column(self) -> str:
        """Its name as an SQL identifier."""
        return quoted(self.name)

    def call(self, of: str = "") -> str:
        """The aggregate in SQL; `of` is put before its column."""
        distinct = "DISTINCT " if self.function == "count" else ""
        return f"{self.function}({distinct}{of}{self.argument})"


def raws(feature_set: FeatureSet, group: int) -> list[Raw]:
    """The aggregates that the history features of one entity need, each once."""
    specs = [f for f in feature_set.of_entity(feature_set.entities[group]) if f.is_history]
    found = {raw.name: raw for f in specs for raw in _raws_of(f, group)}
    return list(found.values())


def _raws_of(spec: FeatureSpec, group: int) -> list[Raw]:
    def raw(kind: str, function: str, argument: str) -> Raw:
        return Raw(f"{kind}_{group}_{spec.window_us}", function, argument, spec.window_us)

    packed = raw("p", "sum", "packed")
    match spec.measure:
        case "count" | "sum" | "mean":
            return [packed]
        case "std":
            return [packed, raw("q", "sum", "square")]
        case "max":
            return [raw(f"m_{spec.of}", "max", held(spec.of))]
        case "distinct":
            return [raw(f"d_{spec.of}", "count", held(spec.of))]
        case "seconds_since_last":
            return [raw("z", "max", "t")]
        case _:
            return [raw("a", "min", "t")]


def read_history(spec: FeatureSpec, group: int, facts: Facts) -> str:
    """A history feature's value from the raw columns, for a row whose entity is not missing."""
    end, bits = f"{group}_{spec.window_us}", facts.row_bits
    sums, mask = f"COALESCE(p_{end}, 0)", 2**bits - 1
    total, priced = f"({sums} >> {2 * bits})", f"(({sums} >> {bits}) & {mask})"
    match spec.measure:
        case "count":
            return f"{sums} & {mask}"
        case "sum":
            return f"GREATEST(LEAST({total}, {LARGEST_SUM}), {LEAST_SUM})"
        case "mean":
            return f"CAST({total} AS DOUBLE) / CAST(NULLIF({priced}, 0) AS DOUBLE)"
        case "std":
            deviation = _wide_deviation if facts.wide_squares else _deviation
            return deviation(total, priced, f"q_{end}")
        case "max":
            return quoted(f"m_{spec.of}_{end}")
        case "distinct":
            return f"COALESCE({quoted(f'd_{spec.of}_{end}')}, 0)"
        case "seconds_since_last":
            return f"CAST(t - z_{end} AS DOUBLE) / CAST(1000000 AS DOUBLE)"
        case _:
            return f"CAST(t - a_{end} AS DOUBLE) / CAST(1000000 AS DOUBLE)"


def _deviation(total: str, priced: str, squares: str) -> str:
    variance = f"CAST({priced} * {squares} - {total} * {total} AS DOUBLE) / CAST({priced} * ({priced} - 1) AS DOUBLE)"
    return f"CASE WHEN {priced} > 1 THEN SQRT({variance}) END"


def _wide_deviation(total: str, priced: str, squares: str) -> str:
    """The same where priced x squares may not fit into 16 bytes: exact about the nearest whole mean m.

    With r = total - priced m the squared differences from m sum to squares - priced m^2 - 2 m r, a whole number, and
    those from the mean itself to r^2 / priced less. As |r| <= priced / 2, little is taken away.
    """
    middle = f"(SIGN({total}) * ((2 * ABS({total}) + {priced}) // (2 * {priced})))"
    rest = f"({total} - {priced} * {middle})"
    about_middle = f"({squares} - {priced} * {middle} * {middle} - 2 * {middle} * {rest})"
    spread = f"CAST({about_middle} AS DOUBLE) - CAST({rest} * {rest} AS DOUBLE) / CAST({priced} AS DOUBLE)"
    # Where all amounts are equal the two parts are, and rounding must not leave less than nothing.
    variance = f"GREATEST({spread}, CAST(0 AS DOUBLE)) / CAST({priced} - 1 AS DOUBLE)"
    return f"CASE WHEN {priced} > 1 THEN SQRT({variance}) END"


def read_label(spec: FeatureSpec, group: int) -> str:
    """A label feature's value from the label columns: k_ labels known, f_ frauds among them, l_ learned."""
    end = f"{group}_{spec.window_us}"
    match spec.measure:
        case "fraud_count":
            return f"f_{end}"
        case "fraud_share":
            return f"CAST(f_{end} AS DOUBLE) / CAST(NULLIF(k_{end}, 0) AS DOUBLE)"
        case _:
            return f"l_{end}"
