"""When are golden cases, re-serves and audits laid on desks in the demo, and when does somebody new begin?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.app import App
from casework.demo import people
from casework.people import signin
from casework.review.measuring import newcomers, rounds

EVERY = timedelta(hours=20)
"""Rarer than where a workspace is served, so that the demo is built quickly; never at the same hour of two days, since
a past payment is shown again at the hour at which it came in."""
FIRST_DAY = timedelta(days=6)
"""How long before the end the newcomer begins."""


class Drawing:
    """Draws every EVERY; `end` is the moment at which the demo is looked at."""

    def __init__(self, app: App, start: datetime, end: datetime) -> None:
        self._app, self._last, self._end = app, start, end
        self.newcomer_is_here = False

    def keep_up(self, now: datetime) -> None:
        """Employ the newcomer when the time has come, and draw what is due."""
        if not self.newcomer_is_here and now >= self._end - FIRST_DAY:
            self._employ(now)
        elif now - self._last < EVERY:
            return
        self._last = now
        rounds.draw_reviews(self._app)

    def _employ(self, now: datetime) -> None:
        self.newcomer_is_here = True
        with self._app.ledger.writing() as w:
            name, role = people.NEWCOMER, people.PEOPLE[people.NEWCOMER]
            signin.add_user(w, name, role.value, people.PASSWORD, by=people.ADMIN.user_id, at=now)
            newcomers.begin(w, name, "first week at work", "team-lead-1", now)
