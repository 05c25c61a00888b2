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


def dossier(stored: Mapping[str, Any], moved: timedelta, guideline: Guideline) -> dict[str, Any]:
    """The dossier with all its moments moved, and the guideline in force."""
    transaction = {
        **stored["transaction"],
        "occurred_at": _later(stored["transaction"]["occurred_at"], moved),
    }
    return {
        **stored,
        "decided_at": _later(stored["decided_at"], moved),
        "transaction": transaction,
        "history": [
            {**row, "occurred_at": _later(row["occurred_at"], moved)} if "occurred_at" in row else row
            for row in stored["history"]
        ],
        "guideline": {"version": guideline.version, "text": guideline.text},
    }


def _later(moment: str, moved: timedelta) -> str:
    return rfc3339(datetime.fromisoformat(moment) + moved)
