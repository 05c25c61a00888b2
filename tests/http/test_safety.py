"""Can people stop the engine, snooze a rule, list somebody and try other settings, and does the next decision know?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.learning.labels import voiding
from tests.http.institution import Institution, large_payment, make_workspace, payment, proposals, served

BREAKER = b"\nbreaker: {unknown_rate: 0.5, tolerance: 1.5, ratio: 1.9}\n"
NUMBERS = iter(range(100, 10_000))
LOUD = """id: pays_in_shops
version: 1
title: Pays in shops
status: live
typology: other
severity: low
owner: risk-manager-1
description: For tests.
when: "channel = 'pos'"
on_missing: no_hit
then: {floor: decline, reason: "paid in a shop"}
false_positives: Everybody.
runbook: None.
history:
  - {version: 1, at: 2026-01-01, change: "First"}
tests:
  - {name: shop, given: {channel: pos}, expect: hit}
  - {name: web, given: {channel: ecom}, expect: no_hit}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    """An institution with a rule that declines whatever is paid in a shop."""
    root: Path = tmp_path_factory.mktemp("safety") / "bank"
    files = {**proposals(), "catalogue/pays_in_shops.yaml": LOUD.encode()}
    policy = files["policy.yaml"].replace(b"exploration: {share: 0.05", b"exploration: {share: 0.0")
    policy = policy.replace(b"amount_minor < 1500", b"amount_minor < 15")  # people look at everything here
    files["policy.yaml"] = policy.split(b"\nbreaker:")[0] + BREAKER
    with served(make_workspace(root, files)) as running:
        yield running


def decided(shop: Institution, **changes: Any) -> dict[str, Any]:
    return shop.decide(payment(next(NUMBERS) % 90, **{"transaction_id": f"s{next(NUMBERS)}", **changes}))


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def soon(days: float = 2) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def replayed(shop: Institution, decision: dict[str, Any]) -> dict[str, Any]:
    return ok(shop.ask("auditor-1", "GET", f"/v1/replays/{decision['transaction_id']}"))


def test_the_kill_switch_stops_automatic_declines_until_somebody_else_starts_again(shop: Institution) -> None:
    assert decided(shop)["outcome"] == "decline"
    ok(shop.ask("team-lead-1", "POST", "/v1/kill-switch", json={"is_on": True, "reason": "all declined"}))
    stopped = decided(shop)
    assert stopped["outcome"] == "review"
    assert stopped["context"]["killed"] is True
    assert any("kill switch is on" in reason for reason in stopped["reasons"])
    assert ok(shop.ask("analyst-1", "GET", "/v1/alarms"))["kill_switch"]["is_on"] is True

    body = {"is_on": False, "reason": "mended"}
    assert shop.ask("team-lead-1", "POST", "/v1/kill-switch", json=body).status_code == 403
    again = {"is_on": True, "reason": "once more"}
    assert shop.ask("risk-manager-1", "POST", "/v1/kill-switch", json=again).status_code == 409
    ok(shop.ask("risk-manager-1", "POST", "/v1/kill-switch", json=body))
    assert decided(shop)["outcome"] == "decline"
    assert replayed(shop, stopped)["same"] is True
    assert [turn["is_on"] for turn in ok(shop.ask("auditor-1", "GET", "/v1/safety"))["turns"]] == [
        False,
        True,
    ]


def test_whoever_stopped_cannot_start_again(shop: Institution) -> None:
    ok(shop.ask("risk-manager-1", "POST", "/v1/kill-switch", json={"is_on": True, "reason": "a drill"}))
    body = {"is_on": False, "reason": "the drill is over"}
    refused = shop.ask("risk-manager-1", "POST", "/v1/kill-switch", json=body)
    assert refused.status_code == 403
    assert "someone else must turn it off" in refused.json()["detail"]
    ok(shop.ask("risk-manager-2", "POST", "/v1/kill-switch", json=body))


