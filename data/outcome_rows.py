"""How are facts that arrive later appended, each once, with events that vouch for them?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa

from data.canonical import sha256_hex
from data.events import EventDraft
from data.storage.rows import aware
from data.writer import Writer

CHUNK = 5_000
"""Outcomes that one event holds at most."""

TOLD = pa.schema(
    [
        ("line", pa.int64()),
        ("transaction_seq", pa.int64()),
        ("is_fraud", pa.bool_()),
        ("known_at", pa.timestamp("us")),
        ("reason_code", pa.string()),
    ]
)
"""What is told of transactions, by its place in a file or a request; times in UTC without a zone."""

NEWS = (
    "SELECT l.* FROM _told l ANTI JOIN outcomes o ON o.transaction_seq = l.transaction_seq"
    " AND o.is_fraud = l.is_fraud AND o.known_at = l.known_at AND o.reason_code = l.reason_code ORDER BY l.line"
)
"""Those of `_told` that the ledger does not have."""

_TAKING_BACK = (
    "SELECT l.line FROM _told l JOIN (SELECT transaction_seq, max({'seq': reported_seq, 'known': known_at,"
    " 'recorded': recorded_at, 'fraud': is_fraud}) AS held FROM outcomes SEMI JOIN _told USING (transaction_seq)"
    " GROUP BY transaction_seq) o USING (transaction_seq) WHERE NOT l.is_fraud AND o.held.fraud"
    " AND {'seq': CAST(? AS BIGINT), 'known': l.known_at, 'recorded': CAST(? AS TIMESTAMP), 'fraud': false} > o.held"
)
"""Those of `_told` that will be in force in place of a fraud, told behind a seq and recorded at a moment."""


class _Ledger(Protocol):
    """A ledger, or an open write of one."""

    @property
    def next_transaction_seq(self) -> int: ...

    def read(self, sql: str) -> list[dict[str, Any]]: ...


def reported_seq(ledger: _Ledger) -> int:
    """The last seq given out; 0 before the first decision, when all is imported history and `known_at` alone says
    what was known to which transaction."""
    return ledger.next_transaction_seq - 1 if ledger.read("SELECT 1 FROM decisions LIMIT 1") else 0


def store_news(
    writer: Writer, told: pa.Table, *, source: str, actor: str, at: datetime
) -> list[dict[str, Any]]:
    """Append those of `told`, of the columns TOLD, that the ledger does not have.

    Returns the rows that were new, in the order of their lines, with times aware, their reported_seq, and whether each
    `takes_back` a fraud that was in force.
    """
    seq = reported_seq(writer)
    news = writer.read_arrow(NEWS, _told=told)
    recorded = at.astimezone(UTC).replace(tzinfo=None)
    back = set(writer.read_arrow(_TAKING_BACK, [seq, recorded], _told=news)["line"].to_pylist())
    rows = news.to_pylist()
    for row in rows:
        row["known_at"] = aware(row["known_at"])
        row["reported_seq"] = seq
        row["takes_back"] = row["line"] in back
    stamp = {"source": source, "recorded_at": at}
    kept = [{**{k: v for k, v in row.items() if k not in ("line", "takes_back")}, **stamp} for row in rows]
    for start in range(0, len(kept), CHUNK):
        part = kept[start : start + CHUNK]
        writer.insert("outcomes", part)
        writer.event(_event(part, actor, source, seq), at)
    return rows


def _event(rows: Sequence[dict[str, Any]], actor: str, source: str, seq: int) -> EventDraft:
    names = ("transaction_seq", "is_fraud", "known_at", "reason_code")
    told = [{name: row[name] for name in names} for row in rows]
    payload = {"reported_seq": seq, "source": source, "outcomes": told}
    return EventDraft(actor, "outcomes.reported", "outcomes", payload)


def import_id_of(file_sha256: str, event_seq: int) -> str:
    """The id of an import: the same file imported at another moment is another import."""
    return f"imp_{sha256_hex(f'{file_sha256}:{event_seq}'.encode())[:12]}"
