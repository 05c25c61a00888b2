"""How does what people switch come into force at once, between two decisions?

Each action is one write under the lock that guards deciding; the next decision is made under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.app import App
from casework.safety import alarms, breaker_acts, kill_switch, list_entries, snoozes, trials
from casework.safety.alarms import BREAKER
from casework.safety.kill_switch import KillSwitch
from casework.safety.list_entries import Wanted
from casework.safety.trials import ROLLOUT, SHADOW, Trial
from casework.settings import linting, rule_lock
from data import approved
from data.errors import InputError
from engine.breaker import CAP

JSON = dict[str, Any]


def turn_kill_switch(app: App, on: bool, *, by: str, reason: str, at: datetime) -> KillSwitch:
    """See `kill_switch.turn`; from the next decision on."""
    with app.changing_control(), app.ledger.writing() as w:
        return kill_switch.turn(w, on, by=by, reason=reason, at=at)


def acknowledge(app: App, alarm_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Acknowledge an alarm. Where the breaker only capped, that also lets declines go on: somebody has looked."""
    with app.changing_settings(), app.ledger.writing() as w:
        alarm = alarms.acknowledge(w, alarm_id, by=by, reason=reason, at=at)
        if alarm["kind"] == BREAKER:
            for act in breaker_acts.in_force(w):
                if act["action"] == CAP and f"{act['kind']}:{act['subject']}" == alarm["subject"]:
                    breaker_acts.end(w, act["act_id"], by=by, reason=reason, at=at)


def resume(app: App, act_id: str, *, by: str, reason: str, at: datetime, expected: float | None) -> JSON:
    """Let what the breaker paused decide again, held against `expected` from now on."""
    with app.changing_settings(), app.ledger.writing() as w:
        act = breaker_acts.end(w, act_id, by=by, reason=reason, at=at, expected=expected)
        subject = f"{act['kind']}:{act['subject']}"
        rows = w.read(
            "SELECT alarm_id FROM alarms WHERE kind = ? AND subject = ? AND acknowledged_at IS NULL",
            [BREAKER, subject],
        )
        for row in rows:
            alarms.acknowledge(w, row["alarm_id"], by=by, reason=reason, at=at)
        return act


def snooze(
    app: App,
    *,
    entity: str,
    value: str,
    rule_id: str,
    expires: datetime,
    by: str,
    reason: str,
    at: datetime,
) -> str:
    """Keep a rule quiet for one value of an entity; returns the snooze's id."""
    value = snoozes.checked_value(entity, value, app.mapping)
    snoozes.check_rule(rule_id, app.settings().rules)
    with app.changing_control(), app.ledger.writing() as w:
        return snoozes.make(
            w, entity=entity, value=value, rule_id=rule_id, expires=expires, by=by, reason=reason, at=at
        )


def end_snooze(app: App, snooze_id: str, *, by: str, reason: str, at: datetime) -> None:
    with app.changing_control(), app.ledger.writing() as w:
        snoozes.end(w, snooze_id, by=by, reason=reason, at=at)


def list_from_case(
    app: App,
    case_id: str,
    entity: str,
    *,
    effect: str,
    expires: datetime | None,
    reason: str,
    by: str,
    at: datetime,
    in_force: bool,
    transaction_id: str = "",
) -> str:
    """Put the entity of a confirmed payment of a case on a list; returns the entry's id. Without `expires`, a month.

    `transaction_id` names the payment, which is needed where several were confirmed with different values.
    ConflictError for a payment that was not confirmed, and for blocking in one step what many others pay with, or at.
    """
    snoozes.checked_value(entity, "of the case", app.mapping)
    value = list_entries.from_case(app.ledger, case_id, entity, transaction_id)
    if effect == "block":
        list_entries.check_reach(app.ledger, entity, value, at)
    why = reason.strip() or "confirmed as fraud"
    wanted = Wanted(entity, value, effect, why, expires or at + list_entries.USUAL, case_id)
    return list_value(app, wanted, by=by, at=at, in_force=in_force)


