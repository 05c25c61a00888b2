"""What would have had to be different for the engine to answer otherwise?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.app import App
from casework.deciding import decisions, replaying
from casework.live import Settings, read_settings
from casework.safety import trials
from data import reading
from data.transactions import Transaction
from engine.costs import CapacityState
from engine.decision import Decision, FeatureValue, Outcome
from engine.features.feature_set import FeatureSet
from engine.model import registry
from engine.model.scoring import Model
from engine.units import text
from engine.what_if.counterfactual import Answer, Change, Instead, Row, search

JSON = dict[str, Any]
_NOTHING = "No such change was found"


def settings_then(app: App, set_id: str) -> Settings:
    """The approved set that decided, read; at hand while it is still in force."""
    live = app.live
    if live.set_id == set_id:
        return live.settings
    return read_settings(trials.files_of(app.ledger, set_id), app.mapping)


def what_if(app: App, seq: int) -> JSON:
    """{outcome, found: [{outcome, probability, changes: [{name, phrase, was_text, value_text, more}], sentence}],
    inputs, tried, sentence}: the smallest changes that would have given another outcome, decided by the set, the model
    and the load of then."""
    then = decisions.required(app.ledger, seq, str(seq))
    settings = settings_then(app, then["set_id"])
    engine = replaying.engine_then(app, then, settings, _model(app, then["model_id"]))
    payment = reading.one(app.ledger, seq)
    amounts = [s.name for s in settings.features.features if s.measure == "value" and s.of == "amount"]
    at, load = datetime.fromisoformat(then["decided_at"]), CapacityState(**then["context"]["load"])

    def ask(rows: Sequence[Row]) -> list[Answer]:
        payments = [_of_amount(payment, row[amounts[0]]) if amounts else payment for row in rows]
        return [_answer(decision) for decision in engine.instead(payments, rows, at=at, load=load)]

    found = search(then["features"], settings.features, ask)
    told = [_told(each, settings.features, app.mapping.base_currency) for each in found.found]
    phrases = [settings.features.spec(name).phrase for name in found.inputs]
    return {
        "outcome": then["outcome"],
        "found": told,
        "inputs": phrases,
        "tried": found.tried,
        "sentence": _sentence(then["outcome"], told, len(found.inputs), found.tried),
    }


def _of_amount(payment: Transaction, minor: FeatureValue) -> Transaction:
    return replace(payment, amount_minor=minor if isinstance(minor, int) else None)


def _model(app: App, model_id: str) -> Model | None:
    if not model_id or app.live.model_id == model_id:
        return app.live.model if model_id else None
    return registry.load(app.workspace.model_folder(model_id))


def _answer(decision: Decision) -> Answer:
    asking = frozenset(r.rule_id for r in decision.rules if r.status == "live" and r.floor > Outcome.APPROVE)
    return Answer(decision.outcome, decision.probability, asking)


def _told(found: Instead, features: FeatureSet, currency: str) -> JSON:
    changes = [_change(change, features, currency) for change in found.changes]
    said = " and ".join(f"{c['phrase']} were {c['value_text']} instead of {c['was_text']}" for c in changes)
    outcome = found.answer.outcome.word
    return {
        "outcome": outcome,
        "probability": found.answer.probability,
        "changes": changes,
        "sentence": f"If {said}, the answer would have been {outcome}.",
    }


def _change(change: Change, features: FeatureSet, currency: str) -> JSON:
    spec = features.spec(change.name)
    was, value = (text(each, spec.unit, currency) for each in (change.was, change.value))
    more = change.value > change.was
    if was == value:
        value = f"a little {'more' if more else 'less'} than {value}"
    named = {"name": change.name, "phrase": spec.phrase, "unit": spec.unit}
    return {
        **named,
        "was": change.was,
        "value": change.value,
        "was_text": was,
        "value_text": value,
        "more": more,
    }


def _sentence(outcome: str, found: Sequence[Mapping[str, Any]], inputs: int, tried: int) -> str:
    bounds = f"{tried:,} changed payments were decided, with one or two of the {inputs} known inputs at another value"
    missing = sorted({o.word for o in Outcome} - {outcome} - {each["outcome"] for each in found})
    if not missing:
        return f"{bounds.capitalize()}."
    return f"{_NOTHING} towards {' or '.join(missing)}: {bounds}."
