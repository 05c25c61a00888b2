"""What does somebody read of one decision, in words and units, beside what was answered?"""

from __future__ import annotations

from typing import Any

from casework.app import App
from casework.cases.dossiers import without
from casework.deciding import decisions
from casework.people.permissions import Person
from casework.review.review_design import ADJUDICATOR_ROLES, REVIEWER_ROLES
from casework.safety import trials
from data import reading
from data.canonical import rfc3339
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.policy import Policy, load_policy
from engine.units import text

JSON = dict[str, Any]


def decision_page(app: App, seq: int | None, transaction_id: str, person: Person) -> JSON:
    """The stored decision exactly as it was answered, and beside it the payment (occurred_at, amount_minor, currency,
    entities, attributes) and `inputs`: each feature with its phrase, unit, value and text, as the decision's approved
    set declares it.

    `amount_minor` and `currency` are in the base currency. Whoever reviews does not get the protected attribute.
    NotFoundError where there is no decision.
    """
    stored = decisions.required(app.ledger, seq, transaction_id)
    transaction = reading.one(app.ledger, stored["seq"])
    features, policy = _then(app, stored["set_id"])
    attributes = dict(transaction.attributes)
    if person.role in (*REVIEWER_ROLES, *ADJUDICATOR_ROLES):
        for each in (policy, app.live.settings.policy):
            attributes = without(attributes, each.protected_attribute)
    currency = app.mapping.base_currency
    return {
        **stored,
        "occurred_at": rfc3339(transaction.occurred_at),
        "amount_minor": transaction.amount_minor,
        "currency": currency,
        "entities": dict(transaction.entities),
        "attributes": attributes,
        "inputs": _inputs(stored["features"], features, currency),
    }


def _then(app: App, set_id: str) -> tuple[FeatureSet, Policy]:
    """The features and the policy of the approved set that decided."""
    live = app.live
    if live.set_id == set_id:
        return live.settings.features, live.settings.policy
    files = trials.files_of(app.ledger, set_id)
    features = load_features(files["features.yaml"], "rules/features.yaml", app.mapping)
    return features, load_policy(files["policy.yaml"], "rules/policy.yaml")


def _inputs(values: JSON, features: FeatureSet, currency: str) -> list[JSON]:
    return [
        {
            "name": spec.name,
            "phrase": spec.phrase,
            "unit": spec.unit,
            "value": values.get(spec.name),
            "text": text(values.get(spec.name), spec.unit, currency),
        }
        for spec in features.features
    ]
