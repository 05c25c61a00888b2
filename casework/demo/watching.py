"""What would the daily and weekly looks have found at the simulated institution, and what was put before people?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.app import App
from casework.learning import campaigns
from casework.watching import digest, reports

WEEK = timedelta(days=7)
LOOKS, DIGESTS = 3, 2
"""Of the last weeks, how many are looked at for drift and how many get a digest: each takes a second to make."""
CAMPAIGN_BEFORE_END = timedelta(days=12)
LABELLED = 40


class Watching:
    """Keeps up what a served workspace does by itself once a day and once a week, towards the end of the demo."""

    def __init__(self, app: App, end: datetime) -> None:
        self._app = app
        self._looks = [end - n * WEEK for n in range(LOOKS - 1, -1, -1)]
        self._digests = [end - n * WEEK for n in range(DIGESTS - 1, -1, -1)]
        self._campaign: datetime | None = end - CAMPAIGN_BEFORE_END

    def keep_up(self, now: datetime) -> None:
        """What has come due by now."""
        while self._looks and self._looks[0] <= now:
            self._looks.pop(0)
            reports.look(self._app)
        while self._digests and self._digests[0] <= now:
            self._digests.pop(0)
            digest.make(self._app)
        if self._campaign is not None and self._campaign <= now:
            self._campaign = None
            design = campaigns.Design("what nobody has looked at", campaigns.STRATIFIED, LABELLED)
            campaigns.launch(self._app, design, by="team-lead-1")
