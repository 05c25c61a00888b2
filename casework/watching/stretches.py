"""Which decisions are held against each other, and what had the engine before it when it made them?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from data.ledger import Ledger
from engine.features.feature_set import CATEGORY, FeatureSpec
from engine.policy import Watch

MOST_ROWS = 8_000
"""Decisions read of each stretch, spread evenly over it: enough to see a share move by two hundredths."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Decisions from `since` until before `until`, by the moment of deciding (UTC)."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Compared:
    """The recent stretch, and the reference before it."""

    recent: Stretch
    reference: Stretch

    @classmethod
    def ending(cls, until: datetime, watch: Watch) -> Compared:
        turn = until - watch.recent
        return cls(Stretch(turn, until), Stretch(turn - watch.reference, turn))


def ago(until: datetime, decided_at: np.ndarray, length: timedelta) -> np.ndarray:
    """How many whole lengths before `until` each moment (datetime64, UTC) lies."""
    since = np.datetime64(until.replace(tzinfo=None), "us") - decided_at.astype("datetime64[us]")
    found: np.ndarray = since.astype(np.int64) // (length // timedelta(microseconds=1))
    return found


def last_moment(ledger: Ledger, at: datetime) -> datetime | None:
    """The end of the recent stretch: now, or where the record ends in the past, just after its last decision."""
    last = ledger.read("SELECT max(decided_at) AS at FROM decisions")[0]["at"]
    return None if last is None else min(at, last + timedelta(microseconds=1))


_ROWS = """
SELECT d.outcome AS _outcome, d.margin AS _margin, d.probability AS _probability, d.model_id AS _model,
       coalesce(json_extract_string(decode(e.payload), '$.context.segment'), 'default') AS _segment,
       json_transform(json_extract(decode(e.payload), '$.features'), $shape) AS features
FROM (SELECT *, row_number() OVER (ORDER BY event_seq) AS place FROM decisions
      WHERE decided_at >= $since AND decided_at < $until) d
JOIN events e ON e.seq = d.event_seq WHERE d.place % $step = 0 ORDER BY d.event_seq
"""


def decided(ledger: Ledger, stretch: Stretch, features: Sequence[FeatureSpec]) -> pa.Table:
    """Decisions of a stretch, evenly thinned to MOST_ROWS, with the features as the engine had them: one column each,
    null where missing, beside `_outcome`, `_margin`, `_probability`, `_model` and `_segment`."""
    count = ledger.read(
        "SELECT count(*) AS n FROM decisions WHERE decided_at >= ? AND decided_at < ?",
        [stretch.since, stretch.until],
    )[0]["n"]
    shape = json.dumps({f.name: "VARCHAR" if f.kind == CATEGORY else "DOUBLE" for f in features})
    table = ledger.read_arrow(
        _ROWS,
        {
            "since": stretch.since,
            "until": stretch.until,
            "shape": shape,
            "step": max(1, -(-count // MOST_ROWS)),
        },
    )
    parts = table["features"].combine_chunks() if table.num_rows else None
    for spec in features:
        kind = pa.string() if spec.kind == CATEGORY else pa.float64()
        column = parts.field(spec.name).cast(kind) if parts is not None else pa.nulls(0, kind)
        table = table.append_column(spec.name, column)
    return table.drop_columns(["features"])
