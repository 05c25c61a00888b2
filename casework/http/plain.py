"""Is this body plainly a payment that can be decided, and which?

Most bodies are: every field is there, of the right kind and within its limits. They are told from the rest by a few
comparisons each, and become what the form and the mapping's checks would have made of them. About any other body
nothing is said here: the form reads it, and says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from casework.http.bodies import LONGEST_ID
from data.errors import InputError
from data.incoming.mapping import Mapping as Columns
from data.transactions import Transaction

_FIELDS = frozenset(
    ("transaction_id", "occurred_at", "amount", "currency", "entities", "attributes", "personal")
)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-][01]\d:\d\d)", re.ASCII
).fullmatch
_AMOUNT = re.compile(r"-?\d{1,9}(?:\.\d{1,4})?", re.ASCII).fullmatch
_CODE = re.compile("[A-Z]{3}").fullmatch
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_FURTHEST_AHEAD = timedelta(hours=23)
_LARGEST_NUMBER = 2.0**53
_LONGEST_TEXT = 256


def reader(columns: Columns) -> Callable[[Any, datetime], Transaction | None]:
    """A function of a parsed body and the moment: the transaction, or None where the form has to look."""
    plain = _Plain(columns)
    return plain.read


class _Plain:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._entities = dict.fromkeys(columns.entities)
        self._pseudonymous = columns.pseudonymous
        self._attributes = {name: kind.type for name, kind in columns.attributes.items()}
        self._blank: dict[str, Any] = dict.fromkeys(columns.attributes)
        self._currency = columns.currency_constant

    def read(self, body: Any, now: datetime) -> Transaction | None:
        if body.__class__ is not dict or not body.keys() <= _FIELDS:
            return None
        name, told = body.get("transaction_id", ""), body.get("occurred_at")
        if not _is_name(name) or told.__class__ is not str or not _TIME(told):
            return None
        entities = self._entities_of(body.get("entities", {}))
        attributes = self._attributes_of(body.get("attributes", {}))
        personal = self._personal_of(body.get("personal", {}))
        if entities is None or attributes is None or personal is None:
            return None
        try:
            at = datetime.fromisoformat(told).astimezone(UTC)
            if not _EARLIEST < at < now + _FURTHEST_AHEAD:
                return None
            amount, currency = self._money(body.get("amount"), body.get("currency", ""))
            minor = None if amount is None else self._columns.rates.minor(amount, currency, at.date())
        except (ValueError, OverflowError, InputError):  # the form and the checks find the words for it
            return None
        return Transaction(name, at, minor, entities, attributes, amount, currency, personal)

    def _entities_of(self, given: Any) -> dict[str, str | None] | None:
        if given.__class__ is not dict or not given.keys() <= self._entities.keys():
            return None
        found = self._entities.copy()
        for name, value in given.items():
            if value is not None and value != "":
                if not _is_name(value):
                    return None
                found[name] = self._columns.held(name, value) or None if name in self._pseudonymous else value
        return found

    def _attributes_of(self, given: Any) -> dict[str, Any] | None:
        if given.__class__ is not dict or not given.keys() <= self._attributes.keys():
            return None
        found = self._blank.copy()
        for name, value in given.items():
            if value is None:
                continue
            kind, held = self._attributes[name], value.__class__
            if kind == "category":
                if not _is_text(value):
                    return None
                found[name] = value or None
            elif kind == "number":
                if (held is not float and held is not int) or not -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
                    return None
                found[name] = float(value)
            elif held is bool:
                found[name] = value
            else:
                return None
        return found

    def _personal_of(self, given: Any) -> dict[str, str] | None:
        if not given and given.__class__ is dict:
            return {}
        if given.__class__ is not dict or not given.keys() <= self._columns.personal.keys():
            return None
        for value in given.values():
            if not _is_text(value):
                return None
        return {name: value for name, value in given.items() if value}

    def _money(self, amount: Any, currency: Any) -> tuple[Decimal | None, str]:
        """ValueError where it is not plain."""
        if currency.__class__ is not str or (
            currency not in ("", self._currency) if self._currency else not _CODE(currency)
        ):
            raise ValueError("another currency")
        told = currency or self._currency
        if amount is None:
            return None, told
        text = amount if amount.__class__ is str else repr(amount)
        if amount.__class__ is bool or not _AMOUNT(text):
            raise ValueError("not a plain amount")
        if text[0] == "-" and not self._columns.amount_form.negative:
            raise ValueError("a refund")
        return Decimal(text), told


def _is_name(value: Any) -> bool:
    return _is_text(value) and 0 < len(value) <= LONGEST_ID


def _is_text(value: Any) -> bool:
    """A text as the ledger holds it: of all blanks only a space is printable, and none stands around it."""
    if value.__class__ is not str or len(value) > _LONGEST_TEXT or not value.isprintable():
        return False
    return not value or (value[0] != " " and value[-1] != " ")
