"""Is what stands beside a task worked out once, stored as it was shown, and kept from who decides first?"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from casework.cases.beside.behind_rules import behind_rules
from casework.learning.labels.voiding import void
from data import said
from tests.http.institution import Institution, large_payment, payment
from tests.http.test_review import clear, give, make_blind, take

PARTS = ("links", "what_if", "similar", "behind_rules")


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


@pytest.fixture(scope="module", autouse=True)
def history(institution: Institution) -> None:
    """A device that three customers share, small payments from it within the hour, and one settled case."""
    online = {"attributes": {"channel": "ecom", "merchant_category": "digital_goods"}}
    for number in range(3):
        entities = {
            "customer": f"ring{number}",
            "card": f"ringcard{number}",
            "device": "shared",
            "merchant": "m9",
        }
        institution.decide(
            payment(100 + number, amount="2.00", occurred_at=ago(40 - number), entities=entities, **online)
        )
    institution.decide(large_payment(200, occurred_at=ago(35), entities={"customer": "earlier"}))
    clear(institution)


@pytest.fixture(autouse=True)
def nothing_left_over(institution: Institution) -> Iterator[None]:
    yield
    clear(institution)


def alert(institution: Institution, number: int) -> dict[str, Any]:
    """A large payment of one of the three from the shared device; it opens a case."""
    entities = {"customer": "ring1", "card": "ringcard1", "device": "shared", "merchant": "m9"}
    return institution.decide(
        large_payment(number, occurred_at=ago(1), entities=entities, attributes={"channel": "ecom"})
    )


def part(institution: Institution, user: str, task: dict[str, Any], name: str) -> dict[str, Any]:
    answer = institution.ask(user, "GET", f"/v1/tasks/{task['task_id']}/parts/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def events(institution: Institution) -> int:
    return institution.app.ledger.read("SELECT count(*) AS n FROM events")[0]["n"]


def shown_task(institution: Institution) -> dict[str, Any]:
    with institution.app.ledger.writing() as w:
        w.execute("UPDATE tasks SET arm = 'score_shown' WHERE status = 'open'")
    return take(institution, "analyst-1")


def test_the_links_show_who_else_used_the_device_and_say_their_limits(institution: Institution) -> None:
    alert(institution, 301)
    found = part(institution, "analyst-1", shown_task(institution), "links")["content"]
    drawn = {node["id"]: node for node in found["nodes"]}
    assert {"payment", "device:shared", "customer:ring0", "customer:ring2"} <= drawn.keys()
    assert (drawn["payment"]["hop"], drawn["device:shared"]["hop"], drawn["customer:ring0"]["hop"]) == (
        0,
        1,
        2,
    )
    assert {"from": "device:shared", "to": "customer:ring0", "payments": 1, "known_frauds": 0} in found[
        "edges"
    ]
    assert any(
        said.startswith("Device shared: 3 payments in 90 days, also with") for said in found["sentences"]
    )
    assert "Two steps from the payment, 90 days back" in found["limits"]


def test_what_would_have_changed_the_outcome_is_decided_by_the_engine(institution: Institution) -> None:
    institution.decide(large_payment(302, occurred_at=ago(1)))
    found = part(institution, "analyst-1", shown_task(institution), "what_if")["content"]
    assert found["outcome"] == "review"
    assert found["tried"] > 50
    for change in found["found"]:
        assert change["outcome"] != "review"
        assert change["sentence"].endswith(f"the answer would have been {change['outcome']}.")
    # It is looked at for its amount alone, from 1,500 on.
    (approve,) = [each for each in found["found"] if each["outcome"] == "approve"]
    ((name, value),) = [(change["name"], change["value"]) for change in approve["changes"]]
    assert name == "amount_minor"
    assert 148_000 < value < 150_000


def test_similar_cases_come_with_verdicts_known_before_and_never_the_payment_itself(
    institution: Institution,
) -> None:
    made = alert(institution, 303)
    found = part(institution, "analyst-1", shown_task(institution), "similar")["content"]
    assert found["cases"]
    assert made["transaction_id"] not in {case["transaction_id"] for case in found["cases"]}
    assert {case["verdict"] for case in found["cases"]} == {"legitimate"}
    assert "were confirmed as fraud" in found["sentence"]


def test_a_typology_in_somebodys_own_words_is_not_copied_beside_another_payment(
    institution: Institution,
) -> None:
    told = {alert(institution, 312)["seq"]: "her son did it", alert(institution, 313)["seq"]: "card_testing"}
    clear(institution)
    with institution.app.ledger.writing() as w:
        for seq, typology in told.items():
            w.execute("UPDATE verdicts SET typology = ? WHERE transaction_seq = ?", [typology, seq])
    alert(institution, 314)
    found = part(institution, "analyst-1", shown_task(institution), "similar")["content"]
    shown = [case["typology"] for case in found["cases"] if case["transaction_seq"] in told]
    assert sorted(shown) == ["", "card_testing"]


def test_the_payments_behind_a_rule_are_those_its_inputs_counted(institution: Institution) -> None:
    alert(institution, 304)
    task = shown_task(institution)
    hit = {rule["id"] for rule in task["rules"] if rule["state"] == "hit"}
    found = part(institution, "analyst-1", task, "behind_rules")["content"]["rules"]
    assert {rule["id"] for rule in found} == hit
    texts = {feature["name"]: feature["text"] for feature in task["features"]}
    ring = next(
        each for rule in found for each in rule["inputs"] if each["name"] == "device_customer_distinct_7d"
    )
    assert ring["text"] == texts["device_customer_distinct_7d"] == "3"
    assert {row["entities"]["customer"] for row in ring["payments"]} >= {"ring0", "ring1", "ring2"}
    assert all(row["transaction_id"] != task["transaction"]["transaction_id"] for row in ring["payments"])
    assert all("age_band" not in row["attributes"] for row in ring["payments"])


def test_a_part_stays_what_was_first_displayed_and_is_one_event(institution: Institution) -> None:
    alert(institution, 305)
    task = shown_task(institution)
    first = part(institution, "analyst-1", task, "links")
    alert(institution, 306)
    assert part(institution, "analyst-1", task, "links") == first
    stored = institution.app.ledger.read(
        "SELECT actor, kind FROM events WHERE subject = ? AND kind = 'dossier.extended'",
        [f"task:{task['task_id']}"],
    )
    assert stored == [{"actor": "analyst-1", "kind": "dossier.extended"}]


def test_whoever_decides_first_gets_facts_and_no_opinion_until_the_verdict(institution: Institution) -> None:
    alert(institution, 307)
    make_blind(institution)
    task = take(institution, "analyst-1")
    for name in ("what_if", "similar", "behind_rules"):
        assert part(institution, "analyst-1", task, name) == {
            "part": name, "shown_at": None, "content": None, "withheld": "Shown after your verdict.",
        }  # fmt: skip
    facts = part(institution, "analyst-1", task, "links")["content"]
    assert facts["nodes"]
    give(institution, "analyst-1", task, "inconclusive")
    assert part(institution, "analyst-1", task, "what_if")["content"]["outcome"] == "review"


def test_a_part_nobody_opened_is_not_made_up_for_an_auditor(institution: Institution) -> None:
    alert(institution, 308)
    task = shown_task(institution)
    institution.token("auditor-1")
    before = events(institution)
    for name in PARTS:
        answer = part(institution, "auditor-1", task, name)
        assert (answer["content"], answer["withheld"]) == (None, "Nobody has opened this part.")
    assert events(institution) == before
    shown = part(institution, "analyst-1", task, "links")
    assert part(institution, "auditor-1", task, "links") == shown


def test_parts_of_somebody_elses_task_do_not_exist_for_an_analyst(institution: Institution) -> None:
    alert(institution, 309)
    task = shown_task(institution)
    answer = institution.ask("analyst-2", "GET", f"/v1/tasks/{task['task_id']}/parts/links")
    assert answer.status_code == 404
    unknown = institution.ask("analyst-1", "GET", f"/v1/tasks/{task['task_id']}/parts/horoscope")
    assert unknown.status_code == 422


def test_a_case_that_waits_to_be_judged_again_is_not_among_the_similar(institution: Institution) -> None:
    made = alert(institution, 310)
    clear(institution)
    with institution.app.ledger.writing() as w:
        w.execute("UPDATE tasks SET kind = 'golden' WHERE transaction_seq = ?", [made["seq"]])
    alert(institution, 311)
    found = part(institution, "analyst-1", shown_task(institution), "similar")["content"]
    assert made["transaction_id"] not in {case["transaction_id"] for case in found["cases"]}


def test_a_masked_field_is_read_only_by_the_tasks_holder_for_a_reason_that_is_recorded(
    institution: Institution,
) -> None:
    institution.decide(large_payment(320, occurred_at=ago(1), personal={"email": "ada@example.org"}))
    task = shown_task(institution)
    assert task["transaction"]["personal_masked"] == {"email": "a***@example.org"}
    path, asked = f"/v1/tasks/{task['task_id']}/unmasked", {"field": "email", "reason": "the address decides"}
    assert institution.ask("analyst-2", "POST", path, json=asked).status_code == 409
    assert institution.ask("auditor-1", "POST", path, json=asked).status_code == 403
    assert institution.ask("analyst-1", "POST", path, json={**asked, "reason": " "}).status_code == 422
    assert institution.ask("analyst-1", "POST", path, json={**asked, "field": "iban"}).status_code == 404
    assert institution.ask("analyst-1", "POST", path, json=asked).json() == {
        "field": "email",
        "value": "ada@example.org",
    }
    rows = institution.app.ledger.read("SELECT * FROM events WHERE kind = 'personal.unmasked'")
    assert [row["actor"] for row in rows] == ["analyst-1"]
    assert said.reasons(institution.app.ledger, rows) == [{"reason": "the address decides"}]
    assert b"ada@" not in rows[0]["payload"]


def test_unsent_text_is_its_authors_alone_and_ends_empty(institution: Institution) -> None:
    place = {"place": "file:catalogue/x.yaml"}

    def kept(user: str) -> str:
        return institution.ask(user, "GET", "/v1/me/unsent", params=place).json()["text"]

    for text in ("id: x\n", "id: x\ntitle: ü\n"):
        answer = institution.ask("risk-manager-1", "PUT", "/v1/me/unsent", json={**place, "text": text})
        assert answer.status_code == 204
    assert kept("risk-manager-1") == "id: x\ntitle: ü\n"
    assert kept("risk-manager-2") == ""
    institution.ask("risk-manager-1", "PUT", "/v1/me/unsent", json={**place, "text": ""})
    assert kept("risk-manager-1") == ""
    rows = institution.app.ledger.read("SELECT payload FROM events WHERE kind = 'text.kept'")
    assert len(rows) == 2
    assert not any(b"title" in row["payload"] for row in rows)


def test_a_cases_story_tells_which_parts_were_opened_and_which_fields_were_read(
    institution: Institution,
) -> None:
    made = institution.decide(large_payment(330, occurred_at=ago(1), personal={"email": "bo@example.org"}))
    task = shown_task(institution)
    part(institution, "analyst-1", task, "links")
    asked = {"field": "email", "reason": "to call back"}
    institution.ask("analyst-1", "POST", f"/v1/tasks/{task['task_id']}/unmasked", json=asked)
    story = institution.ask("team-lead-1", "GET", f"/v1/cases/{made['case_id']}").json()["timeline"]
    told = [(entry["actor"], entry["text"]) for entry in story]
    assert ("analyst-1", "Opened the linked entities.") in told
    assert ("analyst-1", "Read the masked field email: to call back.") in told


def test_known_fraud_is_marked_and_a_place_where_many_meet_is_not_followed(institution: Institution) -> None:
    entities = {"card": "thief", "device": "stolen", "merchant": "station"}
    for number in range(26):
        customer = {
            "customer": f"traveller{number}",
            "card": f"t{number}",
            "device": f"t{number}",
            "merchant": "station",
        }
        institution.decide(payment(400 + number, occurred_at=ago(300), entities=customer))
    institution.decide(payment(430, occurred_at=ago(200), entities={**entities, "customer": "victim"}))
    fraud = {"transaction_id": "t430", "is_fraud": True, "known_at": ago(100)}
    assert (
        institution.ask("integrator-1", "POST", "/v1/outcomes", json={"outcomes": [fraud]}).status_code < 300
    )
    clear(institution)  # also of what was drawn for an audit
    institution.decide(large_payment(431, occurred_at=ago(1), entities={**entities, "customer": "next"}))
    found = part(institution, "analyst-1", shown_task(institution), "links")["content"]
    drawn = {node["id"]: node for node in found["nodes"]}
    assert (drawn["customer:victim"]["known_frauds"], drawn["device:stolen"]["known_frauds"]) == (1, 1)
    assert drawn["merchant:station"]["hub"]
    assert not [name for name in drawn if "traveller" in name]
    assert "Not followed because more than 25 meet there: merchant." in found["limits"]


def test_a_fraud_that_was_taken_back_stands_behind_no_rule(institution: Institution) -> None:
    """As the feature counts it; one that stands is there."""
    name, entities = "merchant_frauds_learned_7d", {"merchant": "m77"}
    found = []
    for number, is_fraud, known in ((620, True, 30), (621, False, 20)):
        institution.decide(payment(number, occurred_at=ago(50), entities=entities))
        outcome = {"transaction_id": "t620", "is_fraud": is_fraud, "known_at": ago(known)}
        told = institution.ask("integrator-1", "POST", "/v1/outcomes", json={"outcomes": [outcome]})
        assert told.status_code == 201, told.text
        transaction = {"entities": entities, "occurred_at": ago(1)}
        made = institution.decide(payment(number + 10, **transaction))
        rules = [{"id": "a_rule", "state": "hit", "features": [name]}]
        dossier = {"transaction": transaction, "features": [], "rules": rules}
        ledger, features = institution.app.ledger, institution.app.settings().features
        (told_of,) = behind_rules(ledger, dossier, features, made["seq"], "")["rules"][0]["inputs"]
        found.append((made["features"][name], told_of["count"], len(told_of["payments"])))
    assert found == [(1, 1, 1), (0, 0, 0)]


def test_an_evidence_pack_holds_what_was_opened_and_says_that_a_verdict_was_void(
    institution: Institution,
) -> None:
    made = alert(institution, 315)
    task = shown_task(institution)
    shown = part(institution, "analyst-1", task, "links")["content"]
    given = give(institution, "analyst-1", task, "legitimate")["verdict_id"]
    with institution.app.ledger.writing() as w:
        void(w, [given], "a mix-up", by="team-lead-1", at=datetime.now(UTC))
    answer = institution.ask("auditor-1", "POST", "/v1/evidence", json={"ids": [made["transaction_id"]]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = orjson.loads(archive.read("evidence.json"))
    (kept,) = [row for row in told["contents"] if row["name"].startswith("links beside dossier ")]
    assert orjson.loads(kept["content"]) == shown
    said_of = {event["kind"]: orjson.loads(event["payload"]) for event in told["events"]}
    assert said_of["dossier.extended"]["sha256"] == kept["sha256"]
    assert said_of["verdicts.voided"]["verdicts"] == [given]
