"""Which columns of an institution's files become which fields of a transaction?"""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from data.money import Rates
from data.schema import TYPES, Field

EPOCH_FORMATS = ("epoch_s", "epoch_ms", "epoch_us")
"""Formats for times given as whole numbers since 1970; any other format is a strptime pattern."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column of times. Without `format` ISO 8601 is read; times that name no offset are in `time_zone`."""

    column: str
    format: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column that becomes an attribute; `type` is number, category or flag."""

    column: str
    type: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """Where a file says what was fraud, and when that became known: after a delay, or as a column says.

    Without `fraud_values` 1 and true are fraud, 0 and false are not, and anything else is quarantined;
    with them any other value is not fraud. An empty cell is no label.
    """

    column: str
    known_after: timedelta | None = None
    known_at: TimeColumn | None = None
    fraud_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """An institution's mapping. Names on the left are the ledger's, column names are the files'.

    `amount` and `currency` name columns; `currency_constant` stands for a missing currency column. `rates`
    turns amounts into minor units of `base_currency`. `sha256` identifies the mapping file.
    """

    institution: str
    base_currency: str
    time_zone: str
    transaction_id: str
    occurred_at: TimeColumn
    arrival: TimeColumn | None
    amount: str
    currency: str
    currency_constant: str
    entities: AbstractMapping[str, str]
    attributes: AbstractMapping[str, Attribute]
    personal: AbstractMapping[str, str]
    label: Label | None
    rates: Rates
    sha256: str
    where: str = "mapping.yaml"

    @property
    def entity_names(self) -> tuple[str, ...]:
        return tuple(self.entities)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The ledger's fields for this mapping: entities, attributes, personal."""
        entities = [Field(name, "entity") for name in self.entities]
        attributes = [
            Field(name, "attribute", TYPES[attribute.type], attribute.unit)
            for name, attribute in self.attributes.items()
        ]
        return (*entities, *attributes, *(Field(name, "personal") for name in self.personal))

    @property
    def about(self) -> dict[str, str]:
        """What the ledger remembers of the mapping."""
        return {
            "institution": self.institution,
            "base_currency": self.base_currency,
            "time_zone": self.time_zone,
            "mapping_sha256": self.sha256,
        }

    @property
    def columns(self) -> dict[str, str]:
        """Every column a file must have, with the place in the mapping that asks for it."""
        wanted = {self.transaction_id: "transaction.id", self.occurred_at.column: "transaction.occurred_at"}
        if self.arrival:
            wanted[self.arrival.column] = "transaction.arrival"
        for column, place in ((self.amount, "transaction.amount"), (self.currency, "transaction.currency")):
            if column:
                wanted[column] = place
        wanted.update({column: f"entities.{name}" for name, column in self.entities.items()})
        wanted.update({a.column: f"attributes.{name}" for name, a in self.attributes.items()})
        wanted.update({column: f"personal.{name}" for name, column in self.personal.items()})
        if self.label:
            wanted[self.label.column] = "label.column"
            if self.label.known_at:
                wanted[self.label.known_at.column] = "label.known_at"
        return wanted

    def minor(self, amount: Decimal, currency: str, on: date) -> int:
        """An amount in minor units of the base currency; see `Rates.minor`."""
        return self.rates.minor(amount, currency, on)
