"""How does the console ask the API what rules and thresholds did, and what a change of them would do?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

Json = dict[str, Any]
_PATIENT = httpx.Timeout(1200.0, connect=3.0)
"""For what the API decides again while the caller waits."""


class ConsequenceCalls:
    """The part of the API about consequences. Raises ApiError for anything but success."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def tuner(self, asked: Mapping[str, Any]) -> Json:
        """Settings of the two cut-offs over the past; `asked` as GET /v1/tuner has it."""
        return self._ask("GET", "/tuner", query=asked, timeout=_PATIENT)

    def rules_report(self, *, since: str = "", until: str = "", entity: str = "") -> Json:
        query = {"since": since, "until": until, "entity": entity}
        return self._ask("GET", "/rules/report", query=query, timeout=_PATIENT)

    def rules_review(self, *, since: str = "", until: str = "") -> Json:
        return self._ask("GET", "/rules/review", query={"since": since, "until": until}, timeout=_PATIENT)

    def effect(
        self,
        proposal_id: str = "",
        *,
        since: str = "",
        limit: int = 20,
        offset: int = 0,
        wait: float | None = None,
    ) -> Json:
        """What a proposal, or without one the files edited in the workspace, would have changed; or, after `wait`
        seconds, how far that is (`working`, `share`, `seconds`)."""
        query = {"since": since, "limit": limit, "offset": offset, "wait": wait}
        path = f"/proposals/{proposal_id}/preview" if proposal_id else "/previews"
        return self._ask("GET", path, query=query, timeout=_PATIENT)

    def effect_of(self, files: Mapping[str, str]) -> Json:
        """What texts that are saved nowhere would have changed."""
        return self._ask("POST", "/previews", body={"files": dict(files), "limit": 0}, timeout=_PATIENT)
