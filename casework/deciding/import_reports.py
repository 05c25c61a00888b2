"""Which files came in, what became of their lines, and what should their owners know of that?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson

from data.errors import NotFoundError
from data.incoming.import_record import SAME_REASON
from data.ledger import Ledger

JSON = dict[str, Any]
MOST = 500
"""Imports that are listed at most."""
MOST_REASONS, MOST_SHOWN = 50, 200
"""Different reasons, and quarantined lines, that come with one import at most."""
MOST_LINES = 100_000
"""Quarantined lines that are given out as a file at most."""

_ON_RECORD = """
    SELECT i.*, e.actor AS imported_by, e.payload FROM imports i
    LEFT JOIN events e ON e.kind = 'import.completed' AND e.subject = 'import:' || i.import_id
    WHERE ? IN ('', i.import_id) ORDER BY i.imported_at DESC, e.seq DESC LIMIT ?
"""
_COUNTED = ("labels", "frauds", "other_reason", "beyond_memory", "taken_back")
_LINES = "SELECT line, field, reason FROM quarantine WHERE import_id = ? ORDER BY line, field LIMIT ?"
_REASONS = f"""
    SELECT field, same AS reason, count(*) AS lines
    FROM (SELECT field, {SAME_REASON} AS same FROM quarantine WHERE import_id = ?)
    GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT ?
"""


def listed(ledger: Ledger) -> list[JSON]:
    """Every import, newest first (at most `MOST`): its file, who brought it and when, and what became of its lines.

    `holds` is transactions or outcomes. `labels` came with the transactions, `frauds` are outcomes that say fraud,
    `other_reason` lines that say nothing about it; `beyond_memory` and `taken_back` are what `warnings` warns of.
    """
    return [_told(row) for row in ledger.read(_ON_RECORD, ["", MOST])]


def one(ledger: Ledger, import_id: str) -> JSON:
    """One import as `listed`, with `warnings` in words, `reasons` ({field, reason, lines}, the most frequent first) and
    the first of its quarantined lines ({line, field, reason}). NotFoundError if there is none of this id."""
    found = ledger.read(_ON_RECORD, [import_id, 1]) if import_id else []
    if not found:
        raise _unknown(import_id)
    told = _told(found[0])
    return {
        **told,
        "warnings": warnings(told["beyond_memory"], told["taken_back"]),
        "reasons": ledger.read(_REASONS, [import_id, MOST_REASONS]),
        "lines": ledger.read(_LINES, [import_id, MOST_SHOWN]),
    }


def quarantined(ledger: Ledger, import_id: str) -> list[JSON]:
    """The lines of an import that were kept apart: {line, field, reason}, in order, at most `MOST_LINES`.

    Their cells stay where they are: whoever has the file finds them by the line, and a cell in the wrong column may be
    somebody's name. NotFoundError as for `one`.
    """
    if not ledger.read("SELECT 1 FROM imports WHERE import_id = ? LIMIT 1", [import_id]):
        raise _unknown(import_id)
    return ledger.read(_LINES, [import_id, MOST_LINES])


def warnings(beyond_memory: int, taken_back: int, memory: timedelta | None = None) -> list[str]:
    """Sentences about what is in, and not as its owner may think; `memory` is how far back features remember, None
    where it is not known how far they did."""
    told = []
    if beyond_memory:
        told.append(
            f"{beyond_memory:,} of these are {_how_old(memory)} the newest on record, so nothing is counted for them:"
            " their windows are empty, and whoever learns from them learns that. Import old history before anything"
            " newer, into a new workspace, or raise `lateness` in features.yaml until it reaches back to them, which"
            " costs memory."
        )
    if taken_back:
        told.append(
            f"{taken_back:,} labels of this file say of a transaction that it is no fraud though fraud was on"
            " record, and now they are in force. If that was a chargeback, report it again in an outcomes file with the"
            " day on which it became known: what is told last counts."
        )
    return told


def _how_old(memory: timedelta | None) -> str:
    if memory is None:
        return "further than the features remembered (their horizon and lateness) before"
    return (
        f"more than {memory / timedelta(days=1):,.0f} days (horizon and lateness of the features) older than"
    )


def _told(row: JSON) -> JSON:
    payload = row.pop("payload")
    said = orjson.loads(payload) if payload else {}
    holds = said.get("holds", "transactions")
    return {**row, "holds": holds, **{name: said.get(name, 0) for name in _COUNTED}}


def _unknown(import_id: str) -> NotFoundError:
    return NotFoundError(
        "no import of that id is on record", where=import_id[:128], hint="GET /v1/imports lists them."
    )
