"""Does a model that decides a share of the payments speak up more often than the champion did?

It is watched like any new model, but stays new for as long as it is on trial: when it is too loud it is paused, and the
champion decides all. Of all decisions only the rollout's share is its own, so that much of the champion's rate is what
is expected.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casework.safety import breaker_acts, trials
from casework.safety.expectations import CHAMPIONS, HISTORY, UNKNOWN_ALERTS, History, expected
from casework.safety.trials import ROLLOUT, Trial
from data.ledger import Ledger
from engine.breaker import MODEL, Expected, Watch
from engine.policy import Breaker as Limits

_ITS_OWN = """
SELECT count(*) AS seen,
       count(*) FILTER (model_id = ? AND len(rules_hit) = 0
                        AND (outcome = 'decline' OR explored OR triage_reason = 'uncertain')) AS alarms
FROM decisions WHERE decided_at >= ? AND decided_at < ?
"""


def watches(ledger: Ledger, limits: Limits, at: datetime) -> list[Watch]:
    """A watch for each model that a rollout lets decide, with what was counted so far."""
    return [
        _watch(ledger, trial, limits, at)
        for trial in trials.running(ledger)
        if trial.kind == ROLLOUT and trial.model_id
    ]


def _watch(ledger: Ledger, trial: Trial, limits: Limits, at: datetime) -> Watch:
    model_id, since = trial.model_id, trial.started_at
    stated = breaker_acts.stated_rates(ledger).get((MODEL, model_id, model_id))
    before = expected(*History(ledger).counts(MODEL, CHAMPIONS, since - HISTORY, since), UNKNOWN_ALERTS)
    known = replace(before, rate=before.rate * trial.share) if stated is None else Expected(stated, "stated")
    watch = Watch(MODEL, model_id, model_id, since, known, on_trial=True)
    counted = ledger.read(_ITS_OWN, [model_id, since, at])[0]
    watch.restore(counted["seen"], counted["alarms"], limits)
    if stated is not None:
        watch.evidence = 0.0  # a person has judged it: it starts afresh
    return watch
