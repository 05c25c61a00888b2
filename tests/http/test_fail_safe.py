"""Is a payment answered, marked, counted and alarmed about when the model is gone or a rule cannot be evaluated?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.http.institution import Institution, large_payment, make_workspace, payment, proposals, served
from tests.unreadable import Unreadable

RULE = "catalogue/card_testing_burst.yaml"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    files = proposals()
    files[RULE] = files[RULE].replace(b"on_missing: no_hit", b"on_missing: review")
    with served(make_workspace(tmp_path_factory.mktemp("failsafe") / "bank", files)) as running:
        row = {"model_id": "model_gone", "status": "champion", "created_at": datetime.now(UTC)}
        with running.app.ledger.writing() as w:
            w.insert("models", [{**row, "requested_by": "x", "manifest": "{}", "files_sha256": "00"}])
        yield running


def open_alarms(bank: Institution) -> set[tuple[str, str]]:
    """Kind and subject of each; an alarm is in the decision's own write, so whoever has the answer finds it."""
    told = bank.ask("risk-manager-1", "GET", "/v1/alarms").json()["alarms"]
    return {(alarm["kind"], alarm["subject"]) for alarm in told}


def test_a_champion_whose_files_are_gone_leaves_the_fail_safe_outcome(bank: Institution) -> None:
    decided = bank.decide(payment(1))
    assert decided["outcome"] == bank.app.settings().policy.fail_safe.word
    assert decided["context"]["fail_safe"] == "model_missing"
    assert decided["model_id"] == ""
    assert ("fail_safe", "model_missing") in open_alarms(bank)
    text = bank.ask("integrator-1", "GET", "/metrics").text
    assert 'secondlook_fail_safe_total{why="model_missing"}' in text
    counted = bank.ask("risk-manager-1", "GET", "/v1/safety").json()["fail_safe"]
    assert [row["n"] for row in counted if row["subject"] == "model_missing"] == [1]


def test_a_decision_whose_explanation_fails_stands_is_counted_and_alarmed_about(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ = bank.app.live
    monkeypatch.setattr(bank.app.live.engine, "model", Unreadable())
    decided = bank.decide(large_payment(3))
    assert (decided["outcome"] != "approve", decided["model_id"]) == (True, "m_unreadable")
    assert ("unexplained", "m_unreadable") in open_alarms(bank)
    text = bank.ask("integrator-1", "GET", "/metrics").text
    assert "secondlook_unexplained_decisions_total 1.0" in text


def test_a_rule_that_raises_asks_as_it_does_for_a_missing_value_and_is_alarmed_about(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = next(r for r in bank.app.live.settings.rules if r.id == "card_testing_burst")
    features = bank.app.live.engine.state.features

    def odd(transaction: object) -> dict[str, object]:
        return {**features(transaction), **dict.fromkeys(rule.features, "six")}

    monkeypatch.setattr(bank.app.live.engine.state, "features", odd)
    decided = bank.decide(payment(2))
    assert decided["outcome"] == "review"
    assert ("rule_error", rule.id) in open_alarms(bank)
    assert (
        f'secondlook_rule_errors_total{{rule="{rule.id}"}}'
        in bank.ask("integrator-1", "GET", "/metrics").text
    )
