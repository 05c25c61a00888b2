"""What did a trial answer, or decide, beside what decided, and which of it is known to have been right since?"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from casework.quality.subgroups import wilson
from casework.safety.trials import ROLLOUT
from data.errors import NotFoundError
from data.ledger import Ledger
from data.outcome_order import in_force

JSON = dict[str, Any]
OUTCOMES = ("approve", "review", "decline")

# Facts only: what was reported of the payments since. `told` is whether anything was.
_COUNTED = f"""
SELECT a.arm, a.answered, a.outcome, count(*) AS n, CAST(coalesce(sum(a.amount_minor), 0) AS BIGINT) AS amount,
       count(o.is_fraud) AS told, count(*) FILTER (o.is_fraud) AS fraud,
       CAST(coalesce(sum(a.amount_minor) FILTER (o.is_fraud), 0) AS BIGINT) AS fraud_amount
FROM trial_answers a
LEFT JOIN ({in_force()}) o USING (transaction_seq)
WHERE a.trial_id = ? GROUP BY ALL
"""
_FLIPS = """
SELECT d.transaction_id, a.decided_at, a.amount_minor, a.answered, a.outcome, d.probability, d.rules_hit
FROM trial_answers a JOIN decisions d USING (transaction_seq)
WHERE a.trial_id = ? AND a.answered <> a.outcome ORDER BY a.amount_minor DESC NULLS LAST, a.transaction_seq LIMIT ?
"""


# However many are newer: what runs can be stopped only by somebody who sees it.
_LISTED = """
    SELECT * FROM trials WHERE stopped_at IS NULL
       OR trial_id IN (SELECT trial_id FROM trials ORDER BY started_at DESC, trial_id LIMIT 100)
    ORDER BY started_at DESC, trial_id
"""


def listed(ledger: Ledger) -> list[JSON]:
    """Every trial that runs and the newest others, newest first, with how many decisions each saw and in how many it
    differed."""
    return _with_counts(ledger, ledger.read(_LISTED))


def _with_counts(ledger: Ledger, trials: list[JSON]) -> list[JSON]:
    counted = {
        row["trial_id"]: row
        for row in ledger.read(
            "SELECT trial_id, count(*) AS decisions, count(*) FILTER (answered <> outcome) AS differing, "
            "count(*) FILTER (arm = 'candidate') AS candidate FROM trial_answers "
            "WHERE list_contains(CAST(? AS VARCHAR[]), trial_id) GROUP BY trial_id",
            [[trial["trial_id"] for trial in trials]],
        )
    }
    none = {"decisions": 0, "differing": 0, "candidate": 0}
    return [
        {**trial, **{name: counted.get(trial["trial_id"], none)[name] for name in none}} for trial in trials
    ]


def report(ledger: Ledger, trial_id: str, limit: int) -> JSON:
    """One trial in figures: two sides, and for a shadow the payments it would have answered otherwise.

    NotFoundError for an unknown id.
    """
    found = _with_counts(ledger, ledger.read("SELECT * FROM trials WHERE trial_id = ?", [trial_id]))
    if not found:
        raise NotFoundError("there is no such trial", where=trial_id)
    trial, rows = found[0], ledger.read(_COUNTED, [trial_id])
    if trial["kind"] == ROLLOUT:
        live, candidate = (
            _side([row for row in rows if row["arm"] == arm], "outcome") for arm in ("live", "candidate")
        )
        paired: JSON = {"differences": _differences(live, candidate)}
    else:
        live, candidate = _side(rows, "answered"), _side(rows, "outcome")
        flips = ledger.read(_FLIPS, [trial_id, limit])
        paired = {"matrix": _matrix(rows), "flipped": trial["differing"], "flips": flips}
    return {**trial, "live": live, "candidate": candidate, **paired, "caveat": _caveat(trial["kind"])}


def days_of(trial: JSON, now: datetime) -> float:
    """How long it has run, in days."""
    return ((trial["stopped_at"] or now) - trial["started_at"]).total_seconds() / 86_400


def _side(rows: list[JSON], column: str) -> JSON:
    """Counts by outcome; `known_fraud_let_through` are approved payments since reported as fraud."""
    n = sum(row["n"] for row in rows)
    by = {word: [row for row in rows if row[column] == word] for word in OUTCOMES}
    counts = {word: sum(row["n"] for row in by[word]) for word in OUTCOMES}
    return {
        "decisions": n,
        **counts,
        "alert_rate": wilson(counts["review"] + counts["decline"], n),
        "decline_rate": wilson(counts["decline"], n),
        "amount_minor": sum(row["amount"] for row in rows),
        "declined_minor": sum(row["amount"] for row in by["decline"]),
        "outcomes_told": sum(row["told"] for row in rows),
        "known_fraud_let_through": sum(row["fraud"] for row in by["approve"]),
        "known_fraud_let_through_minor": sum(row["fraud_amount"] for row in by["approve"]),
        "known_fraud_stopped_or_reviewed": sum(row["fraud"] for w in OUTCOMES[1:] for row in by[w]),
    }


def _matrix(rows: list[JSON]) -> JSON:
    """Answered by what decided, then by the shadow."""
    return {
        was: {
            word: sum(row["n"] for row in rows if (row["answered"], row["outcome"]) == (was, word))
            for word in OUTCOMES
        }
        for was in OUTCOMES
    }


def _differences(live: JSON, candidate: JSON) -> JSON:
    """Candidate less live, with 95 % intervals (Newcombe 1998, method 10, from two Wilson intervals)."""
    return {name: _difference(live[name], candidate[name]) for name in ("alert_rate", "decline_rate")}


def _difference(a: JSON, b: JSON) -> JSON | None:
    if a["value"] is None or b["value"] is None:
        return None
    between = b["value"] - a["value"]
    low = between - math.hypot(b["value"] - b["low"], a["high"] - a["value"])
    high = between + math.hypot(b["high"] - b["value"], a["value"] - a["low"])
    return {"value": between, "low": low, "high": high}


def _caveat(kind: str) -> str:
    if kind == ROLLOUT:
        return (
            "Arms are drawn by a keyed hash of the entity, so chance and the settings alone tell them apart. Payments "
            "of one entity resemble each other, so the intervals, which count payments, are somewhat too narrow."
        )
    return "A shadow answers with its own count of the day's reviews; what customers would have done is not known."
