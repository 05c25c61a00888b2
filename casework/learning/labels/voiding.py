"""Which verdicts no longer count for anything that learns, who said so, and why?

A verdict is undone by whoever gave it, and within minutes. Voiding is for later and by somebody else: a reviewer who
was careless for a week, a broken screen. The verdict stays on record as it was given, and so does what it led to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.safety.naming import reason_of
from data.errors import NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer


def void(w: Writer, verdict_ids: Sequence[str], reason: str, *, by: str, at: datetime) -> int:
    """Declare verdicts void; how many were not before. NotFoundError for one that was never given, InputError without
    a reason; nothing is voided then."""
    why = reason_of(reason, "voiding verdicts")
    wanted = list(dict.fromkeys(verdict_ids))
    rows = w.read(
        "SELECT verdict_id, transaction_seq FROM verdicts WHERE list_contains(?, verdict_id)", [wanted]
    )
    absent = set(wanted) - {row["verdict_id"] for row in rows}
    if absent:
        raise NotFoundError("there is no such verdict", where=min(absent)[:80], hint="Nothing was voided.")
    before = {row["verdict_id"] for row in w.read("SELECT verdict_id FROM voided_verdicts")}
    fresh = [row for row in rows if row["verdict_id"] not in before]
    if fresh:
        w.insert(
            "voided_verdicts", [{**row, "voided_by": by, "reason": why, "voided_at": at} for row in fresh]
        )
        payload = {"verdicts": sorted(row["verdict_id"] for row in fresh), "reason": why}
        w.event(EventDraft(by, "verdicts.voided", "verdicts", payload), at)
    return len(fresh)


def given_by(source: Ledger | Writer, reviewer: str, since: datetime, until: datetime) -> list[str]:
    """Ids of what one person said from `since` until before `until` and did not take back."""
    rows = source.read(
        "SELECT verdict_id FROM verdicts WHERE reviewer = ? AND given_at >= ? AND given_at < ? AND undone_at IS NULL "
        "ORDER BY verdict_id",
        [reviewer, since, until],
    )
    return [row["verdict_id"] for row in rows]


def listed(source: Ledger | Writer, limit: int = 500) -> list[dict[str, Any]]:
    """Void verdicts, newest first, with who gave and who voided them."""
    return source.read(
        "SELECT x.*, v.reviewer, v.value, v.given_at FROM voided_verdicts x JOIN verdicts v USING (verdict_id) "
        "ORDER BY x.voided_at DESC, x.verdict_id LIMIT ?",
        [limit],
    )
