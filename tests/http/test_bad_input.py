"""Does input that cannot be used get a clear answer, without harm to what comes with it?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.institution import START, Institution, payment

TOLD = START.isoformat()

BAD = {
    "an id of 10,000 characters": ({"transaction_id": "x" * 10_000}, "transaction_id"),
    "an id with a line break": ({"transaction_id": "a\nb"}, "transaction_id"),
    "an entity of 10,000 characters": ({"entities": {"customer": "x" * 10_000}}, "entities.customer"),
    "a date far in the future": ({"occurred_at": "2199-01-01T00:00:00Z"}, "more than a day in the future"),
    "a date beyond the calendar": ({"occurred_at": "99999-01-01T00:00:00Z"}, "occurred_at"),
    "a date far in the past": ({"occurred_at": "0001-01-01T00:00:00Z"}, "before 1970"),
    "a date without a zone": ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"),
    "a refund nobody expects": ({"amount": "-5.00"}, "does not expect refunds"),
    "an amount beyond all": ({"amount": "1e14"}, "too large once it is in EUR"),
    "an amount beyond what is stored": ({"amount": "1e12"}, "cannot be stored exactly"),
    "an amount with 5 decimals": ({"amount": "1.23456"}, "cannot be stored exactly"),
    "an amount in words": ({"amount": "twelve"}, "amount"),
    "an unknown entity": ({"entities": {"spaceship": "s1"}}, "not one of the mapping's entities"),
    "an attribute of another type": ({"attributes": {"country": 7}}, "wrong type"),
    "an unknown currency": ({"currency": "XXX"}, "XXX"),
    "an unknown field": ({"colour": "red"}, "colour"),
}


def sent(name: str, /, **changes: Any) -> dict[str, Any]:
    """An everyday payment of that name, but for what `changes` says."""
    return payment(1, **{"transaction_id": name, **changes})


@pytest.mark.parametrize(("changes", "said"), BAD.values(), ids=BAD.keys())
def test_one_bad_transaction_is_refused_with_its_field(
    institution: Institution, changes: dict[str, Any], said: str
) -> None:
    before = institution.app.ledger.next_transaction_seq
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", json=sent("b0", **changes))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert len(answer.content) < 2000
    assert institution.app.ledger.next_transaction_seq == before


def test_numbers_that_are_none_are_refused(institution: Institution) -> None:
    for text in ("NaN", "Infinity", "-Infinity", "1e999"):
        body = json.dumps(sent("b1")).replace('"12.50"', text)
        kind = {"content-type": "application/json"}
        answer = institution.ask("integrator-1", "POST", "/v1/decisions", headers=kind, content=body)
        assert answer.status_code == 422, answer.text


def test_one_bad_row_of_a_batch_stops_no_other(institution: Institution) -> None:
    bodies: list[Any] = [sent(f"n{n}") for n in range(len(BAD) + 40)]
    for place, (changes, _) in enumerate(BAD.values()):
        bodies[2 * place] = sent(f"n{2 * place}", **changes)
    bodies[-1] = "not even an object"
    answer = institution.ask("integrator-1", "POST", "/v1/decisions/batch", json={"transactions": bodies})
    assert answer.status_code == 200
    told = answer.json()["decisions"]
    assert len(told) == len(bodies)
    for place, (_, said) in enumerate(BAD.values()):
        assert said in told[2 * place]["problem"]["detail"]
    assert "problem" in told[-1]
    decided = [(body["transaction_id"], made["transaction_id"]) for body, made in zip(bodies, told, strict=True)
               if "problem" not in made]  # fmt: skip
    assert len(decided) == len(bodies) - len(BAD) - 1
    assert all(sent == answered for sent, answered in decided)


def test_a_batch_of_nothing_but_bad_rows_is_answered_too(institution: Institution) -> None:
    answer = institution.ask("integrator-1", "POST", "/v1/decisions/batch", json={"transactions": [{}, 7]})
    assert answer.status_code == 200
    assert ["problem" in each for each in answer.json()["decisions"]] == [True, True]


def test_an_unknown_category_is_decided(institution: Institution) -> None:
    made = institution.decide(sent("a1", attributes={"country": "Atlantis"}))
    assert made["features"]["country"] == "Atlantis"


def test_100_mb_are_refused_whether_declared_or_not(institution: Institution) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000_000

    length = {"content-length": "100000000"}
    for path in ("/v1/decisions", "/v1/decisions/batch", "/v1/outcomes"):
        declared = institution.ask("integrator-1", "POST", path, headers=length, content=endless())
        assert (declared.status_code, declared.headers["content-type"]) == (413, "application/problem+json")
        kind = {"content-type": "application/json"}
        chunked = institution.ask("integrator-1", "POST", path, headers=kind, content=endless())
        assert (chunked.status_code, chunked.headers["content-type"]) == (413, "application/problem+json")
        assert chunked.json()["hint"] == "Send it in parts."


OUTCOMES = "\n".join(
    ("transaction_id,known_at,is_fraud", f"t800,{TOLD},1", "never-seen," + TOLD + ",1", f"t800,{TOLD},1", "")
)


def test_a_file_of_outcomes_needs_a_mapping_that_says_how(institution: Institution) -> None:
    file = {"file": ("chargebacks.csv", OUTCOMES.encode())}
    answer = institution.ask("integrator-1", "POST", "/v1/outcome-imports", files=file)
    assert answer.status_code == 422
    assert "does not say what an outcomes file looks like" in answer.json()["detail"]


def test_only_those_who_report_outcomes_may_import_them(institution: Institution) -> None:
    file = {"file": ("chargebacks.csv", OUTCOMES.encode())}
    assert institution.ask("analyst-1", "POST", "/v1/outcome-imports", files=file).status_code == 403
