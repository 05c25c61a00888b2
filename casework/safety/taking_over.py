"""What stands beside the engine that takes over where the breaker has paused a model, a policy or a rollout?"""

from __future__ import annotations

from dataclasses import replace

from casework.safety import alarms, breaker_acts, kill_switch, opening, trials
from casework.safety.guard import Guard
from casework.safety.opening import Settings
from data.ledger import Ledger
from engine.breaker import MODEL
from engine.decide import Engine
from engine.what_if.trial import Rollout


def guard(ledger: Ledger, held: Guard, engine: Engine, settings: Settings) -> Guard:
    """The guard beside `engine`, which takes over from that of `held`: its counters and trials go on, but for a rollout
    that was paused, and a model that decides now is watched in place of the one before."""
    before, model_id = _model_id(held.engine), _model_id(engine)
    if model_id != before:
        held.breaker.instead(MODEL, before, opening.watched_model(ledger, engine, settings))
    acts = opening.standing_acts(breaker_acts.in_force(ledger), settings, model_id)
    for act in acts:
        watch = held.breaker.watches.get((act["kind"], act["subject"]))
        if watch is not None:
            watch.acted = True
    made = Guard(
        engine,
        opening.control_of(ledger, acts),
        held.breaker,
        alarms.open_keys(ledger),
        held.shadows,
        _rollout(ledger, held, engine),
        switched=opening.rules_acted_on(ledger),
        versions=held.versions,
    )
    made.kill(kill_switch.standing(ledger).is_on)
    return made


def _rollout(ledger: Ledger, held: Guard, engine: Engine) -> Rollout | None:
    """The rollout that goes on, None if it was paused; one without a model of its own asks that of the engine."""
    rollout = held.rollout
    if rollout is None:
        return None
    trial = next((each for each in trials.running(ledger) if each.trial_id == rollout.trial_id), None)
    if trial is None or opening.paused_trial(ledger, trial):
        return None
    then = rollout.candidate
    if trial.model_id or then.model is engine.model:
        return rollout
    candidate = Engine(
        state=then.state,
        rules=then.rules,
        policy=then.policy,
        model=engine.model,
        key=then.key,
        set_id=then.set_id,
        segments=then.segments,
        unlabelled=engine.unlabelled,
    )
    return replace(rollout, candidate=candidate)


def _model_id(engine: Engine) -> str:
    return engine.model.model_id if engine.model else ""
