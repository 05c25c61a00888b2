"""Do people read first what is said of their own work, and does a team lead read it only after that?"""

from __future__ import annotations

import copy
from collections.abc import Callable

import fake_own_work as data
from fake_api import FakeApi, Refused
from page_text import seen
from streamlit.testing.v1 import AppTest

Opened = Callable[..., AppTest]


def test_my_work_says_what_was_done_and_what_there_is_to_learn(opened: Opened) -> None:
    text = seen(opened("analyst-1", "my_work"))
    assert "Answered: 12" in text
    assert "At work: 7 min" in text
    assert "You said ✓ legitimate; it was ✕ fraud" in text
    assert "eight cards on one device" in text
    assert "new phone an hour before" in text
    assert "Score shown: 29 s (26 to 33)" in text


def test_a_scorecard_is_not_opened_by_looking_at_the_page(opened: Opened, api: FakeApi) -> None:
    text = seen(opened("analyst-1", "my_work"))
    assert "A scorecard is waiting for you" in text
    assert "Nobody else has read it" in text
    assert api.done == []


def test_the_analyst_opens_it_reads_figures_with_intervals_and_who_has_looked(
    opened: Opened, api: FakeApi
) -> None:
    app = opened("analyst-1", "my_work")
    app.button(key="open_scorecard").click().run()
    text = seen(app)
    assert api.done[0] == ("open", "scorecard_1", {})
    assert "Of 12 known frauds 9 were found." in text
    assert "9 of 12: 75 % (47 % to 91 %)" in text
    assert "0 of 4, insufficient data" in text
    assert "18 % (95 %: 5.0 % to 40 %)" in text
    assert "team-lead-1 looked on" in text.replace("\\", "")
    assert "Nothing in the latest 240 reviews is unlike colleagues' work" in text


def test_the_analyst_comments(opened: Opened, api: FakeApi) -> None:
    app = opened("analyst-1", "my_work")
    app.button(key="open_scorecard").click().run()
    app.text_area(key="comment_text_scorecard_1").input("the guideline says otherwise")
    next(button for button in app.button if button.label == "Add comment").click().run()
    assert ("comment", "scorecard_1", {"comment": "the guideline says otherwise"}) in api.done
    assert "the guideline says otherwise" in seen(app)


def test_before_any_work_every_part_says_what_would_fill_it(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /me/work"] = data.EMPTY
    text = seen(opened("analyst-1", "my_work"))
    for said in (
        "Nothing answered in the last four weeks",
        "Nothing to learn from yet",
        "No scorecard has been issued yet",
    ):
        assert said in text


def test_a_team_lead_sees_by_name_who_needs_a_talk_and_what_is_not_to_be_read_yet(opened: Opened) -> None:
    text = seen(opened("team-lead-1", "scorecards"))
    assert "needs a talk" in text
    assert "… Not before the reviewer" in text
    assert "Error rates are anchored" in text
    assert "61 %" in text


def test_a_look_at_a_scorecard_is_asked_for_once_and_shows_the_signals_and_the_comment(
    opened: Opened, api: FakeApi
) -> None:
    app = opened("team-lead-1", "scorecards")
    assert api.done == []
    app.button(key="read_scorecard").click().run()
    app.run()
    assert [done for done in api.done if done[0] == "look"] == [("look", "scorecard_1", {})]
    text = seen(app)
    assert "Needs a talk" in text
    assert "I had the night shift" in text


def test_nothing_estimated_yet_is_said(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /scorecards"] = {"scorecards": []}
    api.answers["GET /consensus"] = {"fit": None, "further": []}
    text = seen(opened("team-lead-1", "scorecards"))
    assert "No scorecard has been issued yet" in text
    assert "Nothing has been estimated yet" in text


def test_an_unidentified_fit_says_why_and_shows_no_shares(opened: Opened, api: FakeApi) -> None:
    found = copy.deepcopy(data.CONSENSUS)
    found["fit"] |= {"identified": False, "sentence": "Not identified: 0 items have three reviewers or more."}
    api.answers["GET /consensus"] = found
    text = seen(opened("team-lead-1", "scorecards"))
    assert "Not identified" in text
    assert "as the policy says" in text


def test_who_may_not_read_it_is_told_so(opened: Opened, api: FakeApi) -> None:
    api.fail["GET /me/work"] = Refused(
        403, "Not allowed", "The role auditor may not work on review tasks.", "Ask."
    )
    assert "Your role does not allow this" in seen(opened("analyst-1", "my_work"))
