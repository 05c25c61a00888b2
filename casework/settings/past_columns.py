"""Which decisions of a period are in memory as columns already, and how are the others read, stretch by stretch?

What a decision was made from never changes, but lies in the event as JSON, of which a month of a large institution has
hundreds of megabytes. So the latest period that was read is kept for each ledger that is open, and only what came
since, or lies outside it, is read.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.compute as pc

from casework.in_hand import Told, nobody
from casework.settings.past_truth import Span
from data.ledger import Ledger

MOST_KEPT = 200_000
"""Decisions above which nothing is kept, about 100 MB with 40 features."""
_AT_ONCE = 10_000
_TIME = pa.timestamp("us", "UTC")

_WANTED = """
d.decided_at >= $since AND d.decided_at < $until
AND NOT (d.decided_at >= $kept_since AND d.decided_at < $kept_until AND d.event_seq <= $kept_seq)
"""
_PLACES = f"SELECT d.event_seq AS seq FROM decisions d WHERE {_WANTED} ORDER BY d.event_seq"
# Columns of ours begin with an underscore, which no feature's name can.
_DECISIONS = f"""
SELECT d.transaction_seq AS seq, d.transaction_id AS _id, d.decided_at AS _decided_at, d.outcome AS _outcome,
       d.probability AS _probability, d.amount_minor AS _amount, d.explored AS _explored, d.set_id AS _set_id,
       d.event_seq AS _event_seq,
       told.draws.audit AS _audit, told.draws.explore AS _explore, told.context.novelty AS _novelty,
       coalesce(told.context.killed, false) AS _killed, told.context.load AS _load, told.context.controls AS _controls,
       unnest(told.features)
FROM (SELECT d.*, json_transform(decode(e.payload), $shape) AS told
      FROM decisions d JOIN events e ON e.seq = d.event_seq
      WHERE {_WANTED} AND d.event_seq BETWEEN $first AND $last AND e.seq BETWEEN $first AND $last) AS d
ORDER BY d.event_seq
"""


@dataclass(frozen=True, slots=True)
class _Kept:
    """All decisions from `since` until before `until` whose event is `last_seq` or an earlier one."""

    shape: str
    since: datetime
    until: datetime
    last_seq: int
    table: pa.Table


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT: WeakKeyDictionary[Ledger, _Kept] = WeakKeyDictionary()
_LOCK = threading.Lock()


def read_columns(ledger: Ledger, when: Span, shape: str, told: Told = nobody) -> pa.Table:
    """The decisions of a period in the order they were made, with what `shape` (JSON) names of their events."""
    with _LOCK:
        kept = _KEPT.get(ledger)
    if kept is None or kept.shape != shape or kept.until <= when.since or kept.since >= when.until:
        kept = _Kept(shape, _NEVER, _NEVER, 0, pa.table({}))
    values = {
        "since": when.since, "until": when.until,
        "kept_since": kept.since, "kept_until": kept.until, "kept_seq": kept.last_seq,
    }  # fmt: skip
    seqs = ledger.read_arrow(_PLACES, values).column("seq").to_numpy()
    parts = [_within(kept.table, when)] if kept.table.num_rows else []
    starts = range(0, len(seqs), _AT_ONCE)
    for start in starts:
        told("Reading the decisions of the period", start / len(seqs))
        bounds = {"first": int(seqs[start]), "last": int(seqs[start : start + _AT_ONCE][-1])}
        parts.append(ledger.read_arrow(_DECISIONS, {**values, **bounds, "shape": shape}))
    whole = _in_order(
        parts or [ledger.read_arrow(_DECISIONS, {**values, "first": 0, "last": 0, "shape": shape})]
    )
    last = max(kept.last_seq, int(seqs[-1])) if len(seqs) else kept.last_seq
    with _LOCK:
        if whole.num_rows <= MOST_KEPT:
            _KEPT[ledger] = _Kept(shape, when.since, when.until, last, whole)
        else:
            _KEPT.pop(ledger, None)
    return whole


def let_go(ledger: Ledger) -> None:
    """Hold nothing of this ledger any more; the next question reads its period anew."""
    with _LOCK:
        _KEPT.pop(ledger, None)


def _within(table: pa.Table, when: Span) -> pa.Table:
    at = table.column("_decided_at").cast(_TIME)
    later = pc.greater_equal(at, pa.scalar(when.since, _TIME))
    return table.filter(pc.and_(later, pc.less(at, pa.scalar(when.until, _TIME))))


def _in_order(parts: list[pa.Table]) -> pa.Table:
    """One table in the order of the events; what was kept and what came since mostly follow each other."""
    found = pa.concat_tables(parts).combine_chunks()
    ends = [
        (p.column("_event_seq")[0].as_py(), p.column("_event_seq")[-1].as_py()) for p in parts if p.num_rows
    ]
    if all(one[1] < other[0] for one, other in pairwise(ends)):
        return found
    return found.take(pc.sort_indices(found.column("_event_seq")))
