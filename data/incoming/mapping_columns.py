"""Which columns of an institution's files become which fields of a transaction?"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from data.errors import MappingError
from data.money import Rates
from data.pseudonyms import ABOUT, Pseudonyms
from data.storage.schema import TYPES, Field

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "months": 0}
"""Seconds in one step of a relative clock. Months are calendar months."""

EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1000, "epoch_us": 1}
"""Microseconds in one step of a count since 1970, by the name it has in place of a format."""

FROM_ROW = ""
"""As the id's column: the files have no ids, and a row's own content stands for one."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column of times. Without `format` ISO 8601 is read; times that name no offset are in `time_zone`.

    With `origin` (UTC) the column holds numbers instead: how many `unit`s have passed since then.
    """

    column: str
    format: str = ""
    time_zone: str = "UTC"
    unit: str = ""
    origin: datetime | None = None


@dataclass(frozen=True, slots=True)
class AmountForm:
    """How amounts are written as text: the sign of a currency that may stand before or after, what groups the
    thousands, what stands before the decimals. `negative` says whether refunds are kept."""

    example: str = ""
    sign: str = ""
    group: str = ""
    point: str = "."
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column that becomes an attribute; `type` is number, category or flag."""

    column: str
    type: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FraudFlag:
    """A column that says what was fraud.

    Without `fraud` values 1 and true are fraud, 0 and false are not. With them any other value is not fraud, unless
    `legitimate` values are given too. `unknown` values are no label, like an empty cell. What is left is quarantined.
    """

    column: str
    fraud: tuple[str, ...] = ()
    legitimate: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """Where a file says what was fraud, and when that became known: after a delay, or as a column says."""

    flag: FraudFlag
    known_after: timedelta | None = None
    known_at: TimeColumn | None = None

    @property
    def column(self) -> str:
        return self.flag.column


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """The columns of a later file of outcomes, such as chargebacks.

    `flag` and `reason` may both be given: then a fraud counts only with one of the `fraud_codes`, if there are any.
    By reason alone a fraud code is a fraud, a reversal code takes it back, and any other code says nothing.
    """

    transaction_id: str
    known_at: TimeColumn
    flag: FraudFlag | None = None
    reason: str = ""
    fraud_codes: tuple[str, ...] = ()
    reversal_codes: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Every column an outcomes file must have, with the first place in the mapping that asks for it."""
        asked = [
            (self.transaction_id, "transaction_id"),
            (self.known_at.column, "known_at"),
            (self.flag.column if self.flag else "", "is_fraud"),
            (self.reason, "reason_code"),
        ]
        return _first_places((column, f"outcomes.{name}") for column, name in asked)


@dataclass(frozen=True)
class Mapping:
    """An institution's mapping. Names on the left are the ledger's, column names are the files'.

    `transaction_id`, `amount` and `currency` name columns; an empty id is made from the row (FROM_ROW), and
    `currency_constant` stands for a missing currency column. `rates` turns amounts into minor units of
    `base_currency`. `called` is what people call a transaction: a payment, an application. `sha256` identifies the
    mapping file. Of the entities in `pseudonymous` the ledger keeps pseudonyms only, which `pseudonyms` makes; without
    a ledger there is none, and their values are refused.
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
    amount_form: AmountForm = AmountForm()
    outcomes: OutcomeColumns | None = None
    called: str = "payment"
    pseudonymous: frozenset[str] = frozenset()
    pseudonyms: Pseudonyms | None = field(default=None, repr=False, compare=False)

    def held(self, entity: str, value: str) -> str:
        """A value as the ledger has it: of a pseudonymous entity the pseudonym, of another one the value itself.

        A pseudonym stays what it is. MappingError where no ledger gave the mapping a key.
        """
        if entity not in self.pseudonymous:
            return value
        if self.pseudonyms is None:
            raise MappingError(
                f"{entity} is to be a pseudonym, and there is no ledger whose key could make it",
                where=self.where,
                hint="Use the mapping of an opened workspace.",
            )
        return self.pseudonyms.of(entity, value)

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
        told = {
            "institution": self.institution,
            "base_currency": self.base_currency,
            "time_zone": self.time_zone,
            "mapping_sha256": self.sha256,
        }
        return told | ({ABOUT: ",".join(sorted(self.pseudonymous))} if self.pseudonymous else {})

    @property
    def columns(self) -> dict[str, str]:
        """Every column a file must have, with the first place in the mapping that asks for it: what no row is without
        comes before what may be any text (see csv_lines)."""
        label = self.label
        asked = [
            (self.transaction_id, "transaction.id"),
            (self.occurred_at.column, "transaction.occurred_at"),
            (self.arrival.column if self.arrival else "", "transaction.arrival"),
            (self.amount, "transaction.amount"),
            (self.currency, "transaction.currency"),
            *((column, f"entities.{name}") for name, column in self.entities.items()),
            (label.column if label else "", "label.column"),
            (label.known_at.column if label and label.known_at else "", "label.known_at"),
            *((a.column, f"attributes.{name}") for name, a in self.attributes.items()),
            *((column, f"personal.{name}") for name, column in self.personal.items()),
        ]
        return _first_places(asked)

    def minor(self, amount: Decimal, currency: str, on: date) -> int:
        """An amount in minor units of the base currency; see `Rates.minor`."""
        return self.rates.minor(amount, currency, on)


def _first_places(asked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """{column: place} of (column, place), each column with the first that asks for it; '' is no column."""
    found: dict[str, str] = {}
    for column, place in asked:
        if column:
            found.setdefault(column, place)
    return found
