"""Which files came in at the made-up institution, and what became of their lines?"""

from __future__ import annotations

from typing import Any

from fake_asking import Asked, Refused
from fake_clock import stamp

Json = dict[str, Any]
HISTORY: Json = {
    "import_id": "imp_1", "file_name": "history.parquet", "file_sha256": "ab" * 32, "mapping_sha256": "cd" * 32,
    "accepted": 61_240, "duplicate": 12, "quarantined": 3, "imported_at": stamp(days=3), "imported_by": "admin",
    "holds": "transactions", "labels": 410, "frauds": 0, "other_reason": 0, "beyond_memory": 31, "taken_back": 1,
}  # fmt: skip
CHARGEBACKS: Json = {
    **HISTORY, "import_id": "imp_2", "file_name": "chargebacks.csv", "accepted": 9, "duplicate": 0, "quarantined": 0,
    "imported_at": stamp(hours=2), "imported_by": "integrator-1", "holds": "outcomes", "labels": 0, "frauds": 7,
    "other_reason": 4, "beyond_memory": 0, "taken_back": 0,
}  # fmt: skip
LINES = [
    {"line": 7, "field": "transaction.amount", "reason": "no plain number"},
    {"line": 9, "field": "transaction.amount", "reason": "no plain number"},
    {"line": 40, "field": "line", "reason": "5 cells where the header has 6"},
]
REASONS = [
    {"field": "transaction.amount", "reason": "no plain number", "lines": 2},
    {"field": "line", "reason": "5 cells where the header has 6", "lines": 1},
]
WARNINGS = [
    "31 of these are older than features remember: their windows are empty.",
    "1 labels say no fraud.",
]


def _one(_api: Any, asked: Asked) -> Json:
    if asked.parts[0] == "imp_2":
        return {**CHARGEBACKS, "warnings": [], "reasons": [], "lines": []}
    if asked.parts[0] == "imp_1":
        return {**HISTORY, "warnings": WARNINGS, "reasons": REASONS, "lines": LINES}
    raise Refused(404, "Not found", "no import of that id is on record")


def _take(import_id: str) -> Any:
    def taken(api: Any, asked: Asked) -> Json:
        api.done.append((import_id, asked.body["name"], asked.body))
        return {"import_id": import_id}

    return taken


ROUTES: list[Any] = [
    ("GET", "/imports", False, lambda _api, _asked: {"imports": [CHARGEBACKS, HISTORY]}),
    ("POST", "/imports", False, _take("imp_1")),
    ("POST", "/outcome-imports", False, _take("imp_2")),
    ("GET", "/imports/([^/]+)", False, _one),
    ("GET", "/imports/([^/]+)/quarantine.csv", False, lambda _api, _asked: b"line,field,reason\r\n7,x,y\r\n"),
]
