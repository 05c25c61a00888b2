"""How does the console ask the API about kill switch, alarms, snoozes, lists and trials?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]


class Ask(Protocol):
    """One request; the JSON of the answer."""

    def __call__(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Any: ...


class SafetyCalls:
    """The part of the API that keeps control of what decides. Raises ApiError for anything but success."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def banner(self) -> Json:
        """The kill switch and the open alarms."""
        return self._ask("GET", "/alarms")

    def overview(self) -> Json:
        return self._ask("GET", "/safety")

    def turn_kill_switch(self, is_on: bool, reason: str) -> Json:
        return self._ask("POST", "/kill-switch", body={"is_on": is_on, "reason": reason})

    def acknowledge(self, alarm_id: str, reason: str) -> None:
        self._ask("POST", f"/alarms/{alarm_id}/acknowledgement", body={"reason": reason})

    def resume(self, act_id: str, reason: str, expected: float | None) -> Json:
        return self._ask("POST", f"/breaker/{act_id}/end", body={"reason": reason, "expected": expected})

    def snoozes(self) -> Json:
        return self._ask("GET", "/snoozes")

    def snooze(self, form: Mapping[str, Any]) -> Json:
        return self._ask("POST", "/snoozes", body=dict(form))

    def end_snooze(self, snooze_id: str, reason: str) -> None:
        self._ask("POST", f"/snoozes/{snooze_id}/end", body={"reason": reason})

    def entries(self) -> Json:
        return self._ask("GET", "/list-entries")

    def list_value(self, form: Mapping[str, Any]) -> Json:
        return self._ask("POST", "/list-entries", body=dict(form))

    def confirm_entry(self, entry_id: str) -> None:
        self._ask("POST", f"/list-entries/{entry_id}/confirmation")

    def end_entry(self, entry_id: str, reason: str) -> None:
        self._ask("POST", f"/list-entries/{entry_id}/end", body={"reason": reason})

    def trials(self) -> Json:
        return self._ask("GET", "/trials")

    def trial(self, trial_id: str) -> Json:
        return self._ask("GET", f"/trials/{trial_id}")

    def stop_trial(self, trial_id: str, reason: str) -> None:
        self._ask("POST", f"/trials/{trial_id}/stop", body={"reason": reason})
