"""In which segments of the policy do people look at more for a while, because the inputs there have drifted?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from casework.safety.naming import new_id
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.control import Widening
from engine.policy import Policy


def widen(
    w: Writer, segment: str, sentence: str, report_id: str, policy: Policy, at: datetime, *, actor: str
) -> dict[str, Any] | None:
    """Widen reviews in a segment from now on, in place of what was in force there; its row. None where the policy has
    nobody look (an automatic segment), or does not widen."""
    watch = policy.watch
    most = int(watch.most * policy.capacity.reviews_per_day)
    if policy.segment(segment).autonomy == "automatic" or watch.widen >= 1.0 or most < 1:
        return None
    row = {
        "widening_id": new_id("widening", segment, at.isoformat()),
        "segment": segment,
        "factor": watch.widen,
        "most": most,
        "sentence": sentence,
        "report_id": report_id,
        "starts_at": at,
        "ends_at": at + watch.lasts,
    }
    w.insert("widenings", [row])
    w.event(EventDraft(actor, "review.widened", f"segment:{segment}", row), at)
    return row


def end(w: Writer, segment: str, reason: str, *, by: str, at: datetime) -> bool:
    """End what is in force in a segment; whether there was anything."""
    rows = w.read("SELECT widening_id FROM widenings WHERE segment = ? AND ends_at > ?", [segment, at])
    if rows:
        w.execute("UPDATE widenings SET ends_at = ? WHERE segment = ? AND ends_at > ?", [at, segment, at])
        w.event(EventDraft(by, "review.widening_ended", f"segment:{segment}", {"reason": reason}), at)
    return bool(rows)


def in_force(ledger: Ledger) -> list[Widening]:
    """The latest of each segment, which a decision holds against its own moment."""
    rows = ledger.read(
        "SELECT * FROM widenings QUALIFY row_number() OVER (PARTITION BY segment ORDER BY starts_at DESC) = 1"
    )
    return [of_row(row) for row in sorted(rows, key=lambda row: row["segment"])]


def of_row(row: Mapping[str, Any]) -> Widening:
    return Widening(
        row["widening_id"], row["segment"], row["factor"], int(row["most"]), row["sentence"], row["ends_at"]
    )


def table(ledger: Ledger, at: datetime, limit: int = 50) -> list[dict[str, Any]]:
    """Widenings, newest first, with whether each is in force and how many payments it brought before a person."""
    rows = ledger.read("SELECT * FROM widenings ORDER BY starts_at DESC LIMIT ?", [limit])
    looked = ledger.read(
        "SELECT x.widening_id, count(*) AS n FROM widenings x JOIN decisions d ON d.triage_reason = 'drift' "
        "AND d.decided_at >= x.starts_at AND d.decided_at < x.ends_at JOIN tasks t "
        "ON t.transaction_seq = d.transaction_seq AND t.kind = 'primary' AND t.segment = x.segment GROUP BY ALL"
    )
    counts = {row["widening_id"]: row["n"] for row in looked}
    return [
        {**row, "in_force": row["ends_at"] > at, "reviews": counts.get(row["widening_id"], 0)} for row in rows
    ]