def list_value(app: App, wanted: Wanted, *, by: str, at: datetime, in_force: bool) -> str:
    """Put a value on a list, or propose it; returns the entry's id."""
    wanted = replace(wanted, value=snoozes.checked_value(wanted.entity, wanted.value, app.mapping))
    with app.changing_control(), app.ledger.writing() as w:
        return list_entries.propose(w, wanted, by=by, at=at, in_force=in_force)


def confirm_entry(app: App, entry_id: str, *, by: str, at: datetime) -> None:
    with app.changing_control(), app.ledger.writing() as w:
        list_entries.confirm(w, entry_id, by=by, at=at)


def end_entry(app: App, entry_id: str, *, by: str, reason: str, at: datetime) -> None:
    with app.changing_control(), app.ledger.writing() as w:
        list_entries.end(w, entry_id, by=by, reason=reason, at=at)


def add_candidate(app: App, texts: Mapping[str, str | None], *, by: str, reason: str, at: datetime) -> str:
    """Keep the approved set with some files replaced (None leaves one out), so that it can be tried.

    InputError if the set is not sound, or declares features otherwise than the set that decides.
    """
    current = approved.current(app.ledger).files
    files = {**current, **{path: text.encode() for path, text in texts.items() if text is not None}}
    for path in [path for path, text in texts.items() if text is None]:
        files.pop(path, None)
    if files.get("features.yaml") != current["features.yaml"]:
        raise InputError(
            "a trial cannot declare features of its own",
            where="features.yaml",
            hint="Have the features approved first; new ones harm nobody.",
        )
    running = rule_lock.locked(app.settings().rules)
    found = linting.lint_files(files, app.mapping, at=at, running=running, checks=linting.ERRORS)
    if found:
        raise InputError(found[0].what, where=found[0].where, hint=found[0].hint)
    with app.ledger.writing() as w:
        return trials.keep_candidate(w, files, by=by, reason=reason, at=at)


def start_shadow(
    app: App, set_id: str, *, name: str, by: str, reason: str, at: datetime, model_id: str = ""
) -> str:
    """Have a set or a model answer beside what decides, recorded and never obeyed; returns the trial's id."""
    if bool(set_id) == bool(model_id):
        raise InputError("give either a set or a model", where="set_id", allowed="set_id or model_id")
    if set_id:
        _check_features(app, set_id)
    else:
        trials.check_shadowed_model(app.ledger, model_id)
    trial_id = trials.trial_id(SHADOW, set_id, model_id, at)
    named = name or set_id or model_id
    return _start(app, Trial(trial_id, SHADOW, named, set_id, model_id, "", 1.0, by, at), reason, at)


def start_rollout(
    app: App,
    *,
    set_id: str,
    model_id: str,
    entity: str,
    share: float,
    by: str,
    reason: str,
    at: datetime,
) -> str:
    """Have a set or a model decide a share of an entity's values; returns the trial's id."""
    if entity not in app.mapping.entities:
        raise InputError(
            f"{entity[:64]!r} is not an entity", where="entity", allowed=", ".join(app.mapping.entities)
        )
    trials.check_rollout(app.ledger, set_id, model_id, by)
    if set_id:
        _check_features(app, set_id)
    name = set_id or model_id
    trial_id = trials.trial_id(ROLLOUT, set_id, model_id, at)
    return _start(app, Trial(trial_id, ROLLOUT, name, set_id, model_id, entity, share, by, at), reason, at)


def stop_trial(app: App, trial_id: str, *, by: str, reason: str, at: datetime) -> None:
    """End a trial: from the next decision on only the approved set decides."""
    with app.changing_settings(), app.ledger.writing() as w:
        trials.stop(w, trial_id, by=by, reason=reason, at=at)


def _start(app: App, trial: Trial, reason: str, at: datetime) -> str:
    with app.changing_settings(), app.ledger.writing() as w:
        trials.start(w, trial, reason=reason, at=at)
    return trial.trial_id


def _check_features(app: App, set_id: str) -> None:
    files = trials.files_of(app.ledger, set_id)
    if files["features.yaml"] != approved.current(app.ledger).files["features.yaml"]:
        raise InputError(
            "this set declares other features than the one that decides",
            where=set_id,
            hint="Only sets with the same features.yaml can be tried beside it.",
        )
