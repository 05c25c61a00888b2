"""What did each look at drift find, and what was done about it?"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from casework.safety.alarms import open_keys, raise_alarm
from casework.safety.naming import new_id
from casework.watching import drift, widening
from data.canonical import canonical_json
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.measuring.two_samples import ALARMING
from engine.policy import Policy

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
DRIFT, VOLUME, FRAUD = "drift", "volume", "reported_fraud"
EVERYWHERE = "everywhere"


def look(app: App, by: str = "scheduler") -> str:
    """One look at drift: stored as a report; an alarm and wider reviews for every segment whose inputs have drifted."""
    settings, at = app.settings(), app.clock()
    found = drift.examine(app.ledger, settings.features.features, settings.policy, at)
    if found is None:
        return f"Fewer than {drift.LEAST_ROWS} decisions to compare."
    with app.changing_control(), app.ledger.writing() as w:
        widened = store(w, found, settings.policy, at, by=by)
    looked_at = f" Reviews are widened in {', '.join(widened)}." if widened else ""
    return f"{found['sentence']}{looked_at}"


def store(w: Writer, found: JSON, policy: Policy, at: datetime, *, by: str) -> list[str]:
    """Keep a report, raise its alarms, widen reviews; the segments that were widened."""
    report_id = new_id("watch", found["until"], at.isoformat())
    drifted = sorted({name for s in found["segments"] if s["level"] == ALARMING for name in s["moved"]})
    wide = {row["segment"] for row in w.read("SELECT segment FROM widenings WHERE ends_at > ?", [at])}
    known, widened = open_keys(w), []
    for segment in found["segments"]:
        if segment["level"] == ALARMING:
            raise_alarm(w, DRIFT, segment["segment"], segment["sentence"], at, is_open=known, actor=by)
        name = segment["segment"]
        wanted = segment.get("inputs_drifted") and name not in wide
        if wanted and widening.widen(w, name, segment["sentence"], report_id, policy, at, actor=by):
            widened.append(name)
    for kind, part in ((VOLUME, found["volume"]), (FRAUD, found["reported_fraud"])):
        if part["level"] == ALARMING:
            raise_alarm(w, kind, EVERYWHERE, found["sentence"], at, is_open=known, actor=by)
    row = {
        "report_id": report_id,
        "made_at": at,
        "since": datetime.fromisoformat(found["since"]),
        "until": datetime.fromisoformat(found["until"]),
        "level": found["level"],
        "drifted": drifted,
    }
    content = {**found, "widened": widened}
    w.insert("watch_reports", [{**row, "content": canonical_json(content).decode()}])
    told = {**row, "widened": widened, "sentence": found["sentence"]}
    w.event(EventDraft(by, "watch.reported", f"watch:{report_id}", told), at)
    return widened


def latest(ledger: Ledger) -> JSON | None:
    """The last report with its contents, None where there is none."""
    rows = ledger.read("SELECT report_id, made_at, content FROM watch_reports ORDER BY made_at DESC LIMIT 1")
    return {**json.loads(rows[0]["content"]), **_head(rows[0])} if rows else None


def one(ledger: Ledger, report_id: str) -> JSON | None:
    rows = ledger.read(
        "SELECT report_id, made_at, content FROM watch_reports WHERE report_id = ?", [report_id]
    )
    return {**json.loads(rows[0]["content"]), **_head(rows[0])} if rows else None


def _head(row: JSON) -> JSON:
    return {"report_id": row["report_id"], "made_at": row["made_at"]}


def table(ledger: Ledger, limit: int = 60) -> list[JSON]:
    """Reports without their contents, newest first."""
    return ledger.read(
        "SELECT report_id, made_at, since, until, level, drifted, "
        "json_extract_string(content, '$.sentence') AS sentence FROM watch_reports ORDER BY made_at DESC LIMIT ?",
        [limit],
    )
