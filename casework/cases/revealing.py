"""Has somebody who can still take a verdict back read more of the payment, so that it can no longer be taken back?

A verdict given blind-first may be undone while its author knows no more than when giving it, which the answered task's
page ends: it tells the engine's opinion. Decision and case tell more: when the payment really was made, and what became
of it. The author of a verdict on a past payment, shown again as if it were new, must not learn that either, so they end
it in every arm and for every kind of task. The reading is an event before the answer leaves. Lists leave such payments
out until then, so that nothing is learned in passing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from casework.review.review_design import BLIND_FIRST, REVIEWER_ROLES
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

UNDO_WITHIN = timedelta(minutes=15)
REVEALED = "decision.revealed"
# A reviewer's verdicts that could still be undone.
_FRESH = """
    SELECT verdict_id, transaction_seq, event_seq, arm FROM verdicts
    WHERE reviewer = ? AND undone_at IS NULL AND given_at >= ?
"""


def note(
    ledger: Ledger, reviewer: str, role: str, transaction_seq: int, at: datetime, *, whole: bool = False
) -> None:
    """Record that this person is about to read the engine's opinion of a transaction, or (`whole`) all that is known
    of it, if he or she judged it (without the score, or at all) and could still undo that. To be called before
    visibility is checked, so that an undo is either refused or blinds again."""
    if role not in REVIEWER_ROLES or not _unread(ledger, reviewer, at, transaction_seq, whole=whole):
        return
    with ledger.writing() as w:
        note_within(w, reviewer, transaction_seq, at, whole=whole)


def note_within(w: Writer, reviewer: str, transaction_seq: int, at: datetime, *, whole: bool = False) -> None:
    """The same for an analyst, in the caller's write."""
    for verdict in _unread(w, reviewer, at, transaction_seq, whole=whole):
        payload = {"verdict_id": verdict["verdict_id"], "transaction_seq": transaction_seq}
        w.event(EventDraft(reviewer, REVEALED, _subject(verdict["verdict_id"]), payload), at)


def unread(ledger: Ledger, reviewer: str, role: str, at: datetime) -> frozenset[int]:
    """Seqs of the transactions this person judged, could still take back, and has not read about since."""
    if role not in REVIEWER_ROLES:
        return frozenset()
    return frozenset(verdict["transaction_seq"] for verdict in _unread(ledger, reviewer, at, whole=True))


def was_read(source: Ledger | Writer, verdict_id: str, event_seq: int) -> bool:
    """Whether the author of a verdict has read more of its payment since giving it at event `event_seq`."""
    found = source.read(
        "SELECT 1 FROM events WHERE seq > ? AND kind = ? AND subject = ? LIMIT 1",
        [event_seq, REVEALED, _subject(verdict_id)],
    )
    return bool(found)


def _unread(
    source: Ledger | Writer,
    reviewer: str,
    at: datetime,
    transaction_seq: int | None = None,
    *,
    whole: bool,
) -> list[dict[str, Any]]:
    """Those verdicts, of one transaction where it is named."""
    fresh = [
        verdict
        for verdict in source.read(_FRESH, [reviewer, at - UNDO_WITHIN])
        if transaction_seq in (None, verdict["transaction_seq"]) and (whole or verdict["arm"] == BLIND_FIRST)
    ]
    if not fresh:
        return []
    since = min(verdict["event_seq"] for verdict in fresh)
    rows = source.read("SELECT subject FROM events WHERE seq > ? AND kind = ?", [since, REVEALED])
    read = {row["subject"] for row in rows}
    return [verdict for verdict in fresh if _subject(verdict["verdict_id"]) not in read]


def _subject(verdict_id: str) -> str:
    return f"verdict:{verdict_id}"
