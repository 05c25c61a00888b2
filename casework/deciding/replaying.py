"""Does a past decision come out the same, from what was stored and from the ledger?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from casework.app import App
from casework.deciding import decisions
from casework.live import read_settings
from data import approved, reading
from data.canonical import canonical_json
from engine.costs import CapacityState
from engine.decide import Engine
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.model import registry

JSON = dict[str, Any]


def replay(app: App, stored: Mapping[str, Any]) -> JSON:
    """Decide again (a) from the stored features, load and set, bit for bit, and (b) work the features out anew from
    the ledger. `differences` is empty when both agree with what was answered."""
    then = {name: value for name, value in stored.items() if name != "case_id"}
    again = _from_stored(app, then)
    found = decisions.differences(then, again)
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
    settings = read_settings(approved.load(app.ledger, then["set_id"]).files, app.mapping)
    model = registry.load(app.workspace.model_folder(then["model_id"])) if then["model_id"] else None
    engine = Engine(
        state=OnlineState(settings.features),  # not looked at: the features are given
        rules=settings.rules,
        policy=settings.policy,
        model=model,
        key=app.key,
        set_id=then["set_id"],
    )
    engine.killed = bool(then["context"].get("killed"))
    made = engine.decide_rows(
        [reading.one(app.ledger, then["seq"])],
        [then["features"]],
        at=datetime.fromisoformat(then["decided_at"]),
        load=CapacityState(**then["context"]["load"]),
    )
    return orjson.loads(canonical_json(decisions.as_json(made[0])))


def _features_from_ledger(app: App, then: Mapping[str, Any]) -> JSON:
    settings = read_settings(approved.load(app.ledger, then["set_id"]).files, app.mapping)
    found = batch_features(app.ledger, settings.features, first_seq=then["seq"], last_seq=then["seq"])
    row = found.to_pylist()[0]
    return orjson.loads(canonical_json({spec.name: row[spec.name] for spec in settings.features.features}))
