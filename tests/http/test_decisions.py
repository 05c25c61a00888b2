"""Does a payment system get its decision once, durably, and the same again?"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from data import reading
from data.integrity import chain
from tests.http.institution import Institution, large_payment, payment


def test_an_everyday_payment_is_approved_with_everything_that_led_to_it(institution: Institution) -> None:
    made = institution.decide(payment(1))
    assert made["outcome"] == "approve"
    assert made["case_id"] is None
    assert made["features"]["amount_minor"] == 1250
    assert {"seq", "set_id", "model_id", "rules", "triage", "thresholds", "draws", "reasons"} <= made.keys()


def test_a_large_payment_opens_a_case_in_the_same_answer(institution: Institution) -> None:
    made = institution.decide(large_payment(2))
    assert made["outcome"] == "review"
    assert made["triage"]["reason"] == "high_amount"
    case = institution.ask("team-lead-1", "GET", f"/v1/cases/{made['case_id']}").json()
    assert case["reason"] == "high_amount"


def test_the_same_request_again_gets_the_stored_answer_and_writes_nothing(institution: Institution) -> None:
    first = institution.decide(large_payment(3))
    head = institution.app.ledger.last_event
    assert institution.decide(large_payment(3)) == first
    assert institution.app.ledger.last_event == head


def test_an_id_with_other_content_is_a_conflict(institution: Institution) -> None:
    institution.decide(payment(4))
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", json=payment(4, amount="12.51"))
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not possible now",
        "status": 409,
        "detail": "t4: this transaction id was used before for other content.",
        "hint": "Send the same content to get the stored decision, or a new id for a new transaction.",
    }


@pytest.mark.parametrize(
    "other", [{"email": "b@example.org"}, {"email": "a@example.org", "customer_name": "b"}]
)
def test_an_id_with_other_personal_values_is_a_conflict_that_quotes_none(
    institution: Institution, other: dict[str, str]
) -> None:
    first = institution.decide(payment(61, personal={"email": "a@example.org"}))
    assert institution.decide(payment(61, personal={"email": "a@example.org"})) == first
    assert institution.decide(payment(61)) == first  # nothing is dropped that was not sent
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", json=payment(61, personal=other))
    assert answer.status_code == 409
    assert "other personal values" in answer.json()["detail"]
    assert "example.org" not in answer.text
    assert reading.personal_values(institution.app.ledger, f"transaction:{first['seq']}") == {
        "email": "a@example.org"
    }


def test_personal_values_that_differ_in_one_batch_are_told(institution: Institution) -> None:
    bodies = [payment(62, personal={"email": f"{who}@example.org"}) for who in "aab"]
    asked = {"transactions": bodies}
    told = institution.ask("integrator-1", "POST", "/v1/decisions/batch", json=asked).json()["decisions"]
    assert told[0] == told[1] and told[0]["transaction_id"] == "t62"
    assert "other personal values" in told[2]["problem"]["detail"]


def test_a_payment_whose_personal_values_were_erased_gets_its_decision_again(
    institution: Institution,
) -> None:
    body = payment(63, entities={"customer": "to-go"}, personal={"email": "a@example.org"})
    first = institution.decide(body)
    scope = {"entity": "customer", "value": "to-go", "reason": "a request"}
    assert institution.ask("admin-1", "POST", "/v1/erasures", json=scope).is_success
    assert institution.decide(body) == first
    assert reading.personal_values(institution.app.ledger, f"transaction:{first['seq']}") == {}


def test_text_with_any_character_is_kept_as_it_was_sent(institution: Institution) -> None:
    """A NUL among others: DuckDB's appender, its JSON and its digests take it."""
    for number, odd in enumerate(("a\0b", "\0", "\x1b[31m", "\ufffe", "\U0010ffff"), 64):
        body = payment(number, attributes={"merchant_category": odd}, personal={"email": odd})
        seq = institution.decide(body)["seq"]
        with institution.app.ledger.writing():  # everything recorded is in DuckDB from here on
            pass
        assert reading.one(institution.app.ledger, seq).attributes["merchant_category"] == odd
        assert reading.personal_values(institution.app.ledger, f"transaction:{seq}") == {"email": odd}
        replayed = institution.ask("auditor-1", "GET", f"/v1/replays/t{number}").json()
        assert replayed["differences"] == []
    assert chain.verify(institution.app.ledger).ok