def test_a_snoozed_rule_is_quiet_for_one_customer_and_what_it_silenced_is_counted(shop: Institution) -> None:
    form = {"entity": "card", "value": "k-quiet", "rule_id": "pays_in_shops", "reason": "a wedding"}
    made = ok(shop.ask("team-lead-1", "POST", "/v1/snoozes", json={**form, "expires_at": soon()}), 201)
    quiet = decided(shop, entities={"card": "k-quiet"})
    said = next(rule for rule in quiet["rules"] if rule["id"] == "pays_in_shops")
    assert (said["state"], quiet["outcome"]) == ("snoozed", "approve")
    assert decided(shop)["outcome"] == "decline"

    fraud = {"transaction_id": quiet["transaction_id"], "is_fraud": True, "known_at": soon(0)}
    ok(shop.ask("integrator-1", "POST", "/v1/outcomes", json={"outcomes": [fraud]}), 201)
    listed = ok(shop.ask("team-lead-1", "GET", "/v1/snoozes"))["snoozes"]
    told = next(row for row in listed if row["snooze_id"] == made["snooze_id"])
    assert told["state"] == "in_force"
    assert (told["silenced"]["payments"], told["silenced"]["known_fraud"]) == (1, 1)
    assert told["silenced"]["fraud_let_through_minor"] == 1250
    assert told["silenced"]["by_rule"] == [{"rule_id": "pays_in_shops", "n": 1}]

    ok(
        shop.ask(
            "team-lead-1", "POST", f"/v1/snoozes/{made['snooze_id']}/end", json={"reason": "it was fraud"}
        ),
        204,
    )
    assert decided(shop, entities={"card": "k-quiet"})["outcome"] == "decline"
    assert replayed(shop, quiet)["same"] is True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entity": "planet"}, "is not an entity"),
        ({"rule_id": "no_such_rule"}, "no rule"),
        ({"rule_id": "blocked_device"}, "is a block list and cannot be snoozed"),
        ({"expires_at": soon(400)}, "hold for too long"),
        ({"expires_at": soon(-1)}, "expired already"),
    ],
)
def test_a_snooze_that_makes_no_sense_is_refused(
    shop: Institution, changes: dict[str, Any], said: str
) -> None:
    form = {
        "entity": "card",
        "value": "k1",
        "rule_id": "pays_in_shops",
        "reason": "because",
        "expires_at": soon(),
    }
    refused = shop.ask("team-lead-1", "POST", "/v1/snoozes", json={**form, **changes})
    assert refused.status_code == 422
    assert said in refused.json()["detail"]


def test_an_analyst_proposes_a_list_entry_and_a_team_lead_puts_it_in_force(shop: Institution) -> None:
    form = {"entity": "device", "value": "d-bad", "reason": "three chargebacks", "effect": "review"}
    made = ok(shop.ask("analyst-1", "POST", "/v1/list-entries", json=form), 201)
    assert made["in_force"] is False
    web = {"entities": {"device": "d-bad"}, "attributes": {"channel": "ecom"}}
    assert decided(shop, **web)["outcome"] == "approve"
    confirming = f"/v1/list-entries/{made['entry_id']}/confirmation"
    assert shop.ask("analyst-1", "POST", confirming).status_code == 403
    ok(shop.ask("team-lead-1", "POST", confirming), 204)
    caught = decided(shop, **web)
    assert caught["outcome"] == "review"
    assert "device d-bad was listed: three chargebacks" in caught["reasons"]
    entries = ok(shop.ask("team-lead-1", "GET", "/v1/list-entries"))["entries"]
    assert next(e for e in entries if e["entry_id"] == made["entry_id"])["caught"]["payments"] == 1
    assert replayed(shop, caught)["same"] is True


