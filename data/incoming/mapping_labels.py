"""What does a mapping say about labels: those in the file itself, and those in a later file of outcomes?"""

from __future__ import annotations

from data.incoming.mapping_columns import FraudFlag, Label, OutcomeColumns
from data.incoming.mapping_keys import Keys

_VALUES = ("fraud_values", "legitimate_values", "unknown_values")
_OUTCOMES = ("transaction_id", "known_at", "is_fraud", "reason_code", "fraud_codes", "reversal_codes")


def label_of(keys: Keys, zone: str) -> Label | None:
    """The `label` part, or None."""
    if "label" not in keys.top:
        return None
    part = keys.part("label", ("column", "known_after", "known_at", *_VALUES))
    if ("known_after" in part) == ("known_at" in part):
        raise keys.document.error("say when labels become known: give known_after or known_at", "label")
    after = keys.duration("label", "known_after") if "known_after" in part else None
    at = keys.time(zone, "label", "known_at") if "known_at" in part else None
    return Label(_flag(keys, "label"), after, at)


def outcomes_of(keys: Keys, zone: str) -> OutcomeColumns | None:
    """The `outcomes` part, or None."""
    if "outcomes" not in keys.top:
        return None
    part = keys.part("outcomes", _OUTCOMES)
    if "is_fraud" not in part and "reason_code" not in part:
        raise keys.document.error("say what was fraud: give is_fraud, reason_code or both", "outcomes")
    frauds, reversals = keys.texts("outcomes", "fraud_codes"), keys.texts("outcomes", "reversal_codes")
    if (frauds or reversals) and "reason_code" not in part:
        raise keys.document.error("codes need a column: reason_code", "outcomes")
    if "is_fraud" not in part and not frauds:
        hint = "Other chargebacks, such as goods not received, say nothing about fraud."
        raise keys.document.error("say which codes mean fraud: fraud_codes", "outcomes", hint=hint)
    if both := sorted({*frauds} & {*reversals}):
        raise keys.document.error(
            f"'{both[0]}' cannot be both fraud and reversal", "outcomes", "reversal_codes"
        )
    return OutcomeColumns(
        transaction_id=keys.text("outcomes", "transaction_id"),
        known_at=keys.clock(zone, "outcomes", "known_at"),
        flag=_fraud_column(keys) if "is_fraud" in part else None,
        reason=keys.text("outcomes", "reason_code") if "reason_code" in part else "",
        fraud_codes=frauds,
        reversal_codes=reversals,
    )


def _fraud_column(keys: Keys) -> FraudFlag:
    path = ("outcomes", "is_fraud")
    value = keys.value(*path)
    if not isinstance(value, dict):
        return FraudFlag(keys.text(*path))
    keys.document.refuse_unknown(value, ("column", *_VALUES), *path)
    return _flag(keys, *path)


def _flag(keys: Keys, *path: str) -> FraudFlag:
    fraud, legitimate, unknown = (keys.texts(*path, name) for name in _VALUES)
    if legitimate and not fraud:
        raise keys.document.error(
            "legitimate_values need fraud_values beside them", *path, "legitimate_values"
        )
    groups = [{value.lower() for value in values} for values in (fraud, legitimate, unknown)]
    if both := sorted((groups[0] & groups[1]) | (groups[0] & groups[2]) | (groups[1] & groups[2])):
        raise keys.document.error(f"'{both[0]}' is given two meanings", *path)
    return FraudFlag(keys.text(*path, "column"), fraud, legitimate, unknown)
