"""What would the daily and weekly looks have found at the simulated institution, and what was put before people?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.app import App
from casework.deciding.intake import guideline_of
from casework.learning.campaigns import campaigns
from casework.quality.pilots import batches
from casework.watching import digest, reports

WEEK = timedelta(days=7)
LOOKS, DIGESTS = 3, 2
"""Of the last weeks, how many are looked at for drift and how many get a digest: each takes a second to make."""
CAMPAIGN_BEFORE_END = timedelta(days=12)
LABELLED = 40
PILOT_BEFORE_END, PILOT_LASTS = timedelta(days=20), timedelta(days=8)
PILOTED = 20


class Watching:
    """Keeps up what a served workspace does by itself once a day and once a week, towards the end of the demo."""

    def __init__(self, app: App, end: datetime) -> None:
        self._app = app
        self._looks = [end - n * WEEK for n in range(LOOKS - 1, -1, -1)]
        self._digests = [end - n * WEEK for n in range(DIGESTS - 1, -1, -1)]
        self._campaign: datetime | None = end - CAMPAIGN_BEFORE_END
        self._pilot: datetime | None = end - PILOT_BEFORE_END
        self._opened = ""

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
        if self._pilot is not None and self._pilot <= now:
            self._pilot = None if self._opened else now + PILOT_LASTS
            self._pilot_step(now)

    def _pilot_step(self, now: datetime) -> None:
        """Put the same past cases before every analyst at once; a week later the team lead ends it."""
        app, lead = self._app, "team-lead-1"
        settings = app.live.settings
        with app.ledger.writing() as w:
            if self._opened:
                batches.close(w, self._opened, lead, now)
                return
            batch = batches.Batch("Do we read the guideline alike?", PILOTED)
            guideline = guideline_of(settings.files)
            self._opened = batches.open_pilot(w, batch, guideline, settings.policy, app.key, lead, now)
