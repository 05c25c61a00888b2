"""Which alarms has the risk manager of the demo seen to, and which are left to the visitor?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.app import App
from casework.safety import actions, alarms

BY = "risk-manager-1"
WITHIN = timedelta(hours=20)
"""How long an alarm waits for the risk manager to look at it."""
LEFT_OPEN = 2
"""Of the latest alarms, how many nobody has seen to when the demo ends."""
_FOUND = {
    alarms.BREAKER: "A burst of tested cards; the rule did what it is for, and the cards are blocked.",
    "surge": "A sale at two large merchants; looked at twenty hits, all of the kind the rule is for.",
    "silence": "The feed of that channel was down for a night; it is back.",
}
_LOOKED = "Looked at it with the team lead; nothing to change."


class Answering:
    """Acknowledges what has waited long enough, but for the newest alarm."""

    def __init__(self, app: App) -> None:
        self._app = app

    def keep_up(self, now: datetime) -> None:
        """See to every alarm that is older than WITHIN, except the newest."""
        waiting = alarms.listed(self._app.ledger)[1:]
        self._acknowledge([each for each in waiting if now - each["raised_at"] >= WITHIN], now)

    def leave(self, now: datetime) -> None:
        """See to all but the last few."""
        self._acknowledge(alarms.listed(self._app.ledger)[LEFT_OPEN:], now)

    def _acknowledge(self, which: list[dict[str, object]], now: datetime) -> None:
        for alarm in which:
            reason = _FOUND.get(str(alarm["kind"]), _LOOKED)
            actions.acknowledge(self._app, str(alarm["alarm_id"]), by=BY, reason=reason, at=now)
