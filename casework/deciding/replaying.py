"""Does a past decision come out the same, from what was stored and from the ledger?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from casework.deciding import decisions
from casework.learning.registry import novelty
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

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
_BESIDE = ("shadows", "shadow_scores", "rollout", "fail_safe")
FROM_STORED, FROM_LEDGER = "stored", "ledger"


def replay(app: App, stored: Mapping[str, Any]) -> JSON:
    """Decide again (a) from the stored features, load and set, bit for bit, and (b) work the features out anew from
    the ledger. `differences` is empty when both agree with what was answered."""
    again = Replayer(app)
    seq = stored["seq"]
    return again.report(stored, again.features(stored["set_id"], seq, seq)[seq])


class Replayer:
    """Makes past decisions again. Sets and models are read once each, however many decisions they made."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._settings: dict[str, Settings] = {}
        self._models: dict[str, Model] = {}

    def report(self, stored: Mapping[str, Any], recomputed: JSON) -> JSON:
        """Every difference of one decision, named; those of features from the ledger say so in `what`.

        `stored` is the decision as answered, `recomputed` its features from the ledger (see `features`).
        """
        then = {name: value for name, value in stored.items() if name != "case_id"}
        arm = _arm(self._app, then["context"].get("rollout"), then["seq"])
        found = decisions.differences(then, self._from_stored(then))
        first = [{**d, "sense": FROM_STORED} for d in [*found, *arm]]
        second = [
            {**d, "what": f"features.{d['what']} (from the ledger)", "sense": FROM_LEDGER}
            for d in decisions.differences(then["features"], recomputed)
        ]
        return {
            "transaction_id": stored["transaction_id"],
            "outcome": stored["outcome"],
            "set_id": stored["set_id"],
            "model_id": stored["model_id"],
            "same": not first and not second,
            "differences": first + second,
        }

    def features(self, set_id: str, first_seq: int, last_seq: int) -> dict[int, JSON]:
        """The features that a set declares, from the ledger, of the transactions first_seq to last_seq, by seq."""
        declared = self._set(set_id).features
        found = batch_features(self._app.ledger, declared, first_seq=first_seq, last_seq=last_seq)
        names = [spec.name for spec in declared.features]
        return {
            row["seq"]: orjson.loads(canonical_json({name: row[name] for name in names}))
            for row in found.to_pylist()
        }

    def _from_stored(self, then: Mapping[str, Any]) -> JSON:
        app, context = self._app, then["context"]
        engine = engine_then(app, then, self._set(then["set_id"]), self._model(then["model_id"]))
        made = engine.decide_rows(
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

    def _set(self, set_id: str) -> Settings:
        if set_id not in self._settings:
            files = trials.files_of(self._app.ledger, set_id)
            self._settings[set_id] = read_settings(files, self._app.mapping)
        return self._settings[set_id]

    def _model(self, model_id: str) -> Model | None:
        if model_id and model_id not in self._models:
            self._models[model_id] = registry.load(self._app.workspace.model_folder(model_id))
        return self._models.get(model_id)


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