def test_a_verdict_declared_void_confirms_no_catch_of_a_list_entry(shop: Institution) -> None:
    form = {"entity": "device", "value": "d-void", "reason": "a chargeback", "effect": "review"}
    made = ok(shop.ask("risk-manager-1", "POST", "/v1/list-entries", json=form), 201)
    caught = decided(shop, entities={"device": "d-void"}, attributes={"channel": "ecom"})
    now, asked = datetime.now(UTC), "SELECT transaction_seq AS seq FROM decisions WHERE transaction_id = ?"
    seq = shop.app.ledger.read(asked, [caught["transaction_id"]])[0]["seq"]
    words = ("typology", "reason_code", "note", "confidence", "guideline_version", "arm", "corrections")
    said = {"verdict_id": "v-void", "task_id": "k-void", "case_id": caught["case_id"], "transaction_seq": seq}
    said |= {"task_kind": "primary", "lane": "uncertain", "reviewer": "analyst-1", "value": "confirmed_fraud"}
    row = {**dict.fromkeys(words, ""), **said, "seconds": 30.0, "flags": [], "given_at": now, "event_seq": 0}

    def confirmed() -> int:
        entries = ok(shop.ask("team-lead-1", "GET", "/v1/list-entries"))["entries"]
        return next(e for e in entries if e["entry_id"] == made["entry_id"])["caught"][
            "confirmed_by_reviewers"
        ]

    with shop.app.ledger.writing() as w:
        w.insert("verdicts", [{**row, "undone_at": None}])
    assert confirmed() == 1
    with shop.app.ledger.writing() as w:
        voiding.void(w, ["v-void"], "on the wrong page", by="team-lead-1", at=now)
    assert confirmed() == 0


def test_a_blocked_value_is_declined_until_the_entry_ends(shop: Institution) -> None:
    form = {"entity": "customer", "value": "c-bad", "reason": "a mule account"}
    made = ok(shop.ask("risk-manager-1", "POST", "/v1/list-entries", json=form), 201)
    web = {"entities": {"customer": "c-bad"}, "attributes": {"channel": "ecom"}}
    assert decided(shop, **web)["outcome"] == "decline"
    assert shop.ask("risk-manager-1", "POST", "/v1/list-entries", json=form).status_code == 409
    path = f"/v1/list-entries/{made['entry_id']}/end"
    ok(shop.ask("team-lead-1", "POST", path, json={"reason": "another person"}), 204)
    assert decided(shop, **web)["outcome"] != "decline"


def test_proposing_tells_an_analyst_nothing_of_what_is_listed(shop: Institution) -> None:
    form = {"entity": "customer", "value": "c-listed", "reason": "a mule account"}
    listed = ok(shop.ask("risk-manager-1", "POST", "/v1/list-entries", json=form), 201)["entry_id"]
    made = {}
    for analyst, customer in (
        ("analyst-1", "c-listed"),
        ("analyst-1", "c-unlisted"),
        ("analyst-2", "c-unlisted"),
    ):
        asked = {**form, "value": customer}
        made[analyst, customer] = ok(shop.ask(analyst, "POST", "/v1/list-entries", json=asked), 201)
    assert {tuple(sorted(each)) for each in made.values()} == {("entry_id", "in_force")}
    assert {each["in_force"] for each in made.values()} == {False}
    # Twice by the same person says so, whatever became of the first.
    turned_down = made["analyst-1", "c-unlisted"]["entry_id"]
    path = f"/v1/list-entries/{turned_down}/end"
    ok(shop.ask("team-lead-1", "POST", path, json={"reason": "another person"}), 204)
    for customer in ("c-listed", "c-unlisted"):
        again = shop.ask("analyst-1", "POST", "/v1/list-entries", json={**form, "value": customer})
        assert again.status_code == 409
        assert "you have proposed this already" in again.json()["detail"]
    confirming = f"/v1/list-entries/{made['analyst-1', 'c-listed']['entry_id']}/confirmation"
    refused = shop.ask("team-lead-1", "POST", confirming)
    assert refused.status_code == 409
    assert listed in refused.text


