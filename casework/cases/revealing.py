"""Has somebody who judged blind read what the engine thinks, so that the verdict can no longer be taken back?

A verdict given blind-first may be undone while its author knows no more than when giving it. Opening the decision, the
case or the answered task ends that: the reading is an event before the answer leaves. Lists leave such transactions out
until then, so that nothing is learned in passing.
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
# A reviewer's blind verdicts that could still be undone.
_FRESH = """
    SELECT verdict_id, transaction_seq, event_seq FROM verdicts
    WHERE reviewer = ? AND arm = ? AND undone_at IS NULL AND given_at >= ?
"""


def note(ledger: Ledger, reviewer: str, role: str, transaction_seq: int, at: datetime) -> None:
    """Record that this person is about to read the engine's opinion of a transaction, if he or she judged it blind and
    could still undo that. To be called before visibility is checked, so that an undo is either refused or blinds
    again."""
    if role not in REVIEWER_ROLES or not _unread(ledger, reviewer, at, transaction_seq):
        return
    with ledger.writing() as w:
        note_within(w, reviewer, transaction_seq, at)


def note_within(w: Writer, reviewer: str, transaction_seq: int, at: datetime) -> None:
    """The same for an analyst, in the caller's write."""
    for verdict in _unread(w, reviewer, at, transaction_seq):
        payload = {"verdict_id": verdict["verdict_id"], "transaction_seq": transaction_seq}
        w.event(EventDraft(reviewer, REVEALED, _subject(verdict["verdict_id"]), payload), at)


def unread(ledger: Ledger, reviewer: str, role: str, at: datetime) -> frozenset[int]:
    """Seqs of the transactions this person judged blind, could still take back, and has not read about since."""
    if role not in REVIEWER_ROLES:
        return frozenset()
    return frozenset(verdict["transaction_seq"] for verdict in _unread(ledger, reviewer, at))


def was_read(source: Ledger | Writer, verdict_id: str, event_seq: int) -> bool:
    """Whether the author of a verdict has read the engine's opinion since giving it at event `event_seq`."""
    found = source.read(
        "SELECT 1 FROM events WHERE seq > ? AND kind = ? AND subject = ? LIMIT 1",
        [event_seq, REVEALED, _subject(verdict_id)],
    )
    return bool(found)


def _unread(
    source: Ledger | Writer, reviewer: str, at: datetime, transaction_seq: int | None = None
) -> list[dict[str, Any]]:
    """Those verdicts, of one transaction where it is named: whether each was read takes a query."""
    fresh = source.read(_FRESH, [reviewer, BLIND_FIRST, at - UNDO_WITHIN])
    if transaction_seq is not None:
        fresh = [v for v in fresh if v["transaction_seq"] == transaction_seq]
    return [v for v in fresh if not was_read(source, v["verdict_id"], v["event_seq"])]


def _subject(verdict_id: str) -> str:
    return f"verdict:{verdict_id}"
