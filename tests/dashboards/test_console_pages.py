"""Does every page beyond the review say what it should, when full, when empty and when refused?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date

import fake_institution as data
import pytest
from fake_api import FakeApi, Refused
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards.pieces import frame

Opened = Callable[..., AppTest]


def test_the_queue_offers_the_next_task_under_one_key_and_shows_the_lanes(opened: Opened) -> None:
    app = opened("analyst-1")
    text = seen(app)
    assert app.button(key="take_next").proto.shortcut == "n"
    assert "Money at risk" in text
    assert "Waiting: 4" in text


def test_an_empty_queue_says_what_would_fill_it(opened: Opened, api: FakeApi) -> None:
    api.order = []
    app = opened("analyst-1")
    assert "Nothing is waiting" in seen(app)
    assert app.button(key="take_next").disabled


def test_a_task_that_is_mine_is_offered_first(opened: Opened, api: FakeApi) -> None:
    api.tasks["k_0003"]["claimed_by"] = "analyst-1"
    app = opened("analyst-1")
    assert app.button(key="take_next").label == "Go on with my task"
    assert "229.00 EUR**, customer customer" in str([link.proto.label for link in app.get("page_link")])


def test_the_queue_lists_what_waits_without_a_click(opened: Opened, api: FakeApi) -> None:
    listed = opened("analyst-1").dataframe[-1].value
    assert list(listed["Amount"])[:2] == ["812.00 EUR", "812.00 EUR"]
    assert listed["Customer"][0] == "customer_0412"
    assert all(due.startswith("in ") for due in listed["Due"])


def test_an_outcome_filter_is_applied_and_kept_in_the_address(opened: Opened) -> None:
    app = opened("auditor-1", "decisions")
    app.segmented_control(key="outcome").set_value("decline").run()
    assert app.query_params["outcome"] == "decline"
    assert set(app.dataframe[0].value["Outcome"]) == {"✕ Decline"}


def test_a_link_to_another_outcome_counts_though_the_page_was_open_with_one(opened: Opened) -> None:
    app = opened("auditor-1", "decisions", outcome="decline")
    app.query_params["outcome"] = "approve"  # as a link, or the back button, has it
    app.run()
    assert app.segmented_control(key="outcome").value == "approve"
    assert set(app.dataframe[0].value["Outcome"]) == {"✓ Approve"}
    app.segmented_control(key="outcome").set_value(
        "decline"
    ).run()  # and the reader's own choice counts after that
    assert app.query_params["outcome"] == "decline"


def test_the_integrator_sees_decisions_with_their_currency_without_reading_the_policy(
    opened: Opened, api: FakeApi
) -> None:
    api.fail["GET /policy"] = Refused(403, "Not allowed", "An integrator may not read settings.")
    app = opened("integrator-1", "decisions")
    assert app.dataframe[0].value["Amount"].str.endswith(" EUR").all()


def test_a_day_of_decisions_begins_at_the_readers_midnight(
    opened: Opened, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "zone", lambda: "America/New_York")
    app = opened("auditor-1", "decisions")
    app.date_input(key="since").set_value(date(2026, 3, 2)).run()
    assert api.listed[-1]["since"] == "2026-03-02T00:00:00-05:00"


def test_decisions_are_paged_at_the_server(opened: Opened) -> None:
    app = opened("auditor-1", "decisions")
    first = list(app.dataframe[0].value["Transaction"])
    app.button(key="older").click().run()
    assert not set(first) & set(app.dataframe[0].value["Transaction"])
    assert app.button(key="older").disabled
    app.button(key="newer").click().run()
    assert list(app.dataframe[0].value["Transaction"]) == first


def test_a_search_without_a_match_says_what_to_loosen(opened: Opened, api: FakeApi) -> None:
    app = opened("auditor-1", "decisions")
    api.answers["GET /decisions"] = {"decisions": [], "next_cursor": None}
    app.segmented_control(key="outcome").set_value("decline").run()
    assert "No decision matches" in seen(app)


def test_a_record_without_a_decision_does_not_ask_for_a_looser_filter(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /decisions"] = {"decisions": [], "next_cursor": None}
    assert "Nothing has been decided yet" in seen(opened("auditor-1", "decisions"))


def test_a_search_that_the_api_refuses_keeps_the_form(opened: Opened, api: FakeApi) -> None:
    api.fail["GET /decisions"] = Refused(
        422, "This input cannot be used", "entity: 'x' is not an entity.", "Look again."
    )
    app = opened("auditor-1", "decisions")
    assert "is not an entity" in seen(app)
    assert app.text_input(key="entity")


def test_one_decision_shows_outcome_reason_costs_rules_and_record(opened: Opened) -> None:
    text = seen(opened("auditor-1", "decisions", id="t_90002"))
    for said in (
        "◐ Review",
        "Probability of fraud: 67 %",
        "A rule asks for a person",
        "Expected cost",
        "2 rules hit",
        data.SET_ID,
    ):
        assert said in text


def test_a_decision_leads_to_its_case_where_the_reader_has_cases(opened: Opened) -> None:
    links = [link.proto.label for link in opened("auditor-1", "decisions", id="t_90002").get("page_link")]
    assert any(label.startswith("Its case") for label in links)
    assert "Case case" in seen(opened("analyst-1", "decisions", id="t_90002"))
    assert "There is no case on it" in seen(opened("auditor-1", "decisions", id="t_90000"))


def test_a_decision_tells_its_features_in_words_and_units_and_shows_the_payment(opened: Opened) -> None:
    app = opened("auditor-1", "decisions", id="t_90002")
    inputs = app.dataframe[0].value
    assert list(inputs["Input"][:2]) == [
        "This amount against the customer's mean of 30 days",
        "Customers seen on this device in 7 days",
    ]
    assert list(inputs["Value"][:3]) == ["14.1 times", "4", "9 min"]
    assert inputs["Recorded as"][0] == "amount_ratio_30d = 14.1"
    assert ":gray[Customer]  \ncustomer\\_0412" in [box.value for box in app.markdown]


def test_a_decision_that_does_not_exist_is_said(opened: Opened) -> None:
    assert "There is no decision for transaction" in seen(opened("auditor-1", "decisions", id="nope"))


def test_an_approval_says_that_no_explanation_is_stored(opened: Opened) -> None:
    assert "No explanation is stored" in seen(opened("auditor-1", "decisions", id="t_90000"))


def test_a_replay_that_agrees_says_bit_for_bit(opened: Opened) -> None:
    app = opened("auditor-1", "decisions", id="t_90002")
    app.button(key="replay").click().run()
    assert "the same answer, bit for bit" in seen(app)


def test_a_replay_that_differs_names_every_value(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /replays/t_90002"] = {"differences": [{"what": "margin", "then": 0.28, "now": 0.29}]}
    app = opened("auditor-1", "decisions", id="t_90002")
    app.button(key="replay").click().run()
    assert "1 value came out differently" in seen(app)
    assert "0.29" in seen(app)


def test_an_analyst_cannot_replay_but_can_open_a_case_by_hand(opened: Opened) -> None:
    app = opened("analyst-1", "decisions", id="t_90000")
    assert not [b for b in app.button if b.key == "replay"]
    app.text_input(key="case_reason").input("the customer called").run()
    app.button(key="open_case").click().run()
    assert "is open" in app.success[0].value


def test_consistency_gives_every_headline_figure_with_its_interval(opened: Opened) -> None:
    text = seen(opened("team-lead-1", "consistency"))
    for said in (
        "Raw agreement: 76 %",
        "95 %: 71 % to 82 %",
        "Krippendorff's alpha: 0.18",
        "95 %: 0.05 to 0.31",
        "Gwet's AC1: 0.65",
    ):
        assert said in text


def test_consistency_without_enough_evidence_says_so_instead_of_an_interval(
    opened: Opened, api: FakeApi
) -> None:
    report = copy.deepcopy(data.CONSISTENCY)
    report["state"] = "insufficient"
    report["alpha"] |= {"low": None, "high": None, "state": "insufficient"}
    api.answers["GET /consistency"] = report
    text = seen(opened("team-lead-1", "consistency"))
    assert "Not enough evidence yet" in text
    assert "not enough evidence for an interval" in text


def test_consistency_without_second_reviews_says_what_would_bring_them(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /consistency"] = {"n_pairs": 0}
    assert "No payment has been judged by two people yet" in seen(opened("team-lead-1", "consistency"))


def test_the_summary_counts_decisions_and_shows_the_subgroup_table(opened: Opened) -> None:
    text = seen(opened("risk-manager-1"))
    assert "All decisions: 42,000" in text
    assert "By age band" in text
    assert "their intervals overlap" in text
    assert "not a fraud rate" in text


def test_the_summary_of_a_fresh_workspace_has_no_figure_made_up(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /summary"] = {
        "subgroups": {"attribute": "", "groups": [], "sentence": "No protected attribute."}
    }
    text = seen(opened("risk-manager-1"))
    assert "All decisions: 0" in text
    assert "No model decides yet" in text
    assert "No protected attribute." in text


def test_cases_list_and_story(opened: Opened) -> None:
    assert "⚖ In adjudication" in seen(opened("team-lead-1", "cases"))
    text = seen(opened("team-lead-1", "cases", id="case_0002"))
    for said in ("What happened", "New device, then the largest payment ever", "✕ Declined"):
        assert said in text


def test_a_team_lead_records_what_happens_to_the_payment(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "cases", id="case_0002")
    app.selectbox[0].select("reversed")
    next(box for box in app.text_input if box.label == "Reason").input("customer called back")
    next(b for b in app.button if b.label == "Record").click().run()
    assert api.dispositions == [
        {"case_id": "case_0002", "value": "reversed", "reason": "customer called back"}
    ]


def test_no_cases_says_what_opens_one(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /cases"] = {"cases": [], "next_cursor": ""}
    assert "No case here" in seen(opened("team-lead-1", "cases"))


def test_rules_show_status_effect_and_hits(opened: Opened) -> None:
    text = seen(opened("risk-manager-1", "rules"))
    assert "● Live" in text
    assert "◌ Shadow" in text
    assert data.SET_ID in text


def test_models_show_the_champion_and_why_a_challenger_was_refused(opened: Opened) -> None:
    text = seen(opened("risk-manager-1", "models"))
    assert "★ Champion" in text
    assert "0.610" in text
    assert "Refused: average precision is 0.03 lower" in text.replace("\\", "")
    assert "✕ failed" in text


def test_a_waiting_challenger_is_shown_with_comparison_gates_flips_and_card(opened: Opened) -> None:
    app = opened("risk-manager-1", "models")
    text = seen(app)
    for said in (
        "Champion then 0.610 (0.500 to 0.700); This model 0.580 (0.470 to 0.660)",
        "Share of the champion's cost saved: −15 %",
        "The interval is \\-0.06",
        "47,418 labels, 491 frauds",
        "Ranks payments by the probability of fraud",
    ):
        assert said.replace("\\", "") in text.replace("\\", "")
    flips = app.dataframe[-1].value
    assert list(flips.iloc[0]) == [
        "decisions?id=t_90002", "165.42 EUR", "7.1 %", "95 %", "◐ Review", "✕ Fraud"
    ]  # fmt: skip


def test_a_model_is_signed_off_with_a_reason_beside_its_evidence(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "models")
    next(b for b in app.button if b.label == "Let it decide").click().run()
    assert "Write a reason" in seen(app)
    app.text_input(key="sign_off_reason").input("looked at the flips")
    next(b for b in app.button if b.label == "Let it decide").click().run()
    assert api.signed_off == [("m_77f0ab3310ce", "looked at the flips")]
    assert not [b for b in opened("auditor-1", "models").button if b.label == "Let it decide"]


def test_a_model_without_a_card_on_record_says_so(opened: Opened, api: FakeApi) -> None:
    api.fail["GET /models/m_77f0ab3310ce/card.json"] = Refused(404, "Not found", "No card is on record.")
    assert "No card is on record" in seen(opened("risk-manager-1", "models"))


def test_models_before_the_first_one(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /models"] = {"models": []}
    api.answers["GET /retrains"] = {"retrains": []}
    text = seen(opened("risk-manager-1", "models"))
    assert "No model decides yet" in text
    assert "No retrain has run yet" in text


def test_jobs_can_be_run_by_their_owners_only(opened: Opened) -> None:
    assert [b.key for b in opened("risk-manager-1", "jobs").button if b.key.startswith("run_")] == [
        "run_retrain",
        "run_task_timeouts",
    ]
    lead = opened("team-lead-1", "jobs")
    assert "has not run yet" in seen(lead)
    assert not [b for b in lead.button if b.key.startswith("run_")]


def test_the_integrator_sees_how_to_ask_for_a_decision(opened: Opened) -> None:
    assert "/v1/decisions" in seen(opened("integrator-1"))