def paid_on_the_web(shop: Institution, number: int, name: str, device: str) -> dict[str, Any]:
    web = {"channel": "ecom"}
    return shop.decide(
        large_payment(number, transaction_id=name, entities={"device": device}, attributes=web)
    )


def settled(shop: Institution, case_id: str, *payments: tuple[int, str]) -> None:
    """The case as it is when these payments have their verdicts, one of them fraud."""
    of_payment = "UPDATE case_transactions SET case_id = ?, verdict = ? WHERE transaction_seq = ?"
    with shop.app.ledger.writing() as w:
        w.execute("UPDATE cases SET verdict = 'confirmed_fraud' WHERE case_id = ?", [case_id])
        for seq, verdict in payments:
            w.execute(of_payment, [case_id, verdict, seq])


def test_a_confirmed_case_puts_its_device_on_the_block_list_in_one_step(shop: Institution) -> None:
    held = paid_on_the_web(shop, 40, "s-case", "d-case")
    form = {"case_id": held["case_id"], "entity": "device"}
    early = shop.ask("team-lead-1", "POST", "/v1/list-entries", json=form)
    assert early.status_code == 409
    settled(shop, held["case_id"], (held["seq"], "confirmed_fraud"))
    ok(shop.ask("team-lead-1", "POST", "/v1/list-entries", json=form), 201)
    web = {"entities": {"device": "d-case"}, "attributes": {"channel": "ecom"}}
    assert decided(shop, **web)["outcome"] == "decline"


def test_of_a_case_of_several_payments_only_what_a_confirmed_one_used_is_blocked(shop: Institution) -> None:
    one, *others = [paid_on_the_web(shop, n, f"s-of-{n}", f"d-{n}") for n in (41, 42, 43)]
    case_id = one["case_id"]
    frauds = [(other["seq"], "confirmed_fraud") for other in others]
    settled(shop, case_id, (one["seq"], "legitimate"), *frauds)

    def asked(**more: str) -> Any:
        form = {"case_id": case_id, "entity": "device", **more}
        return shop.ask("team-lead-1", "POST", "/v1/list-entries", json=form)

    dismissed, unsaid = asked(transaction_id="s-of-41"), asked()
    assert (dismissed.status_code, unsaid.status_code) == (409, 422)
    assert "was not confirmed as fraud" in dismissed.json()["detail"]
    assert asked(transaction_id="s-elsewhere").status_code == 404
    assert "transaction_id" in unsaid.json()["hint"]
    made = ok(asked(transaction_id="s-of-43"), 201)
    entries = ok(shop.ask("team-lead-1", "GET", "/v1/list-entries"))["entries"]
    assert next(e["value"] for e in entries if e["entry_id"] == made["entry_id"]) == "d-43"


def test_a_shadow_answers_beside_what_decides_and_is_never_obeyed(shop: Institution) -> None:
    gentle = LOUD.replace("floor: decline", "floor: review").replace("version: 1", "version: 2", 1)
    gentle = gentle.replace(
        "  - {version: 1, at", "  - {version: 2, at: 2026-02-01, change: Gentler}\n  - {version: 1, at"
    )
    files = {"catalogue/pays_in_shops.yaml": gentle}
    body = {"files": files, "reason": "declines too hard"}
    made = ok(shop.ask("risk-manager-1", "POST", "/v1/candidate-sets", json=body), 201)
    form = {"set_id": made["set_id"], "name": "gentler", "reason": "see what it would do"}
    trial = ok(shop.ask("risk-manager-1", "POST", "/v1/shadows", json=form), 201)["trial_id"]
    told = decided(shop)
    assert told["outcome"] == "decline"
    assert told["context"]["shadows"] == {trial: "review"}
    report = ok(shop.ask("risk-manager-2", "GET", f"/v1/trials/{trial}"))
    assert (report["matrix"]["decline"]["review"], report["flipped"]) == (1, 1)
    assert report["flips"][0]["transaction_id"] == told["transaction_id"]
    assert replayed(shop, told)["same"] is True
    listed = ok(shop.ask("team-lead-1", "GET", "/v1/trials"))["trials"]
    assert [row["takes_part"] for row in listed if row["trial_id"] == trial] == [True]
    ok(shop.ask("team-lead-1", "POST", f"/v1/trials/{trial}/stop", json={"reason": "seen enough"}), 204)
    assert "shadows" not in decided(shop)["context"]


