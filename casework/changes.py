"""Has anything been recorded that changes what a report says, apart from payments that went on flowing in?"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from data.ledger import Ledger

FLOW = (
    "transaction.decided", "transactions.recorded", "case.opened", "case.alert_joined", "task.opened",
    "session.started", "session.ended", "figures.read",
)  # fmt: skip
"""What payments bring by themselves, and that somebody signed in or looked. All else is somebody's or a job's act."""
SHARE = 1000
"""One part in so many of the record may flow in before a report counts as behind."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the record stood: its last event, and the last one that was no mere flow."""

    head: int
    acted: int

    def still_holds(self, now: Stand) -> bool:
        """Whether nobody has acted since, and hardly anything flowed in."""
        return now.acted == self.acted and (now.head - self.head) * SHARE <= self.head


class Changes:
    """The stand of one ledger; only what came since it was last asked for is read."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._last: Stand | None = None

    def stand(self) -> Stand:
        """The stand at this moment, or a later one: what is read after it is at least as new."""
        head = self._ledger.last_event.seq
        with self._lock:
            found = self._last
            if found is None or head < found.head:
                found = Stand(head, head)
            elif head > found.head:
                found = Stand(head, max(found.acted, self._acted(found.head, head)))
            self._last = found
            return found

    def _acted(self, after: int, until: int) -> int:
        marks = ", ".join("?" for _ in FLOW)
        sql = f"SELECT max(seq) AS seq FROM events WHERE seq > ? AND seq <= ? AND kind NOT IN ({marks})"
        return int(self._ledger.read(sql, [after, until, *FLOW])[0]["seq"] or 0)
