"""Do the pages about thresholds, effects and rules say what they should, when full, when empty and when refused?"""

from __future__ import annotations

from collections.abc import Callable

import fake_consequences
import pytest
from fake_api import FakeApi, Refused
from page_text import seen
from streamlit.testing.v1 import AppTest

Opened = Callable[..., AppTest]
PAGES = ("thresholds", "effect", "rule_report")
ROUTES = {"thresholds": "GET /tuner", "effect": "GET /previews", "rule_report": "GET /rules/report"}


@pytest.mark.parametrize("user", ["risk-manager-1", "auditor-1", "admin"])
@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_for_those_who_may_preview(opened: Opened, user: str, page: str) -> None:
    app = opened(user, page)
    assert not app.exception, app.exception
    assert not app.error, app.error[0].value


@pytest.mark.parametrize("page", PAGES)
def test_reviewers_have_none_of_these_pages(opened: Opened, page: str) -> None:
    with pytest.raises(ValueError, match="registered"):
        opened("analyst-1").switch_page(f"app_pages/{page}.py")


@pytest.mark.parametrize("page", PAGES)
def test_a_refusal_is_said_with_what_to_do(opened: Opened, api: FakeApi, page: str) -> None:
    api.fail[ROUTES[page]] = Refused(
        403, "Not allowed", "The role may not read what changes do.", "Ask an admin."
    )
    text = seen(opened("auditor-1", page))
    assert "Your role does not allow this" in text
    assert "Ask an admin" in text


@pytest.mark.parametrize("page", PAGES)
def test_a_period_without_anything_to_count_is_said_with_a_way_out(
    opened: Opened, api: FakeApi, page: str
) -> None:
    detail = "no decision of this period has a probability"
    api.fail[ROUTES[page]] = Refused(422, "This input cannot be used", detail, "Train a model first.")
    app = opened("risk-manager-1", page)
    assert not app.error
    text = seen(app)
    assert "No payment of this period has a probability" in text
    assert "Train a model first" in text


def test_the_tuner_opens_on_the_best_pair_and_shows_every_figure_with_its_interval(opened: Opened) -> None:
    app = opened("risk-manager-1", "thresholds")
    text = seen(app)
    for label in (
        "Approved a day",
        "Cases a day",
        "Analyst minutes a day",
        "Expected loss",
        "Good customers",
    ):
        assert label in text
    assert text.count("95 %:") >= 6
    settings = list(app.dataframe[0].value["Setting"])
    assert settings[:3] == ["Now", "As really decided", "Yours"]
    assert "Best fixed pair within capacity" in settings
    assert "were expected" in text  # whether the probabilities were right
    assert len(app.get("vega_lite_chart")) + len(app.get("arrow_vega_lite_chart")) >= 2


def test_moving_a_slider_asks_for_those_cut_offs(opened: Opened) -> None:
    app = opened("risk-manager-1", "thresholds")
    app.select_slider(key="review_at").set_value(0.1).run()
    row = app.dataframe[0].value.set_index("Setting").loc["Yours"]
    assert row["Review from"] == "10 %"


def test_a_review_cut_off_above_the_decline_cut_off_takes_it_along(opened: Opened) -> None:
    app = opened("risk-manager-1", "thresholds")
    app.select_slider(key="decline_at").set_value(0.2).run()
    app.select_slider(key="review_at").set_value(0.5).run()
    assert app.select_slider(key="decline_at").value == 0.5


def test_splitting_by_an_attribute_shows_now_and_yours_in_each_segment(opened: Opened) -> None:
    app = opened("risk-manager-1", "thresholds")
    app.selectbox(key="tuner_by").set_value("channel").run()
    table = app.dataframe[1].value
    assert list(table["Setting"][:2]) == ["Now", "Yours"]
    assert table["Segment"].nunique() == 2


def test_costs_that_are_set_back_by_hand_differ_from_the_policys_no_more(opened: Opened) -> None:
    app = opened("risk-manager-1", "thresholds")
    for cost, differs in ((2.5, True), (1.0, False)):
        next(box for box in app.number_input if box.label.startswith("A review costs")).set_value(cost)
        next(button for button in app.button if button.label == "Use these").click().run()
        assert ("Costs differ from the policy's." in seen(app)) is differs


