"""How does the console ask the API what changed, what drifted, what is believed and what is being labelled?"""

from __future__ import annotations

from typing import Any

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]


class WatchCalls:
    """The part of the API that watches and teaches. Raises ApiError for anything but success."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def digest(self, digest_id: str = "latest") -> Json:
        return self._ask("GET", f"/watch/digests/{digest_id}")

    def digests(self) -> Json:
        return self._ask("GET", "/watch/digests")

    def drift(self) -> Json:
        return self._ask("GET", "/watch/drift")

    def widenings(self) -> Json:
        return self._ask("GET", "/watch/widenings")

    def end_widening(self, segment: str, reason: str) -> None:
        self._ask("POST", f"/watch/widenings/{segment}/end", body={"reason": reason})

    def label_changes(self, before: str = "", after: str = "") -> Json:
        return self._ask("GET", "/labels/changes", query={"before": before, "after": after})

    def void(self, reviewer: str, since: str, until: str, reason: str) -> Json:
        body = {"reviewer": reviewer, "since": since, "until": until, "reason": reason}
        return self._ask("POST", "/voided-verdicts", body=body)

    def campaigns(self) -> Json:
        return self._ask("GET", "/campaigns")

    def open_campaign(self, form: Json) -> Json:
        return self._ask("POST", "/campaigns", body=form)

    def close_campaign(self, campaign_id: str, reason: str) -> Json:
        return self._ask("POST", f"/campaigns/{campaign_id}/close", body={"reason": reason})
