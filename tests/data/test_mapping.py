"""Does a mapping say what it must, and is every other word refused at its place?"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from data.errors import InputError, MappingError
from data.incoming.mapping import load_mapping
from data.storage.schema import Field
from tests.data.builders import HANDBOOK, MAPPING, mapping

ROOT = Path(__file__).resolve().parents[2]


def test_a_mapping_names_fields_and_the_columns_they_come_from() -> None:
    found = load_mapping(HANDBOOK)
    assert (found.institution, found.base_currency, found.currency_constant) == ("handbook", "EUR", "EUR")
    assert tuple(found.entities) == ("customer", "terminal")
    assert found.fields == (Field("customer", "entity"), Field("terminal", "entity"))
    assert found.label is not None
    assert found.label.known_after == timedelta(days=7)
    assert found.columns == {
        "TRANSACTION_ID": "transaction.id",
        "TX_DATETIME": "transaction.occurred_at",
        "TX_AMOUNT": "transaction.amount",
        "CUSTOMER_ID": "entities.customer",
        "TERMINAL_ID": "entities.terminal",
        "TX_FRAUD": "label.column",
    }


def test_the_demo_institutions_mapping_is_valid() -> None:
    found = load_mapping(ROOT / "rules" / "mapping.yaml")
    assert "customer" in found.entities
    assert found.label is None


def test_attribute_types_become_column_types() -> None:
    kinds = {field.name: field.type for field in mapping().fields if field.role == "attribute"}
    assert kinds == {"country": "VARCHAR", "score": "DOUBLE", "trusted": "BOOLEAN"}


LABEL = "label: {column: fraud, known_after: 7d}"
REFUSALS = [
    ("version: 1", "version: 2", "1:1: this program reads version 1 (allowed: version: 1)"),
    ("institution:", "institutoin:", "2:1: unknown key 'institutoin'"),
    ("institution: test bank\n", "", "1:1: 'institution' is missing"),
    ("base_currency: EUR", "base_currency: euro", "3:1: 'euro' is not a currency code"),
    ("time_zone: UTC", "time_zone: Mars/Olympus", "4:1: 'Mars/Olympus' is not a time zone"),
    ("id: id", "di: id", "5:15: unknown key 'di'"),
    ("id: id, ", "", "5:1: 'transaction.id' is missing"),
    ("id: id", "id: 7", "5:15: 'id' must be text"),
    ("device: device}", "Device: device}", "6:32: 'Device' cannot be the name of a field"),
    ("device: device}", "amount: device}", "6:32: 'amount' cannot be the name of a field"),
    ("device: device}", "country: device}", "8:3: 'country' is already one of the entities"),
    ("type: number", "type: nubmer", "9:26: unknown type 'nubmer' (allowed: number, category, flag). Did you"),
    ("country, type: category", "country", "8:3: 'attributes.country.type' is missing"),
    ("known_after: 7d", "known_after: soon", "12:24: 'soon' is not a length of time"),
    ("device: device}", "device: {column: device, pseudonym: yes}}", "6:57: 'yes' does not say whether"),
    ("device: device}", "device: {column: device, pseudo: true}}", "6:57: unknown key 'pseudo'"),
    ("device: device}", "device: {column: country, pseudonym: true}}", "6:41: attributes.country would keep in clear"),
    ("device: device}", "device: {column: customer, pseudonym: true}}", "6:41: entities.customer would keep in"),
    (LABEL, "label: {column: fraud}", "12:1: say when labels become known: give known_after or known_at"),
    ("currency: currency", "currency: {constant: USD}", "5:58: there is no rate from USD to EUR"),
    (LABEL, "rates: [{currency: USD, from: soon, rate: 1}]", "12:9: a rate needs a date and a number"),
    (LABEL, "rates: [{currency: EUR, from: 2026-01-01, rate: 1}]", "12:10: 'EUR' is not a currency to convert"),
    (LABEL, "rates: [{currency: USD, from: 2026-01-01, rate: -1}]", "12:43: the rate -1 is out of range"),
    ("version: 1", "version: 1\nversion: 1", "2:1: the key 'version' was already given at 1:1"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), REFUSALS)
def test_a_wrong_mapping_is_refused_at_its_place(old: str, new: str, message: str) -> None:
    assert old in MAPPING
    with pytest.raises(MappingError) as caught:
        mapping(MAPPING.replace(old, new, 1))
    assert f"mapping.yaml:{message}" in str(caught.value)


def test_rates_hold_from_their_date_and_round_halves_away_from_zero() -> None:
    rates = "{currency: JPY, from: 2026-01-01, rate: 0.00625}, {currency: JPY, from: 2026-02-01, rate: 0.01}"
    text = f"rates: [{rates}]\n"
    found = mapping(MAPPING + text)
    assert found.minor(Decimal(200), "JPY", date(2026, 1, 31)) == 125
    assert found.minor(Decimal(200), "JPY", date(2026, 2, 1)) == 200
    assert found.minor(Decimal("-0.005"), "EUR", date(2020, 1, 1)) == -1
    with pytest.raises(InputError) as caught:
        found.minor(Decimal(1), "JPY", date(2025, 12, 31))
    assert str(caught.value) == (
        "amount: there is no rate for JPY on 2025-12-31 (allowed: EUR, JPY). Add a dated rate to `rates` in the"
        " mapping."
    )


def test_minor_units_follow_the_currency() -> None:
    yen = load_mapping(HANDBOOK.replace(b"EUR", b"JPY"))
    dinar = load_mapping(HANDBOOK.replace(b"EUR", b"KWD"))
    assert yen.minor(Decimal("1200"), "JPY", date(2026, 1, 1)) == 1200
    assert dinar.minor(Decimal("1.234"), "KWD", date(2026, 1, 1)) == 1234
