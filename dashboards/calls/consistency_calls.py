"""How does the console ask the API how consistently people decide?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]


class ConsistencyCalls:
    """The parts of the consistency report. Raises ApiError for anything but success."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def slices(self, by: str) -> Json:
        return self._ask("GET", "/consistency/slices", query={"by": by})

    def trend(self) -> Json:
        return self._ask("GET", "/consistency/trend")

    def second_looks(self) -> Json:
        return self._ask("GET", "/consistency/second-looks")

    def display(self) -> Json:
        return self._ask("GET", "/consistency/display")

    def disputes(self, against: str) -> Json:
        return self._ask("GET", "/consistency/disputes", query={"against": against})

    def pace(self) -> Json:
        return self._ask("GET", "/consistency/pace")

    def people(self) -> Json:
        """Agreement by pair among the people one leads; looking is recorded."""
        return self._ask("GET", "/consistency/people")

    def person(self, reviewer: str) -> Json:
        """One's own figures, or those of somebody one leads; looking at another's is recorded."""
        return self._ask("GET", f"/consistency/people/{reviewer}")

    def pilots(self) -> Json:
        return self._ask("GET", "/consistency/pilots")

    def pilot(self, pilot_id: str) -> Json:
        """One pilot with its report; looking is recorded."""
        return self._ask("GET", f"/consistency/pilots/{pilot_id}")

    def open_pilot(self, form: Mapping[str, Any]) -> Json:
        return self._ask("POST", "/consistency/pilots", body=dict(form))

    def close_pilot(self, pilot_id: str) -> None:
        self._ask("POST", f"/consistency/pilots/{pilot_id}/close")
