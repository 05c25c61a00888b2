"""What would a considerate colleague say to somebody at work now: take a break, look again at a run?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from casework.quality.pace.report import ODD
from casework.quality.pace.runs import identical
from casework.quality.pace.shifts import Worked

PAUSE = timedelta(minutes=5)
"""A pause from which on work has been interrupted."""
LONG = timedelta(minutes=90)
STILL_AT_WORK = timedelta(minutes=10)


def nudges(worked: Sequence[Worked], reviewer: str, at: datetime, *, seed: int = 0) -> list[str]:
    """Suggestions to one person, for that person alone: a break after LONG without a PAUSE, a second look at a run of
    identical verdicts that shuffled order hardly ever makes. Empty for somebody who is not at work."""
    stretch = _stretch([one for one in worked if one.reviewer == reviewer], at)
    if not stretch:
        return []
    told = []
    began = stretch[0].given_at - timedelta(seconds=stretch[0].seconds)
    if at - began >= LONG:
        minutes = int((at - began).total_seconds() // 60)
        told.append(
            f"You have worked {minutes} minutes without a pause of five. A break now would do you good."
        )
    runs = identical([[one.flagged for one in stretch]], seed=seed)
    if runs["chance"] is not None and runs["chance"] < ODD:
        told.append(
            f"{runs['longest']} verdicts in a row were the same, which the same verdicts in another order would hardly "
            "make. It may be the cases; a second look at the last ones costs little."
        )
    return told


def _stretch(mine: Sequence[Worked], at: datetime) -> list[Worked]:
    """The verdicts since the last pause, oldest first; none where the last one is long ago."""
    found: list[Worked] = []
    later = at
    for one in sorted(mine, key=lambda w: w.given_at, reverse=True):
        if later - one.given_at >= (PAUSE if found else STILL_AT_WORK):
            break
        found.insert(0, one)
        later = one.given_at - timedelta(seconds=one.seconds)
    return found
