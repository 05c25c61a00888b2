"""What does the made-up institution behind the fake API know of how consistently its people decide?

The answers are those of the reports on made-up verdicts; the file beside this module holds them.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from fake_asking import Asked, Refused
from fake_institution import CONSISTENCY

Json = dict[str, Any]
HELD: Json = json.loads(Path(__file__).with_suffix(".json").read_text())


def _part(name: str) -> Any:
    return lambda _api, _asked: copy.deepcopy(HELD[name])


def _slices(_api: Any, asked: Asked) -> Json:
    empty = {"fact": asked.query["by"], "groups": [], "n_values": 0, "without_overlap": 0, "left_out": 0}
    return copy.deepcopy(HELD["slices"].get(asked.query["by"], empty))


def _disputes(_api: Any, asked: Asked) -> Json:
    return copy.deepcopy(HELD["disputes"][asked.query["against"]])


def _person(_api: Any, asked: Asked) -> Json:
    name = asked.parts[0]
    if not name.startswith("analyst-"):
        raise Refused(404, "Not found", "there are no figures of such a person for you", "")
    return {**copy.deepcopy(HELD["person"]), "reviewer": name}


REPORT: Json = {
    **{name: CONSISTENCY[name] for name in ("raw", "alpha", "ac1")},
    "categories": ["legitimate", "inconclusive", "confirmed_fraud"],
    "pairs": [
        {"reviewers": ["analyst-1", "analyst-2"], "n": 40, "matrix": [[25, 1, 6], [0, 1, 0], [2, 0, 5]]}
    ],
    "most_disputed": [
        {"item": "t_90001", "said": {"legitimate": 1, "inconclusive": 0, "confirmed_fraud": 1}}
    ],
}
FIRST: Json = {
    "pilot_id": "pilot_1", "name": "New devices", "opened_by": "team-lead-1", "opened_at": "2026-03-02T09:00:00Z",
    "follows": "", "guideline_version": "1f3a", "closed_at": "2026-03-09T09:00:00Z", "cases": 40, "people": 2,
    "asked": 80, "answered": 80,
}  # fmt: skip
SECOND: Json = {**FIRST, "pilot_id": "pilot_2", "name": "New devices, again", "follows": "pilot_1", "closed_at": None,
                "guideline_version": "9c07"}  # fmt: skip
CHANGED: Json = {
    "n_cases": 40, "sentence": "Alpha rose by 0.21 (+0.05 to +0.38) on the same cases.",
    **{name: {"difference": 0.21, "low": 0.05, "high": 0.38} for name in ("raw", "alpha", "ac1")},
}  # fmt: skip


def _pilot(_api: Any, asked: Asked) -> Json:
    if asked.parts[0] == "pilot_1":
        return {**FIRST, "report": REPORT, "before": None}
    told = {"change": CHANGED, "guideline_change": ["+Call the customer."], "days_between": 21}
    return {**SECOND, "report": REPORT, "before": REPORT, **told}


def _open_pilot(api: Any, asked: Asked) -> Json:
    api.answers["GET /consistency/pilots"] = {"pilots": [{**FIRST, "name": asked.body["name"]}]}
    return {"pilot_id": "pilot_3"}


ROUTES = [
    ("GET", "/consistency/pilots", False, lambda _api, _asked: {"pilots": [SECOND, FIRST]}),
    ("POST", "/consistency/pilots", False, _open_pilot),
    ("GET", "/consistency/pilots/([^/]+)", False, _pilot),
    ("POST", "/consistency/pilots/[^/]+/close", False, lambda _api, _asked: None),
    ("GET", "/consistency", False, lambda _api, _asked: copy.deepcopy(CONSISTENCY)),
    ("GET", "/consistency/slices", False, _slices),
    ("GET", "/consistency/trend", False, _part("trend")),
    ("GET", "/consistency/second-looks", False, _part("second_looks")),
    ("GET", "/consistency/display", False, _part("display")),
    ("GET", "/consistency/disputes", False, _disputes),
    ("GET", "/consistency/pace", False, _part("pace")),
    ("GET", "/consistency/people", False, _part("people")),
    ("GET", "/consistency/people/([^/]+)", False, _person),
]
