"""Do the pages say what a review design costs and tells, and how far a newcomer has come?"""

from __future__ import annotations

from conftest import Opened
from fake_api import FakeApi
from fake_design import TRAINING
from page_text import seen


def test_the_page_says_first_what_the_design_costs(opened: Opened) -> None:
    text = seen(opened("team-lead-1", "review_design"))
    assert "As the policy stands, measuring costs 81 reviews and 0.8 hours a week." in text
    assert "90 cases and 3,500 automatic decisions a week, 4 analysts" in text


def test_a_moved_slider_is_set_against_what_is_in_force(opened: Opened) -> None:
    app = opened("risk-manager-1", "review_design")
    app.slider(key="share_second_review").set_value(0.5).run()
    assert "This design costs 112 reviews and 0.8 hours a week, against 81 and 0.8 in force." in seen(app)


def test_each_figure_has_its_width_or_says_that_there_is_not_enough(opened: Opened) -> None:
    figures = opened("team-lead-1", "review_design").dataframe[0].value
    assert list(figures["95 % interval then"]) == [
        "0.66 ± 0.06", "insufficient data", "insufficient data", "1.00 % ± 0.78 %",
    ]  # fmt: skip
    assert list(figures["Can be shown"]) == ["now", "in 14 weeks", "never, at this share", "in 6 weeks"]


def test_golden_cases_are_listed_with_how_often_they_were_answered_rightly(opened: Opened) -> None:
    app = opened("team-lead-1", "review_design")
    assert "Golden cases: 1 in use, 1 of them fraud" in seen(app)
    assert list(app.dataframe[1].value["Right"]) == [2, 9]


def test_only_a_team_lead_nominates(opened: Opened) -> None:
    assert "Nominate a payment" not in seen(opened("risk-manager-1", "review_design"))


def test_a_newcomer_sees_what_is_missing_and_what_was_missed(opened: Opened) -> None:
    app = opened("analyst-1", "training")
    text = seen(app)
    assert "Still missing: 28 more past cases." in text
    assert "at least 40 % is asked" in text
    assert list(app.dataframe[0].value["It was"]) == ["✕ Fraud"]


def test_what_a_newcomer_said_is_shown_also_once_the_time_it_took_is_forgotten(
    opened: Opened, api: FakeApi
) -> None:
    (answer,) = TRAINING["answers"]
    api.answers["training"] = {**TRAINING, "answers": [answer, {**answer, "seconds": None}]}
    assert list(opened("analyst-1", "training").dataframe[0].value["Seconds"]) == ["31", "–"]


def test_whoever_is_qualified_is_told_so(opened: Opened, api: FakeApi) -> None:
    api.answers["training"] = {**TRAINING, "status": "qualified"}
    assert "You are qualified: your verdicts count." in seen(opened("analyst-1", "training"))


def test_a_team_lead_signs_only_where_nothing_is_missing(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "team")
    assert [button.key for button in app.button if str(button.key).startswith("do_Sign")] == [
        "do_Sign as qualified_analyst-6"
    ]
    app.text_input(key="why_Sign as qualified_analyst-6").input("ready").run()
    app.button(key="do_Sign as qualified_analyst-6").click().run()
    assert ("qualify", "analyst-6", {"reason": "ready"}) in api.done


def test_a_guideline_is_proposed_from_the_team_page(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "team")
    app.text_area(key="guideline_text").input("# Look twice")
    reason = next(box for box in app.text_input if box.label == "What changes, and why")
    reason.input("families share devices")
    next(button for button in app.button if button.label == "Propose this guideline").click().run()
    assert "Proposed as" in seen(app)


def test_after_a_blind_verdict_the_score_is_shown_and_a_second_thought_asked(
    opened: Opened, api: FakeApi
) -> None:
    app = opened("analyst-1", "review", task="k_0002")
    api.tasks["k_0002"] |= {"claimed_by": "analyst-1", "status": "done", "probability": 0.4}
    app.session_state["revealed"] = {
        "verdict_id": "v_1",
        "task_id": "k_0002",
        "value": "legitimate",
        "blind": True,
    }
    app.session_state["task_page"] = None
    app.run()
    assert "Now that you see what the engine thought" in seen(app)
    app.button(key="thought_confirmed_fraud").click().run()
    assert ("second thought", "v_1", {"value": "confirmed_fraud", "confidence": ""}) in api.done
    assert "Now that you see" not in seen(app)


def test_in_training_what_was_right_is_told_before_the_next_case(opened: Opened, api: FakeApi) -> None:
    told = {"said": "legitimate", "is_fraud": True, "right": False, "reason_code": "10.4",
            "adjudicated": {"value": "confirmed_fraud", "typology": "card_testing", "note": "Look twice."}}  # fmt: skip
    api.tasks["k_0001"] |= {
        "kind_shown": "training",
        "claimed_by": "analyst-1",
        "status": "done",
        "feedback": told,
    }
    text = seen(opened("analyst-1", "review", task="k_0001"))
    assert "**You said Legitimate; it was fraud.**" in text
    assert "A team lead wrote: Look twice." in text
