"""Does somebody who changes a rule or a threshold see what will happen before it happens?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.policy import load_policy
from tests.http.institution import RULES, Institution, large_payment, make_workspace, payment, served

MANAGER = "risk-manager-1"
SPREE = (RULES / "catalogue" / "spending_spree.yaml").read_text()
PATH = "catalogue/spending_spree.yaml"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("consequences") / "bank"
    with served(make_workspace(root)) as running:
        for n in range(45):
            running.decide(payment(n, attributes={"channel": "ecom"}))
        for n in range(45, 48):
            running.decide(large_payment(n))
        yield running


@pytest.fixture
def scored(bank: Institution) -> Iterator[Institution]:
    """The same, as if a model had decided."""
    set_probability = "UPDATE decisions SET probability = {}"
    with bank.app.ledger.writing() as w:
        w.execute(set_probability.format("(transaction_seq % 10) / 20.0"))
    yield bank
    with bank.app.ledger.writing() as w:
        w.execute(set_probability.format("NULL"))


def ask(bank: Institution, path: str, user: str = MANAGER, **query: Any) -> dict[str, Any]:
    answer = bank.ask(user, "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(bank: Institution, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = bank.ask(MANAGER, "POST", path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def planted(text: str = SPREE) -> str:
    """The rule with its mark a hundred times too low: 6 euros within a day rather than 600."""
    return text.replace("+ amount_minor >= 60000", "+ amount_minor >= 600")


def newer(text: str) -> str:
    line = '  - {version: 3, at: 2026-06-01, change: "Lower mark"}\n'
    return text.replace("version: 2\n", "version: 3\n", 1).replace("\ntests:", "\n" + line + "tests:", 1)


def agreeing(text: str) -> str:
    """The inline tests made to agree with a mark of 6 euros, by an author who believes in it."""
    return text.replace("sum_1d: 50000, amount_minor: 10000", "sum_1d: 500, amount_minor: 100").replace(
        "sum_1d: 50000, amount_minor: 9999", "sum_1d: 500, amount_minor: 99"
    )


def test_a_mark_a_hundred_times_too_low_fails_the_rules_own_tests(bank: Institution) -> None:
    found = send(bank, "/v1/rules/check", {"files": {PATH: planted()}})
    objections = {finding["check"] for finding in found["findings"]}
    assert not found["sound"]
    assert {"failing_test", "changed_without_version"} <= objections


def test_dropping_the_test_that_objects_leaves_the_mark_unpinned(bank: Institution) -> None:
    edited = newer(planted())
    without = re.sub(r"  - \{name: a cent short.*\n", "", edited)
    found = send(bank, "/v1/rules/check", {"files": {PATH: without}})
    assert any("600" in loose["change"] for loose in found["unpinned"]), found["unpinned"]


def test_with_tests_that_agree_the_effect_shows_it_before_anybody_approves(bank: Institution) -> None:
    edited = newer(agreeing(planted()))
    found = send(bank, "/v1/rules/check", {"files": {PATH: edited}})
    assert found["sound"], found["findings"]
    assert not found["unpinned"]
    effect = send(bank, "/v1/previews", {"files": {PATH: edited}, "limit": 5})
    told = {alarm["kind"]: alarm["sentence"] for alarm in effect["alarms"]}
    assert {"rule", "cases", "size"} <= set(told)
    assert "times as many" in told["rule"]
    assert effect["alerts"]["gained"]["count"] >= 15
    assert effect["flips"][0]["after"]["outcome"] == "review"


def test_an_ordinary_change_raises_no_alarm(bank: Institution) -> None:
    policy = (RULES / "policy.yaml").read_text().replace("high_amount: 1500", "high_amount: 1600")
    assert send(bank, "/v1/previews", {"files": {"policy.yaml": policy}})["alarms"] == []


def test_flips_are_paged_without_gap_or_overlap(bank: Institution) -> None:
    files = {PATH: newer(agreeing(planted()))}
    whole = send(bank, "/v1/previews", {"files": files, "limit": 1000})
    assert whole["next_offset"] is None
    pages, offset = [], 0
    while offset is not None:
        page = send(bank, "/v1/previews", {"files": files, "limit": 20, "offset": offset})
        pages += page["flips"]
        offset = page["next_offset"]
    assert [flip["transaction_id"] for flip in pages] == [f["transaction_id"] for f in whole["flips"]]


def test_an_answer_says_how_young_its_truth_is_and_calls_nothing_known_that_is_not(bank: Institution) -> None:
    effect = send(bank, "/v1/previews", {"files": {PATH: newer(agreeing(planted()))}})
    assert effect["maturity"]["matured"] == 0
    assert "too young" in effect["maturity"]["sentence"]
    gained = effect["alerts"]["gained"]
    assert gained["estimate"]["fraud_share"] is None
    assert "unknown" in gained["told"]


def test_a_backtest_of_the_running_set_is_what_was_decided(bank: Institution) -> None:
    found = send(bank, "/v1/backtests", {"files": {}})
    assert found["alarms"] == []
    for week in found["weeks"]:
        then, now = week["decided"], week["candidate"]
        assert {k: then[k] for k in ("approve", "review")} == {k: now[k] for k in ("approve", "review")}
    other = send(bank, "/v1/backtests", {"files": {PATH: newer(agreeing(planted()))}})
    reviews = [other["totals"][side]["review"]["count"] for side in ("decided", "candidate")]
    assert reviews[1] >= reviews[0] + 15
    assert other["alarms"]


def test_the_report_tells_repeat_hits_what_only_a_rule_finds_and_what_a_snooze_kept_quiet(
    bank: Institution,
) -> None:
    found = ask(bank, "/v1/rules/report", entity="merchant")
    assert found["entity"] == "merchant"
    hit = [row for row in found["rules"] if row["hits"]]
    assert hit
    for row in hit:
        assert row["repeats"]["values"] <= row["repeats"]["hits"] == row["hits"]
        assert row["only_here"]["count"] <= row["beyond_model"]["count"] <= row["hits"]
        assert row["rate"]["change"] == ""  # one day is no history
    assert found["alarms"] == []
    rule = hit[0]["id"]
    before = {"snoozes": hit[0]["snoozes"]}
    assert before == {"snoozes": []}
    seq = bank.app.ledger.read(
        "SELECT transaction_seq AS seq, decided_at AS at FROM decisions ORDER BY 1 LIMIT 1"
    )[0]
    with bank.app.ledger.writing() as w:
        soon = seq["at"] + timedelta(days=1)
        row = {"snooze_id": "s1", "entity": "customer", "value": "c0", "rule_id": rule, "reason": "travels"}
        w.insert(
            "snoozes",
            [
                {
                    **row,
                    "made_by": "team-lead-1",
                    "made_at": seq["at"],
                    "expires_at": soon,
                    "ended_at": None,
                    "ended_by": "",
                    "ended_reason": "",
                }
            ],
        )
        effect = {"kind": "snooze", "subject": "s1", "rule_id": rule, "transaction_seq": seq["seq"]}
        w.insert(
            "control_effects",
            [{**effect, "decided_at": seq["at"], "outcome": "approve", "amount_minor": 1250}],
        )
        told = {"transaction_seq": seq["seq"], "is_fraud": True, "known_at": seq["at"], "reported_seq": 99}
        w.insert("outcomes", [{**told, "source": "chargeback", "reason_code": "x", "recorded_at": seq["at"]}])
    again = next(r for r in ask(bank, "/v1/rules/report")["rules"] if r["id"] == rule)
    cost = again["snoozes"][0]
    assert (cost["silenced"], cost["frauds"], cost["fraud_minor"]) == (1, 1, 1250)


def test_a_review_of_the_set_proposes_what_nobody_would_miss_and_measures_it(bank: Institution) -> None:
    found = ask(bank, "/v1/rules/review")
    listed = {row["id"]: row for row in found["rules"]}
    assert listed["blocked_device"]["finding"] == "dead"
    assert "with 95 % confidence" in listed["blocked_device"]["sentence"]
    pruning = found["pruning"]
    assert pruning["retire"] and pruning["effect"]["flipped"] == 0
    assert "blocked_device" not in pruning["retire"]  # it waits for entries on its list
    kept = {row["id"] for row in pruning["kept"]}
    assert "blocked_device" in kept
    made = send(
        bank, "/v1/proposals", {"reason": "nobody would miss them", "files": pruning["files"]}, status=201
    )
    assert made["sound"], made["problems"]
    withdrawn = bank.ask(
        MANAGER, "POST", f"/v1/proposals/{made['proposal_id']}/withdrawal", json={"reason": "only tried"}
    )
    assert withdrawn.status_code == 200


def test_of_two_equal_rules_only_one_is_proposed_to_go(bank: Institution) -> None:
    twin = (
        agreeing(planted())
        .replace("id: spending_spree", "id: twin_spree")
        .replace("title: Much money", "title: Twin of much money")
    )
    files = {PATH: newer(agreeing(planted())), "catalogue/twin_spree.yaml": twin}
    made = send(
        bank,
        "/v1/proposals",
        {"reason": "two of a kind", "override_reason": "for this test", "files": files},
        status=201,
    )
    body = {
        "proposal_id": made["proposal_id"],
        "content_sha256": made["content_sha256"],
        "reason": "for this test",
    }
    done = bank.ask("risk-manager-2", "POST", "/v1/approvals", json=body)
    assert done.status_code == 201, done.text
    found = ask(bank, "/v1/rules/review")
    rows = {row["id"]: row for row in found["rules"]}
    pair = ("spending_spree", "twin_spree")
    assert all(rows[name]["finding"] == "redundant" for name in pair)
    assert "twin_spree" in rows["spending_spree"]["within"]
    assert sum(name in found["pruning"]["retire"] for name in pair) == 1
    assert found["pruning"]["effect"]["flipped"] == 0


def test_the_tuner_gives_curves_what_was_decided_and_a_policy_to_propose(scored: Institution) -> None:
    found = ask(
        scored, "/v1/tuner", review_at=0.2, decline_at=0.4, reviews_per_day=30, curves=True, by="segment"
    )
    for cut in ("review_at", "decline_at"):
        points = [point["at"] for point in found["curves"][cut]]
        assert points == sorted(points) and found["asked"][cut] in points
    decided = found["decided"]
    assert decided["approved"] + decided["reviewed"] + decided["declined"] == found["decisions"]
    assert "default" in {segment["value"] for segment in found["segments"]}
    assert "Too few payments have matured" in found["calibration"]["sentence"]
    policy = load_policy(found["proposal"]["files"]["policy.yaml"].encode())
    assert (policy.thresholds.review_at, policy.thresholds.decline_at) == (0.2, 0.4)
    assert policy.capacity.reviews_per_day == 30
    text = found["proposal"]["files"]["policy.yaml"]
    assert "# in euros" in text or "# an undetected fraud" in text  # what its author wrote beside it stays


def test_moving_a_slider_does_not_read_the_past_anew(scored: Institution) -> None:
    first = ask(scored, "/v1/tuner", review_at=0.2, decline_at=0.4)
    second = ask(scored, "/v1/tuner", review_at=0.1, decline_at=0.4)
    assert first["as_of"] == second["as_of"]
    assert datetime.fromisoformat(first["as_of"]) > datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.parametrize("path", ["/v1/tuner", "/v1/rules/report", "/v1/rules/review", "/v1/previews"])
def test_who_reviews_learns_nothing_of_single_payments_here(bank: Institution, path: str) -> None:
    for user in ("analyst-1", "team-lead-1"):
        assert bank.ask(user, "GET", path).status_code == 403
    assert bank.ask("analyst-1", "POST", "/v1/backtests", json={"files": {}}).status_code == 403


def test_what_was_snoozed_or_listed_then_stays_so_when_the_past_is_decided_again(bank: Institution) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    snooze = {"entity": "customer", "value": "c1", "expires_at": until, "reason": "on a journey, told us"}
    entry = {"entity": "customer", "value": "c2", "effect": "block", "expires_at": until, "reason": "stolen"}
    assert bank.ask("team-lead-1", "POST", "/v1/snoozes", json=snooze).status_code == 201
    made = bank.ask(MANAGER, "POST", "/v1/list-entries", json=entry)
    assert made.status_code == 201, made.text
    answered = [
        bank.decide(payment(n, attributes={"channel": "ecom"}, entities={"customer": f"c{n % 3}"}))["outcome"]
        for n in range(100, 106)
    ]
    assert "decline" in answered
    found = send(bank, "/v1/previews", {"files": {}})
    assert found["flipped"] == 0, (answered, found["flips"])
    weeks = send(bank, "/v1/backtests", {"files": {}})["weeks"]
    assert all(week["decided"]["decline"] == week["candidate"]["decline"] for week in weeks)
