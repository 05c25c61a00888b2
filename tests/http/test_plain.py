"""Does a body that is plainly a payment become the same as by the form, and is every other left to the form?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from casework.deciding.transactions import Sent, checked
from casework.http.payments import TransactionForm
from casework.http.plain import reader
from data.blanks import BLANKS
from data.errors import InputError
from data.incoming.mapping import Mapping, load_mapping
from data.transactions import Transaction
from tests.http.institution import RULES, payment

COLUMNS: Mapping = load_mapping((RULES / "mapping.yaml").read_bytes(), "mapping.yaml")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
READ = reader(COLUMNS)


def by_the_form(body: Any) -> Transaction | None:
    """What the form and the mapping's checks make of it, None where they refuse."""
    try:
        form = TransactionForm.model_validate(body)
        sent = {name: getattr(form, name) for name in Sent.__dataclass_fields__}
        return checked(Sent(**sent), COLUMNS)
    except (ValidationError, InputError):
        return None


def plain_body(**changes: Any) -> dict[str, Any]:
    return payment(1, **{"occurred_at": "2026-02-28T23:15:00.25+02:00", **changes})


@pytest.mark.parametrize(
    "amount", ["12.50", "12.5000", "0.0049", 7]
)  # with four places, as the ledger gives it
def test_an_everyday_payment_is_read_as_by_the_form(amount: Any) -> None:
    body = plain_body(amount=amount)
    assert READ(body, NOW) == by_the_form(body) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_id": "a\nb"},
        {"transaction_id": ""},
        {"transaction_id": "x" * 129},
        {"occurred_at": "2026-02-28T23:15:00"},
        {"occurred_at": "1969-12-31T23:59:59Z"},
        {"occurred_at": (NOW + timedelta(days=2)).isoformat()},
        {"occurred_at": 1772323200},
        {"amount": "12.50505"},
        {"amount": "-1.00"},
        {"amount": True},
        {"amount": 1e300},
        {"currency": "XXX"},
        {"amount": None, "currency": "Euro"},
        {"entities": {"nobody": "x"}},
        {"entities": {"customer": 7}},
        {"attributes": {"channel": 7}},
        {"attributes": {"unheard_of": "x"}},
        {"personal": {"unheard_of": "x"}},
        {"transaction_id": " a"},
        {"entities": {"customer": "c1 "}},
        {"attributes": {"channel": "\u00a0pos"}},
        {"personal": {"email": " c1@example.org"}},
        {"more": 1},
    ],
)
def test_about_anything_odd_the_plain_reader_says_nothing(changes: dict[str, Any]) -> None:
    assert READ(plain_body(**changes), NOW) is None


def test_blanks_around_a_text_say_nothing_as_they_do_in_a_file() -> None:
    body = plain_body()
    with duckdb.connect() as connection:
        codes = connection.sql(
            "SELECT n FROM range(1, 1114112) t(n) WHERE n NOT BETWEEN 55296 AND 57343 AND trim(chr(n::INT)) = ''"
        )
        assert "".join(chr(code) for (code,) in codes.fetchall()) == BLANKS

    def padded(part: Any) -> Any:
        return f" {part}\u3000" if isinstance(part, str) else part

    sent = {
        name: {key: padded(value) for key, value in body[name].items()} for name in ("entities", "attributes")
    }
    blank = {"transaction_id": padded(body["transaction_id"]), "personal": {"email": " "}, **sent}
    assert by_the_form({**body, **blank}) == by_the_form({**body, "personal": {}}) is not None
    assert by_the_form({**body, "transaction_id": " "}) is None


def test_a_currency_is_a_code_also_where_there_is_no_amount() -> None:
    for code, taken in {"USD": True, "Euro": False, "eur": False, "EU1": False}.items():
        body = plain_body(amount=None, currency=code)
        assert (by_the_form(body) is not None, READ(body, NOW) is not None) == (taken, taken)


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("card_1")
)
amounts = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.decimals(places=2).map(str),
    st.decimals(-999, 999, places=4).map(str),
    st.text(max_size=6),
)
bodies = st.fixed_dictionaries(
    {"transaction_id": st.one_of(st.text(max_size=12), values), "occurred_at": st.one_of(
        st.datetimes(datetime(1960, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat), values
    )},
    optional={
        "amount": amounts,
        "currency": st.sampled_from(["EUR", "", "USD", 3]),
        "entities": st.dictionaries(st.sampled_from([*COLUMNS.entities, "other"]), values, max_size=3),
        "attributes": st.dictionaries(st.sampled_from([*COLUMNS.attributes, "other"]), values, max_size=3),
        "personal": st.dictionaries(st.sampled_from([*COLUMNS.personal, "other"]), values, max_size=2),
    },
)  # fmt: skip


@given(bodies)
@settings(max_examples=400, deadline=None)
def test_whatever_is_read_plainly_is_what_the_form_makes_of_it(body: dict[str, Any]) -> None:
    found = READ(body, NOW)
    assert found is None or found == by_the_form(body)
