"""Does the Watch page say what changed, where drift is, and let the right people act?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_api import FakeApi, Refused
from page_text import seen
from streamlit.testing.v1 import AppTest

Opened = Callable[..., AppTest]


def part(app: AppTest, name: str) -> AppTest:
    """The page with another part of it chosen, as a link to it would."""
    app.query_params["part"] = name
    app.session_state["part"] = name
    return app.run()


def test_the_week_is_told_in_words_with_what_to_do_and_who(opened: Opened) -> None:
    text = seen(opened("risk-manager-1", "watch"))
    assert "3,572 decisions; what comes in is as before" in text
    assert "Reviewers agree little (alpha 0.01, at most 0.17)" in text
    assert "team lead" in text
    assert "Money at risk" in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("figures", "too young"),
        ("groups", "Each group against all others together"),
        ("explored", "2 would-be declined payments were released on purpose"),
        ("labels", "149 new"),
        ("campaigns", "12 of 60 payments are judged"),
        ("drift", "PSI over the deciles"),
    ],
)
def test_every_part_opens_for_the_auditor(opened: Opened, name: str, says: str) -> None:
    app = part(opened("auditor-1", "watch"), name)
    assert not app.exception, app.exception
    assert not app.error, app.error[0].value
    assert says in seen(app)


def test_every_rate_stands_beside_its_naive_figure(opened: Opened) -> None:
    text = seen(part(opened("risk-manager-1", "watch"), "figures"))
    assert "Fraud, estimated" in text
    assert "Fraud, naive" in text
    assert "Naive figures count whatever happens to be known" in text


def test_wider_reviews_are_ended_by_a_risk_manager_with_a_reason(opened: Opened, api: FakeApi) -> None:
    app = part(opened("risk-manager-1", "watch"), "drift")
    assert "Reviews are widened in segment large" in app.warning[0].value
    app.text_input(key="end_large").input("a sale, it will pass").run()
    app.button(key="end_now_large").click().run()
    assert ("end widening", "large", {"reason": "a sale, it will pass"}) in api.switched


def test_an_auditor_ends_nothing_and_opens_no_campaign(opened: Opened) -> None:
    app = part(opened("auditor-1", "watch"), "drift")
    assert not [button for button in app.button if button.key == "end_now_large"]
    app = part(opened("auditor-1", "watch"), "campaigns")
    assert not [box for box in app.text_input if box.key == "campaign_name"]


def test_a_team_lead_closes_a_campaign_with_a_reason(opened: Opened, api: FakeApi) -> None:
    app = part(opened("team-lead-1", "watch"), "campaigns")
    app.text_input(key="close_campaign_2").input("enough for a first model").run()
    app.button(key="close_now_campaign_2").click().run()
    assert ("close campaign", "campaign_2", {"reason": "enough for a first model"}) in api.switched


def test_a_team_lead_opens_a_campaign_where_none_is_open(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /campaigns"] = {"campaigns": []}
    app = part(opened("team-lead-1", "watch"), "campaigns")
    assert "No labelling campaign was opened yet" in seen(app)
    app.text_input(key="campaign_name").input("a first training set")
    app.selectbox(key="campaign_design").select("stratified")
    app.button(key="campaign_open").click().run()
    form = {"name": "a first training set", "design": "stratified", "wanted": 200, "days": 30}
    assert ("open campaign", "", form) in api.switched


def test_before_the_first_look_each_part_says_what_would_fill_it(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /watch/digests"] = {"digests": []}
    api.answers["GET /watch/drift"] = {"latest": None, "reports": []}
    app = opened("risk-manager-1", "watch")
    assert "No digest was written yet" in seen(app)
    assert "Nobody has looked for drift yet" in seen(part(app, "drift"))


def test_without_a_snapshot_the_page_says_where_one_comes_from(opened: Opened, api: FakeApi) -> None:
    api.fail["GET /labels/changes"] = Refused(
        422, "This input cannot be used", "there is no snapshot yet", "One is taken with every retrain."
    )
    assert "One is taken with every retrain" in seen(part(opened("auditor-1", "watch"), "labels"))


def test_reviewers_have_no_such_page(opened: Opened) -> None:
    with pytest.raises(ValueError, match="registered"):
        opened("analyst-1").switch_page("app_pages/watch.py")


def test_the_summary_shows_estimates_beside_naive_figures(opened: Opened) -> None:
    text = seen(opened("risk-manager-1", "summary"))
    assert "of payments are fraud; " in text  # the finding is the title
    assert "Share of fraud declined or put before a person" in text
    assert "Naive" in text
