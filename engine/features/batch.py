"""What were the features of millions of past transactions, each as it was when it happened?

SQL for DuckDB. Rows in order of time are served by window functions, one named window per entity and width;
rows that a late arrival makes different see late_sql.py, labels label_sql.py.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pyarrow as pa
from sqlglot import exp

from engine.features.derived import Expression
from engine.features.facts import Facts, probe, read_arrow
from engine.features.feature_set import EVERYONE, FeatureSet, FeatureSpec
from engine.features.gather_sql import Gathering
from engine.features.label_sql import label_ctes, label_groups
from engine.features.localtime import NIGHT_HOURS, SATURDAY, offsets
from engine.features.raw_sql import SQUARE, held, packed, quoted, read_history, read_label, typed

_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_THURSDAY = 3  # the weekday of 1970-01-01, Monday being 0
_READ_AGAIN = ("later_", "near_", "upset_", "rewind_", "beside_", "nearest_")
_LONG_AGO = 200_000 * 7 * _DAY  # whole weeks, so that division meets no negative number


def batch_features(
    source: Any,
    feature_set: FeatureSet,
    *,
    first_seq: int | None = None,
    last_seq: int | None = None,
    join_up_to: int = 2_000,
) -> pa.Table:
    """Features of the transactions first_seq..last_seq (both included), ordered by seq.

    `source` is a ledger or a DuckDB connection that has `transactions` and `outcomes`. Columns: seq,
    transaction_id, occurred_at (UTC), then the features in declared order; null is missing.
    Up to `join_up_to` rows are computed by a join alone, more by window functions; the values are the same.
    """
    facts = probe(source, feature_set, first_seq, last_seq, join_up_to)
    table = read_arrow(source, batch_sql(feature_set, facts))
    at = table.column_names.index("occurred_at")
    utc = table["occurred_at"].cast(pa.timestamp("us", "UTC"))
    return table.set_column(at, "occurred_at", utc)


def batch_sql(feature_set: FeatureSet, facts: Facts) -> str:
    """The whole statement, in DuckDB's dialect."""
    ctes = {"base": _base(feature_set, facts)}
    if label_groups(feature_set):
        ctes |= label_ctes(feature_set, facts)
    ctes |= Gathering(feature_set, facts).ctes()
    ctes["level_0"] = _measured(feature_set, facts)
    ctes |= _derived(feature_set)
    last = next(reversed(ctes))
    names = ", ".join(quoted(name) for name in feature_set.names)
    text = "WITH " + ", ".join(f"{name} AS {_kind(name)} ({body})" for name, body in ctes.items())
    return text + f" SELECT seq, transaction_id, occurred_at, {names} FROM {last} ORDER BY seq"


def _kind(name: str) -> str:
    return "MATERIALIZED" if name in ("base", "labels") or name.startswith(_READ_AGAIN) else ""


def _base(feature_set: FeatureSet, facts: Facts) -> str:
    """The columns that features read, of the rows that the asked ones can reach.

    From here on every field has another name (see `held`), so that none is taken for a working column.
    """
    read = {n for entity in feature_set.entities for n in entity} | {
        f.of for f in feature_set.features if f.of
    }
    fields = "".join(f", {_column(n)} AS {held(n)}" for n in sorted(read - {"amount"}))
    columns: list[str] = []
    measures = {f.measure for f in feature_set.features}
    if measures & {"count", "sum", "mean", "std"}:
        columns.append(f"{packed(facts.row_bits)} AS packed")
    if "std" in measures:
        columns.append(f"{SQUARE} AS square")
    if facts.late:
        columns.append(
            "MAX(t) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest"
        )
    added = "".join(f", {column}" for column in columns)
    return f"""
        SELECT *{added} FROM (
            SELECT seq, transaction_id, occurred_at, epoch_us(occurred_at) AS t, amount_minor AS amount{fields}
            FROM transactions WHERE seq <= {facts.last_seq} {_related(feature_set, facts)})
        WHERE t >= {facts.oldest_us}"""


def _column(name: str) -> str:
    return "CAST('' AS VARCHAR)" if name == EVERYONE else f"transactions.{quoted(name)}"


def _related(feature_set: FeatureSet, facts: Facts) -> str:
    """For a few asked rows: only those that share an entity with one of them (none are very late)."""
    if not facts.few or facts.very_late or (EVERYONE,) in feature_set.entities:
        return ""
    span = f"seq BETWEEN {facts.first_seq} AND {facts.last_seq}"
    names = dict.fromkeys(quoted(entity[0]) for entity in feature_set.entities)
    shared = [f"{name} IN (SELECT {name} FROM transactions WHERE {span})" for name in names]
    return f"AND ({' OR '.join([span, *shared])})"


def _measured(feature_set: FeatureSet, facts: Facts) -> str:
    """All features but the derived ones, from the gathered columns."""
    columns = [typed(_value(f, feature_set, facts), f) for f in feature_set.features if f.expression is None]
    return f"SELECT seq, transaction_id, occurred_at, {', '.join(columns)} FROM gathered"


def _value(spec: FeatureSpec, feature_set: FeatureSet, facts: Facts) -> str:
    if spec.measure in ("value", "attribute"):
        return held(spec.of)
    if not spec.entity:
        return _clock(spec.measure, feature_set.time_zone, facts)
    group = feature_set.entities.index(spec.entity)
    value = read_label(spec, group) if spec.is_label else read_history(spec, group, facts)
    present = " AND ".join(f"{held(name)} IS NOT NULL" for name in spec.entity)
    return f"CASE WHEN {present} THEN {value} END"


def _clock(measure: str, zone: str, facts: Facts) -> str:
    """Local time in whole numbers, with the zone's offsets written out for the asked span of time."""
    shifts = offsets(zone, facts.first_us, facts.last_us)
    cases = [f"WHEN t < {start} THEN {shift}" for (_, shift), (start, _) in pairwise(shifts)]
    shift = f"CASE {' '.join(cases)} ELSE {shifts[-1][1]} END" if cases else str(shifts[-1][1])
    local = f"(t + ({shift}) + {_LONG_AGO})"
    hour = f"({local} // {_HOUR}) % 24"
    if measure == "local_weekend":
        return f"({local} // {_DAY} + {_THURSDAY}) % 7 >= {SATURDAY}"
    return hour if measure == "local_hour" else f"{hour} < {NIGHT_HOURS}"


def _derived(feature_set: FeatureSet) -> dict[str, str]:
    """Layers of derived features: each layer uses only columns of the layers below it."""
    level = {f.name: 0 for f in feature_set.features}
    layers: dict[int, list[str]] = {}
    for spec in feature_set.features:
        if spec.expression is not None:
            level[spec.name] = 1 + max(level[name] for name in spec.expression.names)
            column = typed(_sql(spec.expression), spec)
            layers.setdefault(level[spec.name], []).append(column)
    return {
        f"level_{number}": f"SELECT *, {', '.join(columns)} FROM level_{number - 1}"
        for number, columns in sorted(layers.items())
    }


def _sql(expression: Expression) -> str:
    return expression.sql(lambda name: exp.column(exp.to_identifier(name, quoted=True))).sql(dialect="duckdb")
