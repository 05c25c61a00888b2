"""Does each part of the consistency page say what it found, to those whom it is for, and load only when opened?"""

import pytest
from conftest import Opened
from page_text import seen


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("slices", ("2026-W10", "do not compare it between rows")),
        ("trend", ("though nobody changed", "Does a person say the same twice?", "fixed mix", "45 payments")),
        ("display", ("How often verdicts follow the model", "What the display changes", "points", "Gave in")),
        ("disputes", ("Disputes gather where", "amount of this payment", "guideline")),
        ("pace", ("verdicts in", "11 to 25", "a fifth longer")),
    ],
)
def test_each_part_tells_its_finding(opened: Opened, part: str, said: tuple[str, ...]) -> None:
    text = seen(opened("team-lead-1", "consistency", part=part))
    for words in said:
        assert words in text, words
    assert "Raw agreement: 76 %" not in text


def test_a_slice_without_overlap_says_what_would_fill_it(opened: Opened) -> None:
    text = seen(opened("team-lead-1", "consistency", part="slices", by="guideline"))
    assert "No payment with a known guideline version has been judged by two people yet" in text


def test_against_the_model_there_is_a_two_by_two_table(opened: Opened) -> None:
    text = seen(opened("team-lead-1", "consistency", part="disputes", against="model"))
    assert "Person right when they differ" in text


def test_an_analyst_sees_the_own_pace_and_who_looked(opened: Opened) -> None:
    text = seen(opened("analyst-1", "consistency", part="people"))
    assert "Your pace" in text
    assert "95 minutes without a pause" in text
    assert "Who has looked at your figures" in text
    assert "team-lead-1" in text


def test_examples_of_disputes_are_no_part_of_an_analysts_page(opened: Opened) -> None:
    assert "Where people differ" not in seen(opened("analyst-1", "consistency"))
    assert "Disputes gather" not in seen(opened("analyst-1", "consistency", part="disputes"))
    assert "Where people differ" not in seen(opened("auditor-1", "consistency"))


def test_a_team_lead_names_a_person_before_anything_is_read_or_recorded(opened: Opened) -> None:
    app = opened("team-lead-1", "consistency", part="people")
    assert "That you look is recorded" in seen(app)
    assert "analyst-1 and analyst-2" not in seen(app)
    app.text_input(key="look_at").input("analyst-2").run()
    app.button(key="look").click().run()
    assert "Pace of analyst" in seen(app)
    app.text_input(key="look_at").input("nobody").run()
    app.button(key="look").click().run()
    assert "there are no figures of such a person for you" in seen(app)


def test_a_pilot_shows_the_change_the_guideline_and_each_pairs_matrix(opened: Opened) -> None:
    app = opened("team-lead-1", "consistency", part="pilots")
    assert "New devices, again" in seen(app)
    assert "Alpha rose" not in seen(app)  # it names people: read only when chosen
    app.selectbox(key="pilot").select("pilot_2").run()
    text = seen(app)
    assert "Alpha rose by 0.21" in text
    assert "+Call the customer." in text
    assert "analyst-1 (rows) and analyst-2 (columns), 40 cases" in text.replace("\\", "")


def test_a_team_lead_opens_a_pilot_from_the_page(opened: Opened) -> None:
    app = opened("team-lead-1", "consistency", part="pilots")
    app.text_input[0].input("Foreign shops")
    next(button for button in app.button if button.label == "Open").click().run()
    assert "Foreign shops" in seen(app)


def test_pilots_are_no_part_of_an_analysts_page(opened: Opened) -> None:
    assert "Open a pilot" not in seen(opened("analyst-1", "consistency", part="pilots"))
