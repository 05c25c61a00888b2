"""How is a stored dossier shown once more so that it looks as if its payment had just come in?

Every moment in it is moved by whole weeks (or, where none fits, days), so that hour and weekday stay true, and the task
gets the deadline that such a payment would have. The guideline is the one in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from casework.cases.dossiers import Guideline
from data.canonical import rfc3339

_WEEK, _DAY = timedelta(weeks=1), timedelta(days=1)
_MOMENTS = ("occurred_at", "decided_at", "settled_at")
LONGEST = timedelta(hours=12)
"""A payment shown again looks no older than this, nor than half the time that its deadline leaves."""


def shift(decided_at: datetime, at: datetime, deadline: timedelta) -> timedelta | None:
    """By how much a payment decided at `decided_at` is moved to look fresh at `at`; None where neither whole weeks nor
    whole days bring it near enough now."""
    age, window = at - decided_at, min(deadline / 2, LONGEST)
    for step in (_WEEK, _DAY):
        past = age % step
        if past <= window and age >= step:
            return age - past
    return None


def keeps_weekday(moved: timedelta) -> bool:
    return moved % _WEEK == timedelta(0)


def dossier(stored: Mapping[str, Any], by: timedelta, guideline: Guideline) -> dict[str, Any]:
    """The dossier with all its moments moved, and the guideline in force; it remembers by how much it was moved."""
    shown = {"version": guideline.version, "text": guideline.text}
    return {**moved(stored, by), "guideline": shown, "moved_us": by // timedelta(microseconds=1)}


def moved_by(shown: Mapping[str, Any]) -> timedelta:
    """By how much the moments of a dossier were moved; zero for one that is shown for the first time."""
    return timedelta(microseconds=shown.get("moved_us", 0))


def moved(value: Any, by: timedelta) -> Any:
    """The same content with every moment in it moved (`by` may be negative)."""
    if isinstance(value, Mapping):
        return {
            name: _later(each, by) if name in _MOMENTS else moved(each, by) for name, each in value.items()
        }
    return [moved(each, by) for each in value] if isinstance(value, list | tuple) else value


def _later(moment: Any, by: timedelta) -> Any:
    if isinstance(moment, datetime):
        return moment + by
    return rfc3339(datetime.fromisoformat(moment) + by) if isinstance(moment, str) and moment else moment
