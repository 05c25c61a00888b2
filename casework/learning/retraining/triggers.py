"""Is there reason for a retrain before its time: many new labels, or a drift that asks for one?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.learning.retraining import runs
from casework.review.review_design import ADJUDICATION, COUNTED_KINDS
from data.ledger import Ledger
from engine.policy import Retrain

LEAST_APART = timedelta(days=1)
"""Two runs that nobody asked for lie at least so far apart: a failed one is not tried again at once."""

# Payments of which people or outcomes have said what makes a label since a moment, each once; silence matures every day
# and is no reason by itself.
_NEW = f"""
WITH told AS (
    SELECT DISTINCT transaction_seq FROM outcomes WHERE recorded_at > $since AND recorded_at <= $at
), said AS (
    SELECT DISTINCT transaction_seq FROM verdicts
    WHERE given_at > $since AND given_at <= $at AND undone_at IS NULL AND value <> 'inconclusive'
      AND task_kind IN {(*COUNTED_KINDS, ADJUDICATION)}
      AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
)
SELECT (SELECT count(*) FROM told) AS told, (SELECT count(*) FROM said ANTI JOIN told USING (transaction_seq)) AS said
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a retrain should start now: the trigger, and a sentence for the record."""

    trigger: str
    sentence: str


def due(ledger: Ledger, said: Retrain, at: datetime) -> Reason | None:
    """The reason to start a run now, None without one. Only the policy's own triggers count, and none of them within a
    day of the last run."""
    last = runs.last_started(ledger)
    if last is not None and at - last < LEAST_APART:
        return None
    since = last or datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    if said.new_labels:
        counted = ledger.read(_NEW, {"since": since, "at": at})[0]
        new = counted["told"] + counted["said"]
        if new >= said.new_labels:
            return Reason(
                "labels",
                f"{counted['told']:,} payments got an outcome and {counted['said']:,} others a verdict since the last "
                f"run; the policy asks for {said.new_labels:,}.",
            )
    if said.drift:
        sentence = drift_asks_for_retrain(latest_drift(ledger), since)
        if sentence:
            return Reason("drift", sentence)
    return None


def drift_asks_for_retrain(report: Mapping[str, Any] | None, since: datetime) -> str:
    """The sentence of a stored drift report that asks for a retrain, '' where there is none.

    A report has `made_at`, `level` (stable, notice or alarm) and `drifted` (names). It asks at level alarm; one that is
    older than the last run was answered by that run.
    """
    if not report or report["level"] != "alarm" or report["made_at"] <= since:
        return ""
    names = ", ".join(report["drifted"][:5]) or "what comes in"
    more = f" and {len(report['drifted']) - 5} more" if len(report["drifted"]) > 5 else ""
    return f"The drift report of {report['made_at']:%Y-%m-%d} found {names}{more} changed beyond the bound of an alarm."


def latest_drift(ledger: Ledger) -> dict[str, Any] | None:
    """The latest drift report (casework.watching), None before the first."""
    rows = ledger.read("SELECT made_at, level, drifted FROM watch_reports ORDER BY made_at DESC LIMIT 1")
    return rows[0] if rows else None
