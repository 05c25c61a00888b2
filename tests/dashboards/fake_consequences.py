"""What does the made-up institution behind the fake API know of the consequences of its rules and thresholds?

The answers are those of a demo workspace, shortened; the file beside this module holds them.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_HELD: Json = json.loads(Path(__file__).with_suffix(".json").read_text())


def tuner(query: dict[str, str]) -> Json:
    """The setting asked for under its own cut-offs; without any, what a page begins with."""
    found = copy.deepcopy(_HELD["tuner" if "review_at" in query else "tuner_start"])
    found["costs"] |= {name: float(query[name]) for name in found["costs"] if name in query}
    if "review_at" not in query:
        return found
    for cut in ("review_at", "decline_at"):
        found["asked"][cut] = float(query[cut])
    found["proposal"]["yaml"] = f"thresholds: {{review_at: {query['review_at']}}}"
    return found


def effect(query: dict[str, str]) -> Json:
    found = copy.deepcopy(_HELD["effect"])
    found["as_of"] = found["until"]
    first = int(query.get("offset", 0))
    found["flips"] = found["flips"][first:] if first < 3 else []
    found["next_offset"] = 15 if first == 0 else None
    return found


def report() -> Json:
    return copy.deepcopy(_HELD["report"])


def review() -> Json:
    return copy.deepcopy(_HELD["review"])


ROUTES: list[Any] = [
    ("GET", "/tuner", False, lambda _api, asked: tuner(asked.query)),
    ("GET", "/previews", False, lambda _api, asked: effect(asked.query)),
    ("GET", "/rules/report", False, lambda _api, _asked: report()),
    ("GET", "/rules/review", False, lambda _api, _asked: review()),
]
