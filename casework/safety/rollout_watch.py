"""Does what decides a share of the payments on trial speak up more often than what decides the rest did?

It is watched like anything new, but stays new for as long as it is on trial: when it is too loud it is paused, and what
is in force decides all. Of all decisions only the rollout's share is a model's own, so that much of the champion's rate
is what is expected of it. A set is held against its own decisions alone: how many it does not approve, and how many it
declines, against what the sets in force did before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casework.safety import breaker_acts, trials
from casework.safety.expectations import CHAMPIONS, HISTORY, UNKNOWN_ALERTS, History, expected
from casework.safety.trials import Trial
from data.ledger import Ledger
from engine.breaker import DECLINES, MODEL, POLICY, ROLLOUT, ROLLOUT_DECLINES, Expected, Watch
from engine.policy import Breaker as Limits

_ITS_OWN = """
SELECT count(*) AS seen,
       count(*) FILTER (model_id = ? AND len(rules_hit) = 0
                        AND (outcome = 'decline' OR explored OR triage_reason = 'uncertain')) AS alarms
FROM decisions WHERE decided_at >= ? AND decided_at < ?
"""
_OF_THE_SET = f"""
SELECT count(*) AS seen,
       count(*) FILTER (outcome <> 'approve' OR explored) AS {ROLLOUT},
       count(*) FILTER (outcome = 'decline' OR explored) AS {ROLLOUT_DECLINES}
FROM decisions WHERE set_id = ? AND decided_at >= ? AND decided_at < ?
"""
_SAME_BEFORE = {ROLLOUT: POLICY, ROLLOUT_DECLINES: DECLINES}


def watches(ledger: Ledger, limits: Limits, at: datetime, set_id: str) -> list[Watch]:
    """Watches of what rollouts let decide beside the set in force, with what was counted so far."""
    found: list[Watch] = []
    for trial in trials.running(ledger):
        if trial.kind != trials.ROLLOUT:
            continue
        if trial.model_id:
            found.append(_of_model(ledger, trial, limits, at))
        elif trial.set_id != set_id:
            found += _of_set(ledger, trial, limits, at)
    return found


def _of_set(ledger: Ledger, trial: Trial, limits: Limits, at: datetime) -> list[Watch]:
    """The trial is the version: the same set tried again starts afresh."""
    history, since = History(ledger), trial.started_at
    rates = breaker_acts.stated_rates(ledger)
    declines = rates.get((ROLLOUT_DECLINES, trial.set_id, trial.trial_id))
    # Who means so many declines means at least as many answers other than approval.
    stated = {
        ROLLOUT_DECLINES: declines,
        ROLLOUT: rates.get((ROLLOUT, trial.set_id, trial.trial_id), declines),
    }
    counted = ledger.read(_OF_THE_SET, [trial.set_id, since, at])[0]
    found = []
    for kind, same in _SAME_BEFORE.items():
        known = expected(*history.counts(same, same, since - HISTORY, since), UNKNOWN_ALERTS)
        rate = stated[kind]
        if rate is not None:
            known = Expected(max(rate, known.rate), "stated")
        watch = Watch(kind, trial.set_id, trial.trial_id, since, known, on_trial=True)
        watch.restore(counted["seen"], counted[kind], limits)
        if any(each is not None for each in stated.values()):
            watch.evidence = 0.0  # a person has judged it: it starts afresh
        found.append(watch)
    return found


def _of_model(ledger: Ledger, trial: Trial, limits: Limits, at: datetime) -> Watch:
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