def test_a_setting_is_proposed_with_a_reason_and_never_without(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "thresholds")
    propose = next(button for button in app.button if button.label == "Propose this")
    propose.click().run()
    assert "Write a reason" in seen(app)
    app.text_input[-1].input("fewer good customers turned away")
    next(button for button in app.button if button.label == "Propose this").click().run()
    assert "another person looks at it" in seen(app)


def test_an_auditor_looks_at_thresholds_and_proposes_nothing(opened: Opened) -> None:
    app = opened("auditor-1", "thresholds")
    assert not [button for button in app.button if button.label == "Propose this"]


def test_a_policy_no_program_should_edit_is_shown_to_be_pasted(opened: Opened, api: FakeApi) -> None:
    held = fake_consequences.tuner({"review_at": "0.05", "decline_at": "0.5"})
    held["proposal"]["files"] = None
    api.answers["GET /tuner"] = held
    text = seen(opened("risk-manager-1", "thresholds"))
    assert "Paste these lines into policy.yaml" in text
    assert "thresholds:" in text


def test_the_effect_says_in_its_title_how_many_flip_and_shows_estimate_beside_naive(opened: Opened) -> None:
    app = opened("risk-manager-1", "effect")
    text = seen(app)
    assert "payments would have been answered otherwise" in text
    columns = list(app.dataframe[0].value)
    assert columns.index("Estimated fraud") < columns.index("Naive: among known outcomes")
    assert "no fair sample" in text  # why they differ
    assert "after which silence counts" in text


def test_an_effect_that_takes_long_shows_how_far_it_is_and_then_itself(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /previews"] = {"working": "Reading the decisions", "share": 0.4, "seconds": 3.2}
    app = opened("risk-manager-1", "effect")
    assert "Reading the decisions: 3 s so far" in str(app.get("progress")[0].proto)
    assert not app.dataframe
    del api.answers["GET /previews"]
    assert "would have been answered otherwise" in seen(app.run())


def test_flipped_payments_are_paged(opened: Opened) -> None:
    app = opened("risk-manager-1", "effect")
    assert "1 to 3 of" in seen(app)
    app.button(key="older").click().run()
    assert app.button(key="older").disabled


def test_alarms_of_a_change_stand_above_its_figures(opened: Opened, api: FakeApi) -> None:
    held = fake_consequences.effect({})
    held["alarms"] = [{"kind": "cases", "sentence": "Cases a day go from 9.9 to 900.0."}]
    api.answers["GET /previews"] = held
    app = opened("risk-manager-1", "effect")
    assert "900" in app.warning[0].value


def test_a_change_of_nothing_says_where_to_make_one(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /previews"] = fake_consequences.effect({}) | {"changed": [], "flipped": 0, "flips": []}
    assert "Nothing differs from the set that runs" in seen(opened("risk-manager-1", "effect"))


def test_the_rule_report_shows_facts_estimates_and_verdicts_apart(opened: Opened) -> None:
    app = opened("risk-manager-1", "rule_report")
    table = app.dataframe[0].value
    assert {"Estimated fraud", "Naive", "Reviewers", "Only here", "Repeat"} <= set(table)
    assert "No rule hits more or less than its own history" in seen(app)
    assert "beta-binomial" in seen(app)


def test_a_surge_is_a_warning_with_its_figures(opened: Opened, api: FakeApi) -> None:
    told = {"rule": "x", "change": "surge", "sentence": "x hit 90 payments in 7 days, 9.0 expected."}
    api.answers["GET /rules/report"] = fake_consequences.report() | {"alarms": [told]}
    app = opened("risk-manager-1", "rule_report")
    assert "surge" in app.warning[0].value
    assert "9.0 expected" in app.warning[0].value


def test_a_rule_set_review_names_what_could_go_and_proposes_it(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "rule_report", section="review")
    text = seen(app)
    assert "could go" in text
    assert "Redundant" in text
    assert "blocked\\_device stays" in text
    app.text_input[-1].input("covered by another rule")
    next(b for b in app.button if b.label == "Propose to retire them").click().run()
    assert "another person looks at it" in seen(app)


def test_a_sound_rule_set_has_nothing_to_prune(opened: Opened, api: FakeApi) -> None:
    held = fake_consequences.review()
    held["pruning"] = {"retire": [], "kept": [], "files": {}, "effect": None}
    api.answers["GET /rules/review"] = held
    assert "none should go" in seen(opened("auditor-1", "rule_report", section="review"))
