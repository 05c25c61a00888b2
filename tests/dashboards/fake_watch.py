"""What does the made-up institution behind the fake API know of its week, its drift and its labels?"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

WATCHED: dict[str, Any] = json.loads((Path(__file__).parent / "fake_watch.json").read_text())


def _fixed(name: str) -> Callable[[Any, Any], Any]:
    return lambda _api, _asked: copy.deepcopy(WATCHED[name])


def _noted(route: str) -> Callable[[Any, Any], Any]:
    def note(api: Any, asked: Any) -> Any:
        api.switched.append((route, "/".join(asked.parts), asked.body))
        return {}

    return note


ROUTES: list[tuple[str, str, bool, Callable[[Any, Any], Any]]] = [
    ("GET", "/watch/digests", False, _fixed("digests")),
    ("GET", "/watch/digests/[^/]+", False, _fixed("digest")),
    ("GET", "/watch/drift", False, _fixed("drift")),
    ("GET", "/watch/widenings", False, _fixed("widenings")),
    ("POST", "/watch/widenings/([^/]+)/end", False, _noted("end widening")),
    ("GET", "/labels/changes", False, _fixed("changes")),
    ("GET", "/campaigns", False, _fixed("campaigns")),
    ("POST", "/campaigns", False, _noted("open campaign")),
    ("POST", "/campaigns/([^/]+)/close", False, _noted("close campaign")),
]
