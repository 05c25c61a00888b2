"""How does the console ask the API about files that came in, and send one?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]
_WHILE_IT_COMES_IN = httpx.Timeout(3600.0, connect=3.0)
"""A million rows into a workspace that decides meanwhile take half an hour."""
TRANSACTIONS, OUTCOMES = "transactions", "outcomes"
_DOORS = {TRANSACTIONS: "/imports", OUTCOMES: "/outcome-imports"}


class ImportCalls:
    """The part of the API by which files come in. Raises ApiError for anything but success."""

    def __init__(self, ask: Ask, answer: Callable[..., httpx.Response]) -> None:
        self._ask, self._answer = ask, answer

    def send(self, holds: str, name: str, content: BinaryIO) -> Json:
        """Import a file of transactions or outcomes; the answer comes when all of it is in."""
        files = {"file": (name, content)}
        return self._answer("POST", _DOORS[holds], files=files, timeout=_WHILE_IT_COMES_IN).json()

    def listed(self) -> list[Json]:
        """The latest 500 imports, newest first."""
        found: list[Json] = self._ask("GET", "/imports")["imports"]
        return found

    def one(self, import_id: str) -> Json:
        """An import with its warnings and the first of its quarantined lines."""
        return self._ask("GET", f"/imports/{quote(import_id, safe='')}")

    def quarantine(self, import_id: str) -> bytes:
        """All of its quarantined lines, as CSV."""
        return self._answer("GET", f"/imports/{quote(import_id, safe='')}/quarantine.csv").content