def test_a_batch_is_decided_in_order_and_its_payments_see_each_other(institution: Institution) -> None:
    bodies = [payment(n, entities={"customer": "batch"}) for n in (10, 11, 12)]
    conflict = payment(4, amount="99.00")
    answer = institution.ask(
        "integrator-1", "POST", "/v1/decisions/batch", json={"transactions": [*bodies, conflict]}
    )
    *made, refused = answer.json()["decisions"]
    assert [d["features"]["customer_txn_count_1d"] for d in made] == [0, 1, 2]
    assert refused["problem"]["detail"] == "t4: this transaction id was used before for other content."


def test_the_same_id_twice_in_one_batch_is_one_transaction(institution: Institution) -> None:
    body = payment(13)
    answer = institution.ask(
        "integrator-1", "POST", "/v1/decisions/batch", json={"transactions": [body, body]}
    )
    first, second = answer.json()["decisions"]
    assert first == second


def test_many_at_once_are_each_decided_once_and_the_chain_holds(institution: Institution) -> None:
    bodies = [payment(n) for n in range(100, 140)] * 2
    with institution.client("integrator-1") as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda b: client.post("/v1/decisions", json=b).json(), bodies))
    by_id = {a["transaction_id"]: a for a in answers}
    assert all(by_id[a["transaction_id"]] == a for a in answers)
    assert len({a["seq"] for a in answers}) == 40
    assert chain.verify(institution.app.ledger).ok


def test_a_stored_decision_reads_back_as_it_was_answered(institution: Institution) -> None:
    made = institution.decide(payment(5))
    read = institution.ask("auditor-1", "GET", "/v1/decisions/t5")
    assert {name: read.json()[name] for name in made} == made


def test_a_decision_is_read_with_its_payment_and_its_features_in_words(institution: Institution) -> None:
    sent = payment(6)
    institution.decide(sent)
    read = institution.ask("auditor-1", "GET", "/v1/decisions/t6").json()
    assert (read["amount_minor"], read["currency"]) == (1250, "EUR")
    assert datetime.fromisoformat(read["occurred_at"]) == datetime.fromisoformat(sent["occurred_at"])
    assert (read["entities"], read["attributes"]) == (sent["entities"], sent["attributes"])
    inputs = {given["name"]: given for given in read["inputs"]}
    assert inputs.keys() == read["features"].keys()
    amount = {"name": "amount_minor", "unit": "money", "value": 1250, "text": "12.50 EUR"}
    assert inputs["amount_minor"].items() >= amount.items()
    assert inputs["amount_minor"]["phrase"] == "amount of this payment"


def test_whoever_reviews_does_not_read_the_protected_attribute(institution: Institution) -> None:
    institution.decide(payment(7))
    for user in ("analyst-1", "team-lead-1"):
        read = institution.ask(user, "GET", "/v1/decisions/t7")
        assert read.json()["attributes"]["channel"] == "pos"
        assert "age_band" not in read.text


def test_decisions_are_found_by_entity_newest_first_page_by_page(institution: Institution) -> None:
    for number in range(20, 25):
        institution.decide(payment(number, entities={"customer": "wanted"}))
    query: dict[str, Any] = {"entity": "customer", "value": "wanted", "limit": 3}
    first = institution.ask("auditor-1", "GET", "/v1/decisions", params=query).json()
    query |= {"cursor": first["next_cursor"], "value": " wanted "}  # blanks say nothing, as of what is sent
    second = institution.ask("auditor-1", "GET", "/v1/decisions", params=query).json()
    found = [d["transaction_id"] for d in first["decisions"] + second["decisions"]]
    assert found == ["t24", "t23", "t22", "t21", "t20"]
    assert second["next_cursor"] is None


def test_looking_for_an_entity_that_does_not_exist_names_those_that_do(institution: Institution) -> None:
    answer = institution.ask("auditor-1", "GET", "/v1/decisions", params={"entity": "iban", "value": "x"})
    assert answer.status_code == 422
    assert "customer, card, merchant, device" in answer.json()["detail"]


