"""What changed this week, in words, and what should somebody do about it?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import orjson

from casework.learning.labels import label_report
from casework.outbox import messages
from casework.quality.consistency import consistency_report
from casework.safety import alarms
from casework.safety.naming import new_id
from casework.watching import advice, performance, reports, widening
from casework.watching.asked import asked
from casework.watching.exploration import by_day, exploration
from casework.watching.falls import by_subgroup
from casework.watching.overrides import overrides
from casework.watching.stretches import Stretch, last_moment
from data.canonical import canonical_json
from data.events import EventDraft
from data.ledger import Ledger

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
WEEK = timedelta(days=7)
MOST_DECISIONS = 500_000
WEEKS = 10
"""How far back the figures by week, lane, rule and group reach: long enough for outcomes to have matured."""


def make(app: App, by: str = "scheduler") -> str:
    """Write the digest of the week that ends with the last decision; returns what is most worth doing."""
    content = compose(app)
    if content is None:
        return "Nothing was decided yet."
    at = app.clock()
    row = {
        "digest_id": new_id("digest", content["until"].isoformat(), at.isoformat()),
        "made_at": at,
        "since": content["since"],
        "until": content["until"],
    }
    stored = canonical_json(json.loads(orjson.dumps(content, default=str)))
    with app.ledger.writing() as w:
        w.insert("digests", [{**row, "content": stored.decode()}])
        told = {**row, "headline": content["headline"]}
        seq = w.event(EventDraft(by, "digest.ready", f"digest:{row['digest_id']}", told), at)
        messages.tell(w, "digest.ready", f"event_{seq}", {**told, "todo": content["todo"]}, at)
    return str(content["headline"])


def compose(app: App) -> JSON | None:
    """The digest as of now, not stored; None before the first decision."""
    ledger, settings, at = app.ledger, app.settings(), app.clock()
    until = last_moment(ledger, at)
    if until is None:
        return None
    week, long = Stretch(until - WEEK, until), _reach(ledger, until)
    blocking = [rule.id for rule in settings.rules if rule.then.effect == "block"]
    record = performance.read(ledger, long, settings.policy, blocking, at)
    policy = settings.policy
    found: JSON = {
        "since": week.since,
        "until": week.until,
        "figures_since": long.since,
        "currency": policy.currency,
        "decisions": _decisions(ledger, week),
        "drift": _without_inputs(reports.latest(ledger)),
        "widenings": [row for row in widening.table(ledger, until) if row["in_force"]],
        "overall": performance.overall(record),
        "weeks": performance.by_week(record, until),
        "lanes": performance.by_lane(record),
        "rules": performance.by_rule(record),
        "models": performance.by_model(record),
        "overrides": overrides(ledger, long, policy, at),
        "subgroups": by_subgroup(record, policy.protected_attribute),
        "exploration": {**exploration(ledger, record, policy, at), "by_day": by_day(record, until)},
        "asked": asked(ledger, week, policy),
        "labels": label_report.by_source(ledger, policy, at),
        "alarms": alarms.listed(ledger)[:20],
        "retrains": _retrains(ledger, week),
        "agreement": _agreement(ledger),
        "tasks": _waiting(ledger, until),
    }
    found["todo"] = advice.todo(found)
    found["changed"] = advice.changed(found)
    found["headline"] = advice.headline(found)
    return found


def _reach(ledger: Ledger, until: datetime) -> Stretch:
    """The weeks that the figures cover: as many as hold no more decisions than may be read, at least one."""
    rows = ledger.read(
        "SELECT CAST(floor(date_diff('second', decided_at, $until) / 604800) AS BIGINT) AS ago, count(*) AS n "
        "FROM decisions WHERE decided_at >= $since AND decided_at < $until GROUP BY 1 ORDER BY 1",
        {"since": until - WEEKS * WEEK, "until": until},
    )
    counted = accumulate(row["n"] for row in rows)
    whole = sum(total <= MOST_DECISIONS for total in counted)
    weeks = WEEKS if whole == len(rows) else max(1, whole)
    return Stretch(until - weeks * WEEK, until)


def _without_inputs(report: JSON | None) -> JSON | None:
    """The drift report without the quiet columns."""
    if report is None:
        return None
    return {**report, "inputs": [each for each in report["inputs"] if each["level"] != "stable"]}


def _decisions(ledger: Ledger, week: Stretch) -> JSON:
    """Counts by outcome of this week and the one before."""
    sql = (
        "SELECT count(*) AS total, count(*) FILTER (outcome = 'approve') AS approve, count(*) FILTER "
        "(outcome = 'review') AS review, count(*) FILTER (outcome = 'decline') AS decline FROM decisions "
        "WHERE decided_at >= ? AND decided_at < ?"
    )
    before = ledger.read(sql, [week.since - WEEK, week.since])[0]
    return {"now": ledger.read(sql, [week.since, week.until])[0], "before": before}


def _retrains(ledger: Ledger, week: Stretch) -> list[JSON]:
    return ledger.read(
        "SELECT run_id, started_at, result, sentence FROM retrains WHERE started_at >= ? ORDER BY started_at DESC",
        [week.since],
    )


def _agreement(ledger: Ledger) -> JSON:
    report = consistency_report(ledger, with_people=False)
    return {"items": report["n_items"], "alpha": report["alpha"]}


def _waiting(ledger: Ledger, until: datetime) -> JSON:
    return ledger.read(
        "SELECT count(*) FILTER (status = 'open') AS open, "
        "count(*) FILTER (status IN ('open', 'claimed') AND deadline < ?) AS overdue FROM tasks",
        [until],
    )[0]


def latest(ledger: Ledger, digest_id: str = "") -> JSON | None:
    """The last digest, or the one of that id, with its contents."""
    where = "WHERE digest_id = ?" if digest_id else ""
    rows = ledger.read(
        f"SELECT * FROM digests {where} ORDER BY made_at DESC LIMIT 1", [digest_id] if digest_id else []
    )
    if not rows:
        return None
    return {
        **json.loads(rows[0]["content"]),
        "digest_id": rows[0]["digest_id"],
        "made_at": rows[0]["made_at"],
    }


def estimates(ledger: Ledger) -> JSON | None:
    """Of the last digest what other pages show beside their counts: the overall figures, and those by group."""
    rows = ledger.read(
        "SELECT until, json_extract(content, '$.overall') AS overall, json_extract(content, '$.subgroups') AS groups, "
        "json_extract_string(content, '$.figures_since') AS since FROM digests ORDER BY made_at DESC LIMIT 1"
    )
    if not rows or rows[0]["overall"] is None:
        return None
    row = rows[0]
    return {
        "since": row["since"],
        "until": row["until"],
        "overall": json.loads(row["overall"]),
        "subgroups": json.loads(row["groups"]),
    }


def of_models(ledger: Ledger) -> JSON | None:
    """Of the last digest the rates of each model that decided; None before the first."""
    rows = ledger.read(
        "SELECT until, json_extract_string(content, '$.figures_since') AS since, json_extract(content, '$.models') AS "
        "models FROM digests ORDER BY made_at DESC LIMIT 1"
    )
    if not rows or rows[0]["models"] is None:
        return None
    return {**rows[0], "models": json.loads(rows[0]["models"])}


def table(ledger: Ledger, limit: int = 60) -> list[JSON]:
    """Digests without their contents, newest first."""
    return ledger.read(
        "SELECT digest_id, made_at, since, until, json_extract_string(content, '$.headline') AS headline "
        "FROM digests ORDER BY made_at DESC LIMIT ?",
        [limit],
    )
