"""What did both sides of a comparison answer over a period, worked out once while somebody reads on in it?

Deciding a month of a large institution again takes seconds; the next page of its flipped payments should not. The last
comparison is kept for each workspace that is open, and used again while nothing at all has been recorded since.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from casework.app import App
from casework.settings.evidence_of_fraud import Evidence
from casework.settings.flips import Side
from casework.settings.past_decisions import PastDecisions, Period

FRESH = timedelta(minutes=1)
"""How long a comparison serves at most: silence becomes a label as time passes."""
MOST_KEPT = 200_000
"""Decisions above which nothing is kept, so that memory stays bounded."""
Asked = tuple[str, str, datetime, datetime]
"""The set that runs, the proposed one, and the period."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A period's decisions, what both sets of files make of them, and what is known of the payments."""

    when: Period
    past: PastDecisions
    before: Side
    after: Side
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: Asked
    head: int
    at: datetime
    compared: Compared


_KEPT: WeakKeyDictionary[App, _Kept] = WeakKeyDictionary()
_LOCK = threading.Lock()


def once(app: App, asked: Asked, at: datetime, work_out: Callable[[], Compared]) -> Compared:
    """The comparison asked for; the last one again if it is the same and the record has not grown."""
    head = app.ledger.last_event.seq  # before working out: what is recorded meanwhile makes it stale
    with _LOCK:
        kept = _KEPT.get(app)
    if kept is not None and (kept.asked, kept.head) == (asked, head) and timedelta() <= at - kept.at <= FRESH:
        return kept.compared
    found = work_out()
    with _LOCK:
        if len(found.past) <= MOST_KEPT:
            _KEPT[app] = _Kept(asked, head, at, found)
        else:
            _KEPT.pop(app, None)
    return found
