"""When did a stretch of work begin, and the how-manieth verdict of it was each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

BREAK = timedelta(minutes=30)
"""A pause from which a new shift is counted."""


@dataclass(frozen=True, slots=True)
class Worked:
    """One verdict as a piece of work: `seconds` without idle time; `mix` says what kind of case it was (display arm,
    reason, ...), so that like is compared with like; `fraud` is the truth, None where not known."""

    reviewer: str
    item: str
    given_at: datetime
    seconds: float
    flagged: bool
    mix: tuple[str, ...] = ()
    fraud: bool | None = None


@dataclass(frozen=True, slots=True)
class InShift:
    """A verdict in its shift: `shift` numbers the shifts of everybody, `position` counts from 1."""

    work: Worked
    shift: int
    position: int


def in_shifts(worked: Sequence[Worked]) -> list[InShift]:
    """Everybody's verdicts in order, split where nothing was done for BREAK."""
    found: list[InShift] = []
    shift, position, before = -1, 0, None
    for one in sorted(worked, key=lambda w: (w.reviewer, w.given_at)):
        same = before is not None and before.reviewer == one.reviewer
        began = one.given_at - timedelta(seconds=one.seconds)
        if not same or before is None or began - before.given_at >= BREAK:
            shift, position = shift + 1, 0
        position += 1
        found.append(InShift(one, shift, position))
        before = one
    return found
