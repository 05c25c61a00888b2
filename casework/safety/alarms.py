"""Which alarms are open, what raised them, and who has acknowledged them?"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import Any

from casework.safety.naming import new_id, reason_of
from data.errors import ConflictError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

BREAKER, FAIL_SAFE, RULE_ERROR, UNEXPLAINED = "breaker", "fail_safe", "rule_error", "unexplained"
NEWEST = 200
"""Alarms that are listed whether they are open or not."""
# However many are newer: what is open can be acknowledged only by somebody who sees it.
_LISTED = """
    SELECT alarm_id, kind, subject, sentence, raised_at, acknowledged_at, acknowledged_by, reason FROM alarms
    WHERE acknowledged_at IS NULL
       OR alarm_id IN (SELECT alarm_id FROM alarms ORDER BY raised_at DESC, alarm_id LIMIT ?)
    ORDER BY raised_at DESC, alarm_id
"""
Key = tuple[str, str]
"""Kind and subject: of each there is at most one open alarm."""


def open_keys(source: Ledger | Writer) -> set[Key]:
    """What there is an open alarm about."""
    rows = source.read("SELECT kind, subject FROM alarms WHERE acknowledged_at IS NULL")
    return {(row["kind"], row["subject"]) for row in rows}


def listed(source: Ledger | Writer, *, only_open: bool = True) -> list[dict[str, Any]]:
    """Every open alarm, and (unless `only_open`) the newest others; newest first."""
    return source.read(_LISTED, [0 if only_open else NEWEST])


def raise_alarm(
    w: Writer,
    kind: str,
    subject: str,
    sentence: str,
    at: datetime,
    *,
    is_open: Set[Key] | None = None,
    actor: str = "engine",
) -> str:
    """Raise an alarm, unless one about the same is open; returns its id, '' if there was one.

    `is_open` is what is known to be open, for writes that must not read; otherwise the ledger is asked.
    """
    known = open_keys(w) if is_open is None else is_open
    if (kind, subject) in known:
        return ""
    alarm_id = new_id("alarm", kind, subject, at.isoformat())
    row = {"alarm_id": alarm_id, "kind": kind, "subject": subject, "sentence": sentence, "raised_at": at}
    w.event(EventDraft(actor, "alarm.raised", f"alarm:{alarm_id}", row), at)
    w.insert("alarms", [{**row, "acknowledged_by": "", "reason": ""}])
    return alarm_id


def acknowledge(w: Writer, alarm_id: str, *, by: str, reason: str, at: datetime) -> dict[str, Any]:
    """Say that somebody has seen to it, and what came of it; returns the alarm as it was. NotFoundError,
    ConflictError if it was acknowledged before, InputError without a reason."""
    why = reason_of(reason, "an acknowledgement")
    rows = w.read("SELECT * FROM alarms WHERE alarm_id = ?", [alarm_id])
    if not rows:
        raise NotFoundError("there is no such alarm", where=alarm_id)
    if rows[0]["acknowledged_at"] is not None:
        raise ConflictError("this alarm was acknowledged before", where=rows[0]["acknowledged_by"])
    w.event(EventDraft(by, "alarm.acknowledged", f"alarm:{alarm_id}", {"reason": why}), at)
    w.execute(
        "UPDATE alarms SET acknowledged_at = ?, acknowledged_by = ?, reason = ? WHERE alarm_id = ?",
        [at, by, why, alarm_id],
    )
    return rows[0]
