"""Does a transaction that was sent fit the workspace's mapping, and what is it in the ledger's terms?"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from data.blanks import trimmed
from data.errors import InputError
from data.incoming.mapping import Mapping
from data.integrity.commitments import content_sha256
from data.transactions import AttributeValue, Transaction

_CODE = re.compile("[A-Z]{3}").fullmatch


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction as sent. Names are the mapping's; what is left out is missing; blanks around a text say nothing."""

    transaction_id: str
    occurred_at: datetime
    amount: Decimal | None
    currency: str
    entities: Map[str, str | None]
    attributes: Map[str, AttributeValue]
    personal: Map[str, str]


def checked(sent: Sent, mapping: Mapping) -> Transaction:
    """The transaction in the ledger's terms (seq 0). InputError naming the field that does not fit the mapping."""
    _refuse_unknown("entities", sent.entities, mapping.entities)
    _refuse_unknown("attributes", sent.attributes, mapping.attributes)
    _refuse_unknown("personal", sent.personal, mapping.personal)
    if not trimmed(sent.transaction_id):
        raise InputError("the id is empty", where="transaction_id", allowed="a text that is not blank")
    currency = _currency(sent, mapping)
    if sent.amount is not None and sent.amount < 0 and not mapping.amount_form.negative:
        raise InputError(
            "a negative amount, and this institution's mapping does not expect refunds",
            where="amount",
            allowed="0 or more",
            hint="Say `amount: {column, negative: keep}` in the mapping to decide refunds too.",
        )
    amount_minor = None
    if sent.amount is not None:
        amount_minor = mapping.rates.minor(sent.amount, currency, sent.occurred_at.astimezone(UTC).date())
    transaction = Transaction(
        transaction_id=trimmed(sent.transaction_id),
        occurred_at=sent.occurred_at.astimezone(UTC),
        amount_minor=amount_minor,
        # An empty word and a missing one mean the same, as they do in a file.
        entities={name: _entity(name, sent.entities.get(name), mapping) for name in mapping.entities},
        attributes={
            name: _attribute(name, kind.type, sent.attributes.get(name))
            for name, kind in mapping.attributes.items()
        },
        amount=sent.amount,
        currency=currency,
        personal={name: said for name, value in sent.personal.items() if (said := trimmed(value))},
    )
    content_sha256(transaction)  # refuses here, before it is queued, what could not be stored exactly
    return transaction


def _refuse_unknown(group: str, given: Map[str, Any], known: Map[str, Any]) -> None:
    for name in given:
        if name not in known:
            raise InputError(
                f"{name[:64]!r} is not one of the mapping's {group}",
                where=f"{group}.{name[:64]}",
                allowed=", ".join(known) or "none",
            )


def _entity(name: str, value: str | None, mapping: Mapping) -> str | None:
    """What the ledger holds of an entity: its value, or its pseudonym."""
    said = trimmed(value or "")
    return (mapping.held(name, said) or None) if said else None


def _currency(sent: Sent, mapping: Mapping) -> str:
    constant, said = mapping.currency_constant, trimmed(sent.currency)
    if constant and said not in ("", constant):
        raise InputError(f"{said!r} is not this institution's currency", where="currency", allowed=constant)
    if not constant and not said:
        raise InputError("the currency is missing", where="currency", hint="Send a code such as EUR.")
    if not constant and not _CODE(said):
        raise InputError(f"{said!r} is no currency code", where="currency", allowed="three capital letters")
    return said or constant


def _attribute(name: str, kind: str, value: AttributeValue) -> AttributeValue:
    if isinstance(value, str) and kind == "category":
        return trimmed(value) or None
    if value is None:
        return None
    fits = {
        "flag": isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "category": isinstance(value, str),
    }[kind]
    if not fits:
        allowed = {"flag": "true, false", "number": "a number", "category": "a text"}[kind]
        raise InputError(
            "this value has the wrong type", where=f"attributes.{name}", allowed=f"{allowed}, null"
        )
    return float(value) if kind == "number" else value
