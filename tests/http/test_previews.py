"""Does a preview decide the past exactly as it was decided, and show only what the proposed files change?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casework.cli.consequences import preview_lines, report_lines, tuner_lines
from casework.settings import past_columns, past_decisions, previews
from data import approved
from engine.what_if.redecide import redecide
from tests.http.institution import RULES, Institution, large_payment, make_workspace, payment, served

POLICY = (RULES / "policy.yaml").read_text()
BURST = (RULES / "catalogue" / "card_testing_burst.yaml").read_text()
FEATURES = (RULES / "features.yaml").read_text()
NEW_RULE = """\
id: {id}
version: 1
title: {id}
status: live
typology: test
severity: low
owner: risk-manager-1
description: For this test.
when: {when}
on_missing: no_hit
then: {{floor: review, reason: "{reason}"}}
false_positives: Everybody at night.
runbook: Look.
history: [{{version: 1, at: 2026-01-05, change: First}}]
tests:
  - {{name: yes, given: {given}, expect: hit}}
  - {{name: no, given: {other}, expect: no_hit}}
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("previews") / "bank"
    with served(make_workspace(root)) as running:
        for n in range(12):
            running.decide(payment(n, attributes={"channel": "ecom"}))
        for n in range(12, 16):
            running.decide(large_payment(n))
        told = [
            {
                "transaction_id": "t12",
                "is_fraud": True,
                "known_at": datetime.now(UTC).isoformat(),
                "reason_code": "x",
            }
        ]
        assert running.ask("integrator-1", "POST", "/v1/outcomes", json={"outcomes": told}).is_success
        yield running


