"""What was recorded about tasks since the desk last looked, and which of them must be read anew for it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.writer import Head, Writer

CLAIMED = "task.claimed"
GIVEN = "verdict.given"
SPOKEN = (GIVEN, "verdict.undone")
REVIEWERS, JOINED = "reviewer.changed", "case.alert_joined"
_HEARD = (
    *("task.opened", CLAIMED, "task.released", "task.lock_expired", "task.expired", "task.withdrawn"),
    *("task.snoozed", "task.escalated", "task.moved", "task.raised", "draft.saved", "task.touched"),
    *(*SPOKEN, REVIEWERS, JOINED),
)
_TOLD = (*SPOKEN, CLAIMED)
_TAIL = """
    SELECT seq, recorded_at, kind, subject, actor, hash, CASE WHEN list_contains(?, kind) THEN payload END AS payload
    FROM events WHERE seq >= ? AND (seq = ? OR list_contains(?, kind)) ORDER BY seq
"""

Event = Mapping[str, Any]
"""A row of `events`; `payload` is there for verdicts and claims."""


def since(w: Writer, seen: Head) -> list[Event] | None:
    """The events after one that was seen, as far as they may concern a desk, in order; None where that one is no longer
    in the record. Those of the open write itself are not asked of the ledger."""
    own = w.events_after(seen)
    if own is not None:
        return [event for event in own if event["kind"] in _HEARD]
    events = w.read(_TAIL, [list(_TOLD), seen.seq, seen.seq, list(_HEARD)])
    if seen.seq and (not events or bytes(events[0]["hash"]) != seen.hash):
        return None
    return [event for event in events if event["seq"] > seen.seq]


@dataclass(slots=True)
class Changes:
    """What became of tasks. A claim says all that it changes, and a verdict ends its task; whatever else happened,
    also before or after, is only known from the task's row."""

    ended: set[str] = field(default_factory=set)
    claimed: dict[str, Event] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)

    def note(self, task_id: str, event: Event) -> None:
        """Take note of the next event about a task."""
        claimed_anew = event["kind"] == CLAIMED and task_id not in self.ended | self.unclear
        for known in (self.ended, self.unclear):
            known.discard(task_id)
        self.claimed.pop(task_id, None)
        if claimed_anew:
            self.claimed[task_id] = event
        else:
            (self.ended if event["kind"] == GIVEN else self.unclear).add(task_id)
