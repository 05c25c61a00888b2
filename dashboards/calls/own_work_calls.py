"""How does the console ask the API what a person is told of his or her own work?"""

from __future__ import annotations

from typing import Any

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]


class OwnWorkCalls:
    """The part of the API about one's own work, and what a team lead may read of it. Raises ApiError for anything but
    success."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def mine(self) -> Json:
        """Session, pace, disagreements, golden cases and scorecards of the asker."""
        return self._ask("GET", "/me/work")

    def open_scorecard(self, scorecard_id: str) -> Json:
        """One's own scorecard; others may read it from then on."""
        return self._ask("GET", f"/me/scorecards/{scorecard_id}")

    def comment(self, scorecard_id: str, text: str) -> None:
        self._ask("POST", f"/me/scorecards/{scorecard_id}/comments", body={"comment": text})

    def of_others(self) -> list[Json]:
        """Everybody's latest scorecard by name, without figures."""
        found: list[Json] = self._ask("GET", "/scorecards")["scorecards"]
        return found

    def look_at(self, scorecard_id: str) -> Json:
        """Somebody else's scorecard; the look is recorded."""
        return self._ask("GET", f"/scorecards/{scorecard_id}")

    def consensus(self) -> Json:
        """On what labels take people's word, and where one more look was asked for."""
        return self._ask("GET", "/consensus")
