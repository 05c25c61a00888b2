"""Does the console show who stopped the engine and what is paused, snoozed, listed and tried, and switch it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fake_institution as data
import fake_safety
from fake_api import FakeApi
from fake_clock import stamp
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards.pieces import alarm_banner, words
from dashboards.views import control_view

Opened = Callable[..., AppTest]


def pressed(app: AppTest, label: str, nth: int = 0) -> AppTest:
    return [button for button in app.button if button.label == label][nth].click().run()


def typed(app: AppTest, label: str, text: str) -> None:
    next(box for box in app.text_input if box.label == label).input(text)


def test_every_page_says_that_the_kill_switch_is_on_and_that_alarms_wait(
    opened: Opened, api: FakeApi
) -> None:
    api.answers["GET /alarms"] = fake_safety.LOUD
    for user, page in (("analyst-1", "queue"), ("risk-manager-1", "rules"), ("auditor-1", "audit")):
        text = seen(opened(user, page))
        assert "The kill switch is on." in text and "everybody is declined" in text
        assert "1 new alarm]" in text and "night on new device" in text


def test_a_task_says_that_the_kill_switch_is_on_and_tells_of_no_alarm(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /alarms"] = fake_safety.LOUD
    text = seen(opened("analyst-1", "review", task="k_0001", next="1"))
    assert "The kill switch is on." in text and "everybody is declined" in text
    assert "night on new device" not in text


def test_an_alarm_names_rules_in_words_and_ids_as_they_are() -> None:
    ids = ("m_a91c5e77d204", "set_4be1c09f2d7a6630", "rollout_0a1b2c3d4e5f", "shadow_0a1b2c3d4e5f")
    told = alarm_banner.sentence(
        {"sentence": f"night_on_new_device and set_by_hand beside {', '.join(ids)}."}
    )
    assert told == words.plain(f"night on new device and set by hand beside {', '.join(ids)}.")


def test_missing_files_of_the_champion_are_no_failed_rule(opened: Opened, api: FakeApi) -> None:
    row = {"kind": "fail_safe", "subject": "model_missing", "n": 3, "last_at": stamp(hours=1)}
    api.answers["GET /safety"] = {**fake_safety.OVERVIEW, "fail_safe": [row]}
    text = seen(opened("risk-manager-1", "safety"))
    assert "The champion's files are missing or altered" in text
    assert "The rule model_missing failed" not in text
    [said] = control_view.lines({"killed": False, "fail_safe": "model_missing"})
    assert "missing or altered" in said


def test_an_alarm_of_last_week_takes_no_line_of_any_page_but_keeps_its_link(
    opened: Opened, api: FakeApi
) -> None:
    old = {**fake_safety.ALARM, "raised_at": stamp(days=8)}
    api.answers["GET /alarms"] = {**fake_safety.QUIET, "alarms": [old], "open": 2}
    app = opened("risk-manager-1", "rules")
    assert "night on new device" not in seen(app)
    assert "2 open alarms" in [link.proto.label for link in app.get("page_link")]


def test_nothing_is_said_while_all_is_well(opened: Opened) -> None:
    assert "kill switch" not in seen(opened("analyst-1", "queue")).lower()


def test_the_engine_is_stopped_with_a_reason_and_a_tick(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "safety")
    typed(app, "Reason", "it declines everybody")
    app = pressed(app, "Stop the engine", -1)
    assert api.switched == []
    assert "tick the box" in seen(app)
    app.checkbox[0].check()
    pressed(app, "Stop the engine", -1)
    assert api.switched == [("kill-switch", "", {"is_on": True, "reason": "it declines everybody"})]


def test_an_auditor_sees_all_and_switches_nothing(opened: Opened) -> None:
    for page in ("safety", "lists"):
        app = opened("auditor-1", page)
        assert not [b.label for b in app.button if b.label not in ("Sign out",)]
    assert "No model runs" in seen(opened("auditor-1", "safety"))


def test_an_alarm_is_acknowledged_with_what_came_of_it(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /safety"] = {**fake_safety.OVERVIEW, **fake_safety.LOUD}
    app = opened("risk-manager-1", "safety")
    typed(app, "What came of it", "a real attack")
    pressed(app, "Acknowledge")
    assert ("acknowledgement", "alarm_1", {"reason": "a real attack"}) in api.switched


def test_what_the_breaker_paused_goes_on_with_a_reason(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "safety", section="breaker")
    text = seen(app)
    assert "Paused" in text and "new or changed" in text
    typed(app, "Why it may go on", "meant so")
    pressed(app, "Let it go on")
    assert api.switched == [("resume", "act_1", {"reason": "meant so", "expected": None})]


def test_a_shadow_is_shown_beside_what_decides_and_stopped(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "safety", section="trials")
    text = seen(app)
    assert "dearer misses" in text and "2.0 % (1.0 % to 3.0 %)" in text and "tx-9" in text
    pressed(app, "Stop now")
    assert api.switched == [("stop trial", "shadow_1", {"reason": "stopped by hand"})]


def test_a_rollout_is_said_to_decide_a_share_of_all_customers(opened: Opened, api: FakeApi) -> None:
    rollout = {**fake_safety.TRIAL, "kind": "rollout", "entity": "customer", "share": 0.1}
    api.answers["GET /trials"] = {"trials": [rollout]}
    told = "**dearer misses**, 10 % of all customer values, always the same ones"
    assert told in seen(opened("auditor-1", "safety", section="trials"))


def test_a_snooze_is_shown_with_what_it_cost_and_ended(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "lists")
    text = seen(app)
    assert "c-77" in text and "Fraud let through" in text and "120.00 EUR" in text
    typed(app, "Reason", "")
    app.text_input(key="why_snooze_1").input("it was fraud").run()
    app.button(key="end_snooze_1").click().run()
    assert api.switched == [("end snooze", "snooze_1", {"reason": "it was fraud"})]


def test_a_rule_is_snoozed_from_the_page(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "lists")
    typed(app, "Its value", "c-12")
    typed(app, "Reason", "on holiday")
    pressed(app, "Snooze")
    route, _, form = api.switched[0]
    assert (route, form["entity"], form["value"], form["reason"]) == (
        "snooze",
        "customer",
        "c-12",
        "on holiday",
    )


def test_a_proposed_entry_is_put_in_force(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "lists", section="entries")
    assert "d-13" in seen(app) and "Proposed" in seen(app)
    pressed(app, "Put in force")
    assert api.switched == [("confirm", "entry_1", {})]


def test_only_what_a_confirmed_payment_used_is_offered_for_the_block_list(
    opened: Opened, api: FakeApi
) -> None:
    case = next(c for c in data.CASES if c["verdict"] == "confirmed_fraud")
    lead, other = case_payment("t_90002", "legitimate"), case_payment("t_90007", "confirmed_fraud")
    api.answers[f"GET /cases/{case['case_id']}"] = {**case, **data.STORY, "payments": [lead, other]}
    api.answers["GET /decisions/t_90007"] = {**data.DECISIONS[7], "entities": {"card": "card_of_fraud"}}
    app = opened("team-lead-1", "cases", id=case["case_id"])
    assert [b.label for b in app.button if b.label.startswith("Block ")] == ["Block card card\\_of\\_fraud"]
    app.button(key="block_card").click().run()
    asked = {"case_id": case["case_id"], "entity": "card", "transaction_id": "t_90007"}
    assert [(what, form) for what, _, form in api.switched] == [("list", asked)]


def case_payment(transaction_id: str, verdict: str) -> dict[str, Any]:
    row = {"transaction_id": transaction_id, "occurred_at": stamp(hours=3), "amount_minor": 4000}
    return {**row, "added_at": stamp(hours=2), "outcome": "review", "probability": 0.4, "verdict": verdict}


def test_a_decision_says_what_people_and_the_breaker_had_switched() -> None:
    context = {
        "killed": False,
        "segment": "large",
        "fail_safe": "model_failed",
        "policy_set_id": "set_0",
        "controls": {
            "paused_rules": ["night"],
            "model_capped": True,
            "snoozes": [{"entity": "card", "value": "k1", "rule_id": "", "expires": "2026-11-30T00:00:00Z"}],
            "entries": [{"entity": "device", "value": "d1", "effect": "block", "reason": "stolen"}],
        },
        "rollout": {
            "trial": "rollout_1",
            "arm": "candidate",
            "entity": "customer",
            "draw": 0.0312,
            "share": 0.1,
        },
        "shadows": {"shadow_1": "review"},
    }
    told = "\n".join(control_view.lines(context))
    for said in (
        "segment **large**", "The model failed", "that of `set_0` applied", "had paused: night", "capped the model",
        "Snoozed for card k1: every rule that asks", "Device d1 was listed (block): stolen", "candidate of a rollout",
        "drawn by customer: 0.031; below 0.1",
        "A shadow would have answered",
    ):  # fmt: skip
        assert said in told
    assert control_view.lines({"killed": True, "fail_safe": "kill_switch"}) == ["The kill switch was on."]
    assert control_view.lines({"killed": False, "load": {}}) == []
