"""What did both sides of a comparison answer over a period, worked out once while somebody reads on in it?

Deciding a month of a large institution again takes seconds; the next page of its flipped payments should not. The last
comparison is kept for each workspace that is open, and used again while nobody has acted since and hardly anything has
flowed in (`casework.changes`). Another change over the same period takes the present set's side from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from casework.changes import Stand
from casework.settings import past_columns
from casework.settings.evidence_of_fraud import Evidence
from casework.settings.flips import Side
from casework.settings.past_decisions import PastDecisions, Period

if TYPE_CHECKING:
    from casework.app import App

FRESH = timedelta(minutes=1)
"""How long a comparison serves at most: silence becomes a label as time passes."""
MOST_KEPT = 200_000
"""Decisions above which nothing is kept, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The set that runs, the proposed one, and the bounds of the period as they were given."""

    set_id: str
    proposed_id: str
    since: datetime | None
    until: datetime | None

    def same_past_as(self, other: Asked) -> bool:
        return (self.set_id, self.since, self.until) == (other.set_id, other.since, other.until)


@dataclass(frozen=True, slots=True)
class Compared:
    """A period's decisions, what both sets of files make of them, and what was known of the payments at `at`."""

    at: datetime
    when: Period
    past: PastDecisions
    before: Side
    after: Side
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: Asked
    stand: Stand
    compared: Compared


WorkOut = Callable[[Compared | None], Compared]
"""Makes a comparison; given one of the same past and the same set that runs, if there is one."""
_KEPT: WeakKeyDictionary[App, _Kept] = WeakKeyDictionary()
_LOCK = threading.Lock()


def once(app: App, asked: Asked, at: datetime, work_out: WorkOut) -> Compared:
    """The comparison asked for; the last one again if it is the same and still holds."""
    stand = app.changes.stand()  # before working out: what is recorded meanwhile makes it stale
    with _LOCK:
        kept = _KEPT.get(app)
    if kept and not (kept.stand.still_holds(stand) and timedelta() <= at - kept.compared.at <= FRESH):
        kept = None
    if kept is not None and kept.asked == asked:
        return kept.compared
    beside = kept.compared if kept is not None and kept.asked.same_past_as(asked) else None
    found = work_out(beside)
    since = kept.stand if kept is not None and beside is not None else stand
    with _LOCK:
        if len(found.past) <= MOST_KEPT:
            _KEPT[app] = _Kept(asked, since, found)
        else:
            _KEPT.pop(app, None)
    return found


def let_go(app: App) -> None:
    """Hold nothing any more; the next question is worked out anew, and reads its period."""
    with _LOCK:
        _KEPT.pop(app, None)
    past_columns.let_go(app.ledger)
