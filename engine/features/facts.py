"""What must be known about the rows before the right SQL can be written for them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from engine.features.feature_set import FeatureSet

NO_SEQ = 2**62


@runtime_checkable
class ReadsArrow(Protocol):
    """Something that answers SQL with an Arrow table, such as a ledger."""

    def read_arrow(self, sql: str, parameters: Any = (), **tables: pa.Table) -> pa.Table: ...


def read_arrow(source: Any, sql: str, **tables: pa.Table) -> pa.Table:
    """Ask a ledger or a DuckDB connection. `tables` are in-memory tables the query can name."""
    if isinstance(source, ReadsArrow):
        return source.read_arrow(sql, (), **tables)
    for name, table in tables.items():
        source.register(name, table)
    try:
        return source.sql(sql).to_arrow_table()
    finally:
        for name in tables:
            source.unregister(name)


@dataclass(frozen=True)
class Facts:
    """The asked rows lie in first_seq..last_seq (both included) and first_us..last_us; they are `few` when a
    join alone serves them; `oldest_us` is the oldest time that any of their windows reaches.

    `late` counts rows that came after one with a later time, `very_late` those late by more than the declared
    lateness (for few rows both say only whether there may be such), `upset` those of them that memory still reached
    when they came, so that others see them. `row_bits` are the bits that a number of rows
    takes, and `wide_squares` says that a count times a sum of squares may not fit into 16 bytes. `live_labels` counts
    outcomes reported after later transactions, `revised` those beyond the first of their transaction. `recorded` is the
    SQL of the moment an outcome was recorded.
    """

    first_seq: int
    last_seq: int
    few: bool = False
    first_us: int = 0
    last_us: int = 0
    late: int = 0
    very_late: int = 0
    upset: int = 0
    row_bits: int = 30
    wide_squares: bool = False
    live_labels: int = 0
    revised: int = 0
    recorded: str = "0"
    oldest_us: int = 0


def probe(
    source: Any, feature_set: FeatureSet, first_seq: int | None, last_seq: int | None, join_up_to: int
) -> Facts:
    """Ask the ledger two or three cheap questions."""
    first, last = first_seq or 0, NO_SEQ if last_seq is None else last_seq
    rows = _one(read_arrow(source, _ROWS.format(first=first, last=last)))
    few = rows["asked"] <= join_up_to
    if few:  # the join reads no order; all it must know is whether some windows might be cut short
        late = int((rows["newest"] or 0) - feature_set.lateness_us > (rows["first_us"] or 0))
        order = {"late": late, "very_late": late, "upset": 0}
    else:
        lateness, memory = feature_set.lateness_us, feature_set.memory_us
        order = _one(read_arrow(source, _ORDER.format(last=last, lateness=lateness, memory=memory)))
    labels = {"live": 0, "again": 0}
    recorded = "0"
    if any(f.is_label for f in feature_set.features):
        labels = _one(read_arrow(source, _LABELS.format(last=last)))
        names = read_arrow(source, "SELECT * FROM outcomes LIMIT 0").column_names
        recorded = "epoch_us(o.recorded_at)" if "recorded_at" in names else "0"
    first_us = rows["first_us"] or 0
    return Facts(
        first_seq=first,
        last_seq=last,
        few=few,
        first_us=first_us,
        last_us=rows["last_us"] or 0,
        late=order["late"],
        very_late=order["very_late"],
        upset=order["upset"],
        row_bits=int(rows["rows"]).bit_length(),
        wide_squares=(rows["largest"] or 0) * rows["rows"] >= 2**62,
        live_labels=labels["live"],
        revised=labels["again"],
        recorded=recorded,
        oldest_us=first_us - feature_set.horizon_us,
    )


def _one(table: pa.Table) -> dict[str, Any]:
    return table.to_pylist()[0]


_ROWS = """
SELECT COUNT(*) AS rows, COUNT(*) FILTER (WHERE seq >= {first}) AS asked,
    MIN(epoch_us(occurred_at)) FILTER (WHERE seq >= {first}) AS first_us,
    MAX(epoch_us(occurred_at)) FILTER (WHERE seq >= {first}) AS last_us,
    MAX(epoch_us(occurred_at)) AS newest, MAX(ABS(CAST(amount_minor AS DOUBLE))) AS largest
FROM transactions WHERE seq <= {last}
"""
_ORDER = """
SELECT COUNT(*) FILTER (WHERE t < newest) AS late, COUNT(*) FILTER (WHERE t < newest - {lateness}) AS very_late,
    COUNT(*) FILTER (WHERE t < newest - {lateness} AND t >= newest - {memory}) AS upset
FROM (
    SELECT seq, epoch_us(occurred_at) AS t, MAX(epoch_us(occurred_at)) OVER (
        ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
    FROM transactions WHERE seq <= {last})
"""
_LABELS = """
SELECT COUNT(*) FILTER (WHERE reported_seq > transaction_seq) AS live,
    COUNT(*) - COUNT(DISTINCT transaction_seq) AS again
FROM outcomes WHERE reported_seq < {last} AND transaction_seq < {last}
"""