NUMBER_TOO_LARGE = "1" + "0" * 400
BAD: dict[str, Any] = {
    "no amount that fits": {"amount": "1e30"},
    "a negative amount": {"amount": "-1.00"},
    "more decimals than the ledger keeps": {"amount": "1.000001"},
    "an amount in words": {"amount": "much"},
    "no time zone": {"occurred_at": "2026-01-01T00:00:00"},
    "a time that is none": {"occurred_at": "yesterday"},
    "a time far ahead": {"occurred_at": "2999-01-01T00:00:00Z"},
    "an empty id": {"transaction_id": ""},
    "a huge id": {"transaction_id": "x" * 10_000},
    "a line break in an id": {"transaction_id": "a\nb"},
    "half a character": {"transaction_id": "\ud800"},
    "an unknown entity": {"entities": {"iban": "x"}},
    "an entity that is a number": {"entities": {"customer": 5}},
    "an unknown attribute": {"attributes": {"colour": "red"}},
    "a category that is a number": {"attributes": {"channel": 5.0}},
    "an unknown personal field": {"personal": {"shoe_size": "43"}},
    "a field nobody knows": {"surprise": 1},
    "a currency without a rate": {"currency": "XXX"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_a_payment_that_cannot_be_meant_is_refused_in_a_sentence(
    institution: Institution, changes: dict[str, Any]
) -> None:
    before = institution.app.ledger.last_event
    body = payment(900)
    for field, value in changes.items():
        body[field] = {**body.get(field, {}), **value} if isinstance(value, dict) else value
    content = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", content=content, headers=headers)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["detail"].endswith(".")
    assert problem["hint"] or "allowed" in problem["detail"]
    assert institution.app.ledger.last_event == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"transaction_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "amount": NaN}',
        b'{"transaction_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "attributes": {"channel": Infinity}}',
        b'{"transaction_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "amount": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=["nothing", "half", "list", "null", "NaN", "infinity", "5000 digits", "not text", "deep"],
)
def test_a_body_that_is_no_payment_is_refused(institution: Institution, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", content=content, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(institution: Institution) -> None:
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", content=b"x" * (5 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["hint"] == "Send it in parts."


@pytest.mark.parametrize("name", ["nothing", "x" * 5000, "%00", "a%2Fb", "..%2F..%2Fetc"])
def test_a_decision_that_does_not_exist_is_not_found(institution: Institution, name: str) -> None:
    answer = institution.ask("auditor-1", "GET", f"/v1/decisions/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_outcomes_are_learned_by_the_next_decision(institution: Institution) -> None:
    told = payment(30, entities={"customer": "learner", "device": "ld"})
    institution.decide(told)
    report = {
        "transaction_id": "t30",
        "is_fraud": True,
        "known_at": told["occurred_at"],
        "reason_code": "10.4",
    }
    answer = institution.ask("integrator-1", "POST", "/v1/outcomes", json={"outcomes": [report]})
    assert answer.json() == {"recorded": 1, "frauds": 1, "duplicate": 0, "other_reason": 0}
    assert institution.app.ledger.read("SELECT reason_code FROM outcomes") == [{"reason_code": "10.4"}]


def test_outcomes_are_recorded_all_or_none(institution: Institution) -> None:
    institution.decide(payment(31))
    known = {"transaction_id": "t31", "is_fraud": True, "known_at": payment(31)["occurred_at"]}
    for bad in ({**known, "transaction_id": "never-seen"}, {**known, "known_at": "2000-01-01T00:00:00Z"}):
        before = institution.app.ledger.last_event
        answer = institution.ask("integrator-1", "POST", "/v1/outcomes", json={"outcomes": [known, bad]})
        assert answer.status_code in (404, 422)
        assert answer.json()["hint"].startswith("Nothing was recorded.")
        assert institution.app.ledger.last_event == before


def test_a_replay_finds_no_difference(institution: Institution) -> None:
    for body in (payment(40), large_payment(41, amount="4000.50")):
        institution.decide(body)
        answer = institution.ask("auditor-1", "GET", f"/v1/replays/{body['transaction_id']}")
        assert answer.json()["differences"] == []