def test_a_rollout_decides_the_same_share_of_customers_and_ends_with_one_step(shop: Institution) -> None:
    gentle = LOUD.replace("floor: decline", "floor: review").replace("version: 1", "version: 3", 1)
    gentle = gentle.replace(
        "  - {version: 1, at", "  - {version: 3, at: 2026-02-01, change: Gentler}\n  - {version: 1, at"
    )
    body = {"files": {"catalogue/pays_in_shops.yaml": gentle}, "reason": "declines too hard"}
    made = ok(shop.ask("risk-manager-1", "POST", "/v1/candidate-sets", json=body), 201)
    form = {"set_id": made["set_id"], "entity": "customer", "share": 0.5, "reason": "half of them"}
    assert shop.ask("risk-manager-1", "POST", "/v1/rollouts", json=form).status_code == 403
    trial = ok(shop.ask("risk-manager-2", "POST", "/v1/rollouts", json=form), 201)["trial_id"]
    seen: dict[str, set[str]] = {}
    for round_ in range(2):
        for n in range(12):
            body = payment(n, transaction_id=f"roll-{round_}-{n}", entities={"customer": f"roll-{n}"})
            told = shop.decide(body)
            arm = told["context"]["rollout"]["arm"]
            seen.setdefault(f"roll-{n}", set()).add(arm)
            expected = {"live": "decline", "candidate": "review"}[arm]
            assert told["outcome"] == expected
            assert (told["set_id"] == made["set_id"]) is (arm == "candidate")
    assert all(len(arms) == 1 for arms in seen.values())
    assert {arm for arms in seen.values() for arm in arms} == {"live", "candidate"}
    assert replayed(shop, told)["same"] is True
    report = ok(shop.ask("risk-manager-1", "GET", f"/v1/trials/{trial}"))
    assert report["live"]["decisions"] + report["candidate"]["decisions"] == 24
    assert report["candidate"]["decline"] == 0
    assert report["differences"]["decline_rate"]["high"] < 0
    ok(shop.ask("team-lead-1", "POST", f"/v1/trials/{trial}/stop", json={"reason": "enough"}), 204)
    assert "rollout" not in decided(shop)["context"]


def test_no_model_is_an_alarm_that_is_acknowledged_once(shop: Institution) -> None:
    decided(shop)
    found = ok(shop.ask("team-lead-1", "GET", "/v1/alarms"))["alarms"]
    alarm = next(a for a in found if a["kind"] == "fail_safe")
    assert alarm["sentence"].startswith("No model runs")
    path = f"/v1/alarms/{alarm['alarm_id']}/acknowledgement"
    ok(shop.ask("team-lead-1", "POST", path, json={"reason": "known, training tonight"}), 204)
    assert shop.ask("team-lead-1", "POST", path, json={"reason": "again"}).status_code == 409
    told = ok(shop.ask("auditor-1", "GET", "/v1/safety"))["fail_safe"]
    assert any(row["subject"] == "no_model" and row["n"] > 0 for row in told)


def test_safety_survives_a_restart(shop: Institution) -> None:
    form = {"entity": "merchant", "value": "m-quiet", "reason": "opening day", "expires_at": soon()}
    ok(shop.ask("team-lead-1", "POST", "/v1/snoozes", json=form), 201)
    before = shop.app.live.guard.control
    shop.app.forget()
    after = shop.app.live.guard.control
    assert after is not before
    assert after.snoozes == before.snoozes and after.entries == before.entries
