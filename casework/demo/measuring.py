"""When are the demo's reviewers measured, and what do they say to their scorecards?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.app import App
from casework.quality.consensus import further
from casework.quality.scorecards import editions

WEEK, DAY = timedelta(days=7), timedelta(days=1)
COMMENTS = {
    "analyst-2": "Some of these were families who share one device. The guideline does not say what to do.",
    "analyst-4": "I was on nights for most of this.",
}
LEAD = "team-lead-1"


class Measuring:
    """Does week by week what the daily jobs of a served workspace would, so that the demo is built quickly."""

    def __init__(self, app: App, start: datetime) -> None:
        self._app, self._fitted, self._asked = app, start, start

    def keep_up(self, now: datetime) -> None:
        """Estimate error rates and issue scorecards each week, and ask for further reviews each day."""
        app = self._app
        if now - self._fitted >= WEEK:
            self._fitted = now
            app.keep_up_consensus("scheduler")
            editions.issue_due(app.ledger, app.live.settings.policy, now)
        if now - self._asked >= DAY:
            self._asked, policy = now, app.live.settings.policy
            with app.ledger.writing() as w:
                further.ask_further(w, policy, app.key, now)


def read_scorecards(app: App, now: datetime) -> None:
    """Two reviewers have opened their latest scorecards and commented; the team lead has read one of them."""
    policy = app.live.settings.policy
    for reviewer, text in COMMENTS.items():
        cards = editions.of_reviewer(app.ledger, reviewer)
        if cards:
            name = cards[0]["scorecard_id"]
            editions.open_own(app.ledger, name, reviewer, now)
            editions.comment(app.ledger, name, reviewer, text, now)
            if reviewer == next(iter(COMMENTS)):
                editions.look_at(app.ledger, policy, name, LEAD, now)
