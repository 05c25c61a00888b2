"""Is the kill switch on, who turned it, and may this person turn it?

One person stops, at once and alone: waiting for a second one costs more than a stop that was not needed. Starting
again is the step that lets the engine decline people, so a different person takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.safety.naming import reason_of
from data.errors import ConflictError, PermissionDenied
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

SUBJECT = "kill_switch"


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """How it stands: on or off, and by the last turn."""

    is_on: bool = False
    turned_at: datetime | None = None
    turned_by: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def standing(source: Ledger | Writer) -> KillSwitch:
    """How it stands; off where it was never turned."""
    rows = source.read(
        "SELECT is_on, turned_at, turned_by, reason FROM kill_switch ORDER BY event_seq DESC LIMIT 1"
    )
    return KillSwitch(**rows[0]) if rows else KillSwitch()


def turns(source: Ledger | Writer) -> list[dict[str, Any]]:
    """Every turn, newest first."""
    return source.read(
        "SELECT is_on, turned_at, turned_by, reason FROM kill_switch ORDER BY event_seq DESC LIMIT 100"
    )


def turn(w: Writer, on: bool, *, by: str, reason: str, at: datetime) -> KillSwitch:
    """Turn it on or off. ConflictError if it stands so already, PermissionDenied if the person who stopped would
    start again, InputError without a reason."""
    now = standing(w)
    why = reason_of(reason, "the kill switch")
    if now.is_on is on:
        raise ConflictError(f"the kill switch is {'on' if on else 'off'} already", where=now.turned_by)
    if not on and now.turned_by == by:
        raise PermissionDenied(
            "you turned the kill switch on, so someone else must turn it off",
            allowed="another risk manager or admin",
            hint="Tell a colleague why it is safe to go on.",
        )
    payload = {"is_on": on, "reason": why}
    word = "on" if on else "off"
    event_seq = w.event(EventDraft(by, f"kill_switch.turned_{word}", SUBJECT, payload), at)
    made = KillSwitch(on, at, by, why)
    w.insert("kill_switch", [{**made.as_json(), "event_seq": event_seq}])
    return made
