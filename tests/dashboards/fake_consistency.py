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


ROUTES = [
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
