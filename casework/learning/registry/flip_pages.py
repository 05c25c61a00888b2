"""What does a person see of a payment that champion and challenger would decide differently?"""

from __future__ import annotations

from typing import Any

from casework.app import App
from casework.learning.registry import models
from casework.safety import opening
from data import reading
from data.canonical import rfc3339
from data.errors import NotFoundError
from engine.features.batch import batch_features
from engine.model.scoring import Model

JSON = dict[str, Any]
SHOWN = 8
"""Inputs shown of each model: those that moved its margin most."""


def flip_page(app: App, model_id: str, seq: int) -> JSON:
    """The payment, what both models said of it, and for each the inputs that moved its margin most (SHAP, log-odds).

    NotFoundError for a payment that is not in the model's sample of flips.
    """
    record = models.one(app.ledger, model_id)["record"]
    flip = next((each for each in record.get("flips") or [] if each["seq"] == seq), None)
    if flip is None:
        raise NotFoundError("this payment is not in the sample of flips", where=f"{model_id}/{seq}")
    transaction, settings = reading.one(app.ledger, seq), app.settings()
    row = batch_features(app.ledger, settings.features, first_seq=seq, last_seq=seq).to_pylist()[0]
    phrases = {spec.name: spec.phrase for spec in settings.features.features}
    before = models.champion_id(app.ledger)
    told = {"challenger_inputs": _moved(app, model_id, row, phrases)}
    if before and before != model_id:
        told["champion_inputs"] = _moved(app, before, row, phrases)
    return {
        **flip,
        **told,
        "transaction_id": transaction.transaction_id,
        "occurred_at": rfc3339(transaction.occurred_at),
        "amount_minor": transaction.amount_minor,
        "currency": app.mapping.base_currency,
        "entities": dict(transaction.entities),
    }


def _moved(app: App, model_id: str, row: JSON, phrases: dict[str, str]) -> list[JSON]:
    model: Model = opening.loaded_model(app.ledger, app.workspace.models, model_id)
    if not set(model.names) <= set(row):
        return []  # it reads features that are not declared any more
    effects = model.explain([row])[0].contributions
    largest = sorted(effects, key=lambda name: -abs(effects[name]))[:SHOWN]
    return [
        {"name": name, "phrase": phrases.get(name, name), "value": row[name], "effect": effects[name]}
        for name in largest
    ]
