"""How does the console ask the API what is on record?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]
_PATIENT = httpx.Timeout(1200.0, connect=3.0)
"""For a replay of many, or a large pack."""


class AuditCalls:
    """The part of the API that tells what is on record. Raises ApiError for anything but success."""

    def __init__(self, ask: Ask, answer: Callable[..., httpx.Response]) -> None:
        self._ask = ask
        self._answer = answer

    def found(self, wanted: str) -> Json:
        """What an id names."""
        return self._ask("GET", f"/audit/ids/{quote(wanted, safe='')}")

    def story(self, transaction_id: str) -> Json:
        """One decision from what went in to what was learned from it."""
        return self._ask("GET", f"/audit/decisions/{quote(transaction_id, safe='')}")

    def display(self, task_id: str) -> Json:
        """What a task's page showed."""
        return self._ask("GET", f"/audit/displays/{quote(task_id, safe='')}")

    def as_of(self, at: str = "") -> Json:
        """Rules, policy, model and people at a moment."""
        return self._ask("GET", "/audit/as-of", query={"at": at})

    def begin_verification(self) -> Json:
        return self._ask("POST", "/audit/verifications")

    def last_verification(self) -> Json:
        """How far the walk is, or what the last one found."""
        return self._ask("GET", "/audit/verifications/last")

    def events(self, search: Mapping[str, str], *, before: str = "", limit: int = 100) -> Json:
        """Events, newest first, from the one before `before` (an event's number; '' for the latest)."""
        return self._ask(
            "GET", "/events", query={**search, "before": before, "limit": limit, "order": "desc"}
        )

    def replay_sample(self, count: int, seed: str) -> Json:
        """Decide `count` decisions again."""
        body = {"sample": count, "seed": seed}
        return self._answer("POST", "/replays", body=body, timeout=_PATIENT).json()

    def replay(self, transaction_id: str) -> Json:
        return self._ask("GET", f"/replays/{quote(transaction_id, safe='')}")

    def replays(self) -> Json:
        return self._ask("GET", "/replays")

    def evidence(self, ids: Sequence[str], reason: str, *, unmask: bool) -> bytes:
        """The ZIP of an evidence pack."""
        body = {"ids": list(ids), "reason": reason, "unmask": unmask}
        return self._answer("POST", "/evidence", body=body, timeout=_PATIENT).content

    def erasure_preview(self, entity: str, value: str) -> Json:
        """What an erasure would take away."""
        return self._ask("POST", "/erasures/preview", body={"entity": entity, "value": value})

    def erase(self, entity: str, value: str, reason: str) -> Json:
        """Erase what is kept of a person; it cannot be undone."""
        body = {"entity": entity, "value": value, "reason": reason}
        return self._answer("POST", "/erasures", body=body, timeout=_PATIENT).json()

    def erasures(self) -> Json:
        return self._ask("GET", "/erasures")