def preview(bank: Institution, files: dict[str, str | None], **more: Any) -> dict[str, Any]:
    answer = bank.ask("risk-manager-1", "POST", "/v1/previews", json={"files": files, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def rule(id: str, when: str, *, reason: str = "so", given: str, other: str) -> dict[str, str | None]:
    return {
        f"catalogue/{id}.yaml": NEW_RULE.format(id=id, when=when, reason=reason, given=given, other=other)
    }


def test_without_changes_every_past_decision_comes_out_as_it_was(bank: Institution) -> None:
    app = bank.app
    settings, when = app.settings(), past_decisions.period(app.ledger, None, None)
    past = past_decisions.read_past(app.ledger, when, settings.features, settings.policy, datetime.now(UTC))
    answers = past_decisions.rule_answers(app.ledger, past, settings.rules)
    segmented = past_decisions.segmented(app.ledger, past, settings.segments)
    again = redecide(past.columns, answers.asking, settings.policy, segmented)
    was = [("approve", "review", "decline").index(word) for word in past.table.column("_outcome").to_pylist()]
    assert np.array_equal(again.outcome, was)
    found = preview(bank, {})
    assert (found["decisions"], found["flipped"], found["changed"], found["rules"]) == (16, 0, [], [])


def test_a_higher_limit_loses_alerts_and_says_which_of_them_were_fraud(bank: Institution) -> None:
    found = preview(bank, {"policy.yaml": POLICY.replace("high_amount: 1500", "high_amount: 9000")})
    lost = found["alerts"]["lost"]
    assert (lost["count"], lost["amount_minor"], lost["known"], lost["unknown"]) == (
        3,
        1_200_000,
        1,
        2,
    )  # for the fourth a rule asks all the same
    assert lost["fraud_share"]["value"] == 1.0
    assert found["matrix"]["review"] == {"approve": 3, "review": 1, "decline": 0}
    assert "no outcome is known" in found["not_known"][0]
    flip = next(f for f in found["flips"] if f["transaction_id"] == "t12")
    assert (flip["before"]["outcome"], flip["after"]["outcome"], flip["known"]) == (
        "review",
        "approve",
        "fraud",
    )
    assert "1,500.00 EUR" in flip["before"]["sentence"]


def test_the_command_line_tells_money_in_the_decimals_of_its_currency(bank: Institution) -> None:
    found = preview(bank, {"policy.yaml": POLICY.replace("high_amount: 1500", "high_amount: 9000")}, limit=1)
    report = bank.ask("risk-manager-1", "GET", "/v1/rules/report").json()
    assert (found["currency"], report["currency"]) == ("EUR", "EUR")
    for currency, flipped, known in (("EUR", "4,000.00", "4,000.00"), ("JPY", "400,000", "400,000")):
        lines = preview_lines({**found, "currency": currency})
        assert any(f" {flipped}: review -> approve" in line for line in lines)
        assert f"known fraud among them {known}." in report_lines({**report, "currency": currency})[0]


def test_a_new_rule_shows_its_hits_and_reasons(bank: Institution) -> None:
    given, other = "{amount_minor: 1999}", "{amount_minor: 2000}"
    files = rule("all_small", "amount_minor < 2000", reason="only {amount_minor}", given=given, other=other)
    found = preview(bank, files, limit=3)
    assert found["alerts"]["gained"]["count"] == 12 == found["flipped"]
    assert next(r for r in found["rules"] if r["id"] == "all_small")["gained"] == 12
    assert len(found["flips"]) == 3
    assert found["flips"][0]["after"]["reasons"][0] == "only 12.50 EUR"
    assert found["cases"]["after"]["total"] - found["cases"]["before"]["total"] == 11  # one was audited


def test_a_new_feature_is_worked_out_for_the_past(bank: Institution) -> None:
    line = "  - {name: merchant_count_2h, entity: merchant, measure: count, window: 2h, phrase: p}\n"
    files = rule(
        "busy", "merchant_count_2h >= 4", given="{merchant_count_2h: 4}", other="{merchant_count_2h: 3}"
    )
    found = preview(bank, {**files, "features.yaml": FEATURES + line})
    busy = next(r for r in found["rules"] if r["id"] == "busy")
    assert busy["hits_after"] == 12  # one every 30 minutes: from the fifth on


def test_flips_that_come_only_from_crowding_are_counted_apart(bank: Institution) -> None:
    policy = POLICY.replace("reviews_per_day: 60", "reviews_per_day: 1")
    found = preview(bank, {"policy.yaml": policy})
    assert found["cases"]["after"]["capacity"] == 1
    assert found["flipped"] > 0


def test_drafts_in_the_workspace_are_previewed_without_sending_files(bank: Institution) -> None:
    file = bank.app.workspace.rules / "policy.yaml"
    file.write_text(POLICY.replace("high_amount: 1500", "high_amount: 9000"))
    try:
        found = bank.ask("auditor-1", "GET", "/v1/previews").json()
        assert (found["changed"], found["flipped"]) == (["policy.yaml"], 3)
    finally:
        file.write_text(POLICY)


def test_files_that_cannot_be_read_are_refused_with_their_line(bank: Institution) -> None:
    body = {"files": {"catalogue/card_testing_burst.yaml": BURST.replace("_count_1h", "_cuont_1h")}}
    answer = bank.ask("risk-manager-1", "POST", "/v1/previews", json=body)
    assert answer.status_code == 422
    assert "rules/catalogue/card_testing_burst.yaml:" in answer.json()["detail"]


@pytest.mark.parametrize("since", ["2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z", "2030-01-01T00:00:00Z"])
def test_a_period_in_which_nothing_was_decided_is_refused(bank: Institution, since: str) -> None:
    answer = bank.ask("risk-manager-1", "GET", f"/v1/previews?since={since}")
    assert answer.status_code == 422, answer.text


def test_those_who_review_do_not_see_single_payments_this_way(bank: Institution) -> None:
    for user in ("analyst-1", "team-lead-1"):
        assert bank.ask(user, "GET", "/v1/previews").status_code == 403


def test_the_rule_report_tells_facts_and_verdicts_apart(bank: Institution) -> None:
    found = bank.ask("risk-manager-1", "GET", "/v1/rules/report").json()
    assert found["decisions"] == 16
    listed = {row["id"]: row for row in found["rules"]}
    assert set(listed) >= {rule.id for rule in bank.app.settings().rules if rule.runs}
    quiet = listed["card_testing_burst"]
    assert (quiet["hits"], quiet["fraud_share"]["value"], quiet["share_confirmed"]["value"]) == (
        0,
        None,
        None,
    )
    hit = [row for row in found["rules"] if row["hits"]]
    counted = bank.app.ledger.read("SELECT unnest(rules_hit) AS id, count(*) AS n FROM decisions GROUP BY id")
    assert {row["id"]: row["hits"] for row in hit} == {row["id"]: row["n"] for row in counted}
    assert all(row["known"] + row["unknown"] == row["hits"] for row in hit)
    assert all(
        row["beyond_model"]["count"] == 0 for row in hit
    )  # no model ran, so it would have approved nothing


def test_the_tuner_needs_probabilities_and_says_so(bank: Institution) -> None:
    answer = bank.ask("risk-manager-1", "GET", "/v1/tuner?review_at=0.1&decline_at=0.6")
    assert (answer.status_code, "no decision of this period has a probability" in answer.text) == (422, True)


def test_the_tuner_sets_the_cut_offs_asked_for_beside_the_present_and_the_best(bank: Institution) -> None:
    with bank.app.ledger.writing() as w:
        w.execute("UPDATE decisions SET probability = (transaction_seq % 10) / 10.0")
    found = bank.ask(
        "auditor-1", "GET", "/v1/tuner?review_at=0.3&decline_at=0.8&by=channel&with_rules=false"
    ).json()
    asked = found["asked"]
    assert (asked["approved"], asked["reviewed"], asked["declined"]) == (5, 5, 2)
    assert found["best"]["expected_cost"]["value"] <= asked["expected_cost"]["value"]
    assert found["current"]["solve"] is True
    assert [segment["value"] for segment in found["segments"]] == ["ecom"]
    assert found["elsewhere"]["payments"] == {"large": 4}  # only people decline there
    alone = bank.ask("auditor-1", "GET", "/v1/tuner?review_at=0.0001&with_rules=false").json()
    shown = alone["asked"]
    told = tuner_lines({**alone, "currency": "JPY"})
    assert any(f" {shown['expected_loss']['value']:,.0f} [" in line for line in told)
    assert alone["proposal"]["yaml"] == (
        f"thresholds: {{review_at: {shown['review_at']:.6g}, decline_at: {shown['decline_at']:.6g}}}"
    )
    for query in ("?review_at=0.9&decline_at=0.1", "?review_at=2", "?by=no_such_thing"):
        assert bank.ask("auditor-1", "GET", "/v1/tuner" + query).status_code == 422


def test_a_comparison_counts_what_was_recorded_since_the_last_one(bank: Institution) -> None:
    change = {"policy.yaml": POLICY.replace("high_amount: 1500 ", "high_amount: 1501 ")}
    assert change["policy.yaml"] != POLICY
    period = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    first = preview(bank, change, **period)
    assert preview(bank, change, **period) == first  # nothing has happened
    bank.decide(large_payment(91))
    grown = preview(bank, change, **period)
    assert grown["decisions"] == first["decisions"] + 1
    assert grown["outcomes"]["before"] != first["outcomes"]["before"]


def test_a_payment_decided_while_a_period_that_goes_on_is_compared_does_not_come_into_it(
    bank: Institution,
) -> None:
    files = dict(approved.current(bank.app.ledger).files)
    told: list[str] = []

    def meanwhile(what: str, share: float) -> None:
        if not told:
            bank.decide(large_payment(93))
        told.append(what)

    later = datetime.now(UTC) + timedelta(days=1)
    found = previews.compare(bank.app, files, None, later, at=datetime.now(UTC), told=meanwhile)
    assert len(found.evidence) == len(found.past) == len(found.before.decided.outcome)
    assert "t93" not in found.past.table.column("_id").to_pylist()
    assert previews.told_of(bank.app, files, found, limit=5)["flipped"] == 0


def test_who_does_not_want_to_wait_hears_how_far_it_is_and_gets_the_same_answer(bank: Institution) -> None:
    before = bank.ask("risk-manager-1", "GET", "/v1/previews?limit=5")
    asked = [bank.ask("risk-manager-1", "GET", f"/v1/previews?limit=5&wait={wait}") for wait in (0, 30, 0)]
    assert [answer.status_code for answer in asked[1:]] == [200, 200]
    first = asked[0].json()
    assert asked[0].status_code == 200 or (asked[0].status_code == 202 and 0 <= first["share"] < 1)
    assert asked[1].json() == asked[2].json()
    assert asked[1].json()["decisions"] == before.json()["decisions"]


def test_a_kept_report_is_given_to_nobody_whose_role_may_not_read_it(bank: Institution) -> None:
    path = "/v1/review-design?weeks=5"
    first, again = (bank.ask("team-lead-1", "GET", path) for _ in range(2))
    assert (first.status_code, first.content) == (200, again.content)
    assert bank.ask("integrator-1", "GET", path).status_code == 403
    assert bank.ask("", "GET", path).status_code == 401
    held = [bank.app.kept_answers.held_bytes]
    for user in ("analyst-1", "analyst-1", "analyst-2"):
        assert bank.ask(user, "GET", "/v1/me/work").is_success
        held.append(bank.app.kept_answers.held_bytes)
    assert held[0] < held[1] == held[2] < held[3]  # one for each of them: nobody is given another's


def test_the_past_is_read_in_stretches_and_only_what_came_since_is_read_again(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, settings = bank.app, bank.app.settings()
    at = datetime.now(UTC)

    def read(since: datetime | None = None) -> Any:
        when = past_decisions.period(app.ledger, since, None)
        return past_decisions.read_past(app.ledger, when, settings.features, settings.policy, at).table

    past_columns.let_go(app.ledger)
    whole = read()
    past_columns.let_go(app.ledger)
    monkeypatch.setattr(past_columns, "_AT_ONCE", 5)
    assert read().equals(whole)
    bank.decide(payment(77))
    more, middle = read(), whole.column("_decided_at")[8].as_py().replace(tzinfo=UTC)
    assert more.slice(0, len(whole)).equals(whole)
    assert more.column("_id").to_pylist()[-1] == "t77"
    assert read(middle).equals(more.slice(8))
    assert read().equals(more)  # what was kept begins later than what is asked for


def test_the_time_of_a_case_is_that_of_verdicts_whose_time_is_not_forgotten(bank: Institution) -> None:
    """The policy forgets times by putting NaN in their place, which would make the mean one, too."""
    ledger, now = bank.app.ledger, datetime.now(UTC)
    row = {
        "case_id": "", "lane": "", "reviewer": "analyst-1", "value": "legitimate", "typology": "", "reason_code": "",
        "note": "", "confidence": "", "guideline_version": "", "arm": "", "corrections": "{}", "flags": [],
        "given_at": now, "event_seq": 0, "deserved": "", "idle_seconds": 0.0, "applied_from": "",
        "task_kind": "primary", "transaction_seq": 1,
    }  # fmt: skip
    times = [*[20.0] * 29, float("nan"), 80.0]
    rows = [
        {**row, "verdict_id": f"v{n}", "task_id": f"k{n}", "seconds": seconds}
        for n, seconds in enumerate(times)
    ]
    told = []
    try:
        for some in (rows[:30], rows[30:]):
            with ledger.writing() as w:
                w.insert("verdicts", some)
            told.append(preview(bank, {})["cases"]["seconds_a_case"])
    finally:
        with ledger.writing() as w:
            w.execute("DELETE FROM verdicts")
    assert told == [previews.SECONDS_A_CASE, 22.0], "thirty that are not forgotten are asked for"
