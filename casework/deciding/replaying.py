"""Does a past decision come out the same, from what was stored and from the ledger?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from casework.app import App
from casework.deciding import decisions
from casework.learning import novelty
from casework.live import Settings, read_settings
from casework.safety import trials
from casework.safety.opening import Chosen, policy_of
from data import reading
from data.canonical import canonical_json
from engine.control import AsStored, from_context
from engine.costs import CapacityState
from engine.decide import Engine
from engine.draws import draw
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.model import registry
from engine.model.cold_start import ColdStart
from engine.model.scoring import Model

JSON = dict[str, Any]
_BESIDE = ("shadows", "shadow_scores", "rollout", "fail_safe")


def replay(app: App, stored: Mapping[str, Any]) -> JSON:
    """Decide again (a) from the stored features, load and set, bit for bit, and (b) work the features out anew from
    the ledger. `differences` is empty when both agree with what was answered."""
    then = {name: value for name, value in stored.items() if name != "case_id"}
    again = _from_stored(app, then)
    found = decisions.differences(then, again)
    found += _arm(app, then["context"].get("rollout"), stored["seq"])
    recomputed = _features_from_ledger(app, stored)
    found += [
        {**d, "what": f"features.{d['what']} (from the ledger)"}
        for d in decisions.differences(then["features"], recomputed)
    ]
    return {
        "transaction_id": stored["transaction_id"],
        "outcome": stored["outcome"],
        "set_id": stored["set_id"],
        "model_id": stored["model_id"],
        "same": not found,
        "differences": found,
    }


def _from_stored(app: App, then: Mapping[str, Any]) -> JSON:
    context = then["context"]
    settings = read_settings(trials.files_of(app.ledger, then["set_id"]), app.mapping)
    model = registry.load(app.workspace.model_folder(then["model_id"])) if then["model_id"] else None
    made = engine_then(app, then, settings, model).decide_rows(
        [reading.one(app.ledger, then["seq"])],
        [then["features"]],
        at=datetime.fromisoformat(then["decided_at"]),
        load=CapacityState(**context["load"]),
    )
    # What was tried beside it, and why no model answered, is not worked out anew.
    kept = {name: context[name] for name in _BESIDE if name in context}
    worked_out = {name: value for name, value in made[0].context.items() if name not in _BESIDE}
    again = replace(made[0], context={**worked_out, **kept})
    return orjson.loads(canonical_json(decisions.as_json(again)))


def engine_then(app: App, then: Mapping[str, Any], settings: Settings, model: Model | None) -> Engine:
    """The engine as it stood when a stored decision was made, from its set's settings and its model."""
    context = then["context"]
    policy = Chosen(settings.policy, settings.segments, {})
    if "policy_set_id" in context:  # the breaker had paused the set's own
        policy = policy_of(app.ledger, context["policy_set_id"], settings)
    engine = Engine(
        state=OnlineState(settings.features),  # not looked at: the features are given
        rules=settings.rules,
        policy=policy.policy,
        model=model,
        key=app.key,
        set_id=then["set_id"],
        segments=policy.segments,
        control=AsStored(from_context(context.get("controls", {}))),
        notes=policy.notes,
        unlabelled=_unlabelled(app, context),
    )
    engine.killed = bool(context.get("killed"))
    return engine


def _arm(app: App, told: Mapping[str, Any] | None, seq: int) -> list[JSON]:
    """Whether the draw that put the payment into an arm of a rollout comes out again."""
    if told is None or "draw" not in told:  # decisions of earlier versions told the arm only
        return []
    name = app.ledger.read("SELECT name FROM trials WHERE trial_id = ?", [told["trial"]])[0]["name"]
    transaction = reading.one(app.ledger, seq)
    value = transaction.entities.get(told["entity"]) or transaction.transaction_id
    drawn = draw(app.key, f"rollout:{name}:{told['entity']}", value)
    again = {**told, "draw": drawn, "arm": "candidate" if drawn < told["share"] else "live"}
    return [{**d, "what": f"context.rollout.{d['what']}"} for d in decisions.differences(dict(told), again)]


def _unlabelled(app: App, context: Mapping[str, Any]) -> ColdStart | None:
    novelty_id = context.get("novelty_id")
    return novelty.of_id(app.ledger, novelty_id) if novelty_id else None


def _features_from_ledger(app: App, then: Mapping[str, Any]) -> JSON:
    settings = read_settings(trials.files_of(app.ledger, then["set_id"]), app.mapping)
    found = batch_features(app.ledger, settings.features, first_seq=then["seq"], last_seq=then["seq"])
    row = found.to_pylist()[0]
    return orjson.loads(canonical_json({spec.name: row[spec.name] for spec in settings.features.features}))
