"""Which payments made a rule speak up, out of all that its entities ever did?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from casework.cases.dossiers import without
from data.canonical import rfc3339
from data.ledger import Ledger
from data.outcome_order import LATEST
from data.storage.rows import aware
from engine.features.feature_set import EVERYONE, FeatureSet, FeatureSpec
from engine.rules.sql import identifier

JSON = dict[str, Any]
MOST_PAYMENTS = 10
"""Payments listed for one input; how many there are is said."""
_ENDS = {"seconds_since_last": "DESC", "seconds_since_first": "ASC"}
_FRAUDS = f"""
    (SELECT transaction_seq FROM (
        SELECT transaction_seq, arg_max(is_fraud, {LATEST}) AS is_fraud, arg_max(known_at, {LATEST}) AS known_at
        FROM outcomes WHERE known_at <= ? AND reported_seq < ? GROUP BY transaction_seq)
     WHERE is_fraud AND known_at >= ?)
"""
"""Payments whose outcome in force is fraud, of those that a payment may use, and became known since a moment: one that
was taken back was counted by no input."""


def behind_rules(
    ledger: Ledger, dossier: Mapping[str, Any], features: FeatureSet, seq: int, protected: str
) -> JSON:
    """{rules: [{id, inputs: [{name, phrase, text, count, payments: [...]}]}]} for each rule that was hit: for every
    input that looks at the past, the payments in its window, the newest first, at most MOST_PAYMENTS."""
    texts = {feature["name"]: feature["text"] for feature in dossier["features"]}
    hits = [rule for rule in dossier["rules"] if rule["state"] == "hit"]
    seen: dict[str, JSON | None] = {}
    rules = []
    for rule in hits:
        wanted = _read_by(rule["features"], features)
        for spec in wanted:
            if spec.name not in seen:
                seen[spec.name] = _behind(ledger, spec, features, dossier["transaction"], seq, protected)
        inputs = [(spec, seen[spec.name]) for spec in wanted]
        told = [
            {"name": s.name, "phrase": s.phrase, "text": texts.get(s.name, ""), **m} for s, m in inputs if m
        ]
        rules.append({"id": rule["id"], "inputs": told})
    return {"rules": rules}


def _read_by(names: Iterable[str], features: FeatureSet) -> list[FeatureSpec]:
    """The inputs with a past that a rule reads, those behind derived ones included, each once."""
    found: dict[str, FeatureSpec] = {}
    for name in names:
        if name not in features:
            continue
        spec = features.spec(name)
        if spec.expression is not None:
            found |= {each.name: each for each in _read_by(spec.expression.names, features)}
        elif spec.entity and spec.entity != (EVERYONE,):
            found[name] = spec
    return list(found.values())


def _behind(
    ledger: Ledger,
    spec: FeatureSpec,
    features: FeatureSet,
    payment: Mapping[str, Any],
    seq: int,
    protected: str,
) -> JSON | None:
    """The payments one input counted; None where the payment lacks the entity."""
    values = [payment["entities"].get(name) for name in spec.entity]
    if not all(values):
        return None
    at = datetime.fromisoformat(payment["occurred_at"])
    delay = (
        timedelta(microseconds=features.label_delay_us)
        if spec.measure in ("fraud_count", "fraud_share")
        else timedelta(0)
    )
    window = timedelta(microseconds=spec.window_us)
    same = " AND ".join(f"{identifier(name)} = ?" for name in spec.entity)
    condition, parameters = f"seq < ? AND {same}", [seq, *values]
    if spec.measure == "frauds_learned":
        condition += f" AND seq IN {_FRAUDS}"
        parameters += [at, seq, at - window]
    else:
        condition += " AND occurred_at >= ? AND occurred_at < ?"
        parameters += [at - delay - window, at - delay]
        if spec.is_label:
            condition += f" AND seq IN {_FRAUDS}"
            parameters += [at, seq, datetime.fromtimestamp(0, at.tzinfo)]
    one_end = spec.measure in _ENDS
    order, most = _ENDS.get(spec.measure, "DESC"), 1 if one_end else MOST_PAYMENTS
    rows = ledger.read(
        f"SELECT *, count(*) OVER () AS matching FROM transactions WHERE {condition} "
        f"ORDER BY occurred_at {order}, seq {order} LIMIT {most}",
        parameters,
    )
    count = 1 if one_end and rows else rows[0]["matching"] if rows else 0
    return {"count": count, "payments": [_payment(row, ledger, protected) for row in rows]}


def _payment(row: Mapping[str, Any], ledger: Ledger, protected: str) -> JSON:
    kinds: dict[str, Sequence[str]] = {
        role: [field.name for field in ledger.fields if field.role == role]
        for role in ("entity", "attribute")
    }
    return {
        "transaction_id": row["transaction_id"],
        "occurred_at": rfc3339(aware(row["occurred_at"])),
        "amount_minor": row["amount_minor"],
        "entities": {name: row[name] for name in kinds["entity"]},
        "attributes": without({name: row[name] for name in kinds["attribute"]}, protected),
    }
