"""Does a newcomer learn on past cases only, with feedback at once, until a team lead may sign?"""

import pytest
import review_design as made

from casework.learning.labels.labels import labels
from casework.quality.consistency import overlap
from casework.review import handing_out, tasks, verdicts
from casework.review.measuring import newcomers
from casework.review.task_pages import queue_summary, task_list, task_page
from data.errors import ConflictError, InputError, NotFoundError


def begin(house, who: str = "analyst-3") -> None:
    with house.ledger.writing() as w:
        newcomers.begin(w, who, "first week", "lead-1", house.now)
    made.draw(house)


@pytest.fixture
def school(house):
    """analyst-3 in training, with two past frauds and two honest payments to learn from, and a fresh case."""
    made.employ(house)
    made.design(house, golden={"pool": 0}, training={"tasks": 4, "recall": 0.5, "false_positive_rate": 0.5})
    house.truth = {seq: n < 2 for n, seq in enumerate(made.past(house, frauds=2, honest=2))}
    house.case()
    begin(house)
    return house


def work(house, *, well: bool = True) -> list[verdicts.Verdict]:
    given = []
    while task := house.next("analyst-3"):
        house.later(seconds=20)
        fraud = house.truth[task.transaction_seq]
        given.append(house.say(task, "confirmed_fraud" if fraud is well else "legitimate"))
    return given


def progress(house) -> newcomers.Progress:
    return newcomers.progress(house.ledger, "analyst-3", house.policy)


def test_a_newcomer_gets_past_cases_and_nothing_else(school) -> None:
    given = work(school)
    assert {verdict.task_kind for verdict in given} == {"training"}
    assert {verdict.transaction_seq for verdict in given} == set(school.truth)
    fresh = school.ledger.read("SELECT task_id FROM tasks WHERE kind = 'primary' AND status = 'open'")[0]
    assert task_list(school.ledger, "analyst-3", school.now, policy=school.policy) == []
    with school.ledger.writing() as w, pytest.raises(NotFoundError):
        handing_out.claim(w, fresh["task_id"], "analyst-3", school.policy, school.now)
    assert school.next("analyst-1").task_id == fresh["task_id"]


def test_the_queue_of_a_newcomer_counts_the_cases_to_learn_from(school) -> None:
    summary = queue_summary(school.ledger, "analyst-3", school.now)
    assert (summary["in_training"], summary["open_total"], summary["set_aside"]) == (True, 4, [])
    assert queue_summary(school.ledger, "analyst-1", school.now)["open_total"] == 1


def test_feedback_comes_with_the_answer_and_ends_the_time_for_undo(school) -> None:
    task = school.next("analyst-3")
    before = task_page(school.ledger, task.task_id, "analyst-3")
    assert (before["kind_shown"], before["feedback"]) == ("training", None)
    given = school.say(task, "confirmed_fraud")
    told = task_page(school.ledger, task.task_id, "analyst-3")["feedback"]
    truth = school.truth[task.transaction_seq]
    assert (told["said"], told["is_fraud"], told["right"]) == ("confirmed_fraud", truth, truth)
    assert told["adjudicated"]["value"] == ("confirmed_fraud" if truth else "legitimate")
    with school.ledger.writing() as w, pytest.raises(ConflictError, match="what is right was shown"):
        verdicts.undo(w, given.verdict_id, "analyst-3", school.policy, school.now)


def test_verdicts_of_a_newcomer_are_no_labels_and_enter_no_agreement(school) -> None:
    before = labels(school.ledger, school.policy, school.now)
    work(school, well=False)
    assert labels(school.ledger, school.policy, school.now) == before
    assert "analyst-3" not in {rating.reviewer for rating in overlap(school.ledger, random_only=False)}


def test_a_team_lead_signs_once_the_rule_of_the_policy_is_met(school) -> None:
    assert progress(school).lacking == "4 more past cases"
    with school.ledger.writing() as w, pytest.raises(ConflictError, match="not met yet"):
        newcomers.qualify(w, "analyst-3", "looks good", school.policy, "lead-1", school.now)
    work(school)
    found = progress(school)
    assert (found.done, found.recall["value"], found.false_positive_rate["value"], found.lacking) == (
        4,
        1.0,
        0.0,
        "",
    )
    with school.ledger.writing() as w:
        newcomers.qualify(w, "analyst-3", "looks good", school.policy, "lead-1", school.now)
    assert school.next("analyst-3").kind == "primary"
    assert {"training.begun", "training.signed"} <= set(school.kinds())


def test_too_many_errors_keep_somebody_in_training(school) -> None:
    work(school, well=False)
    assert progress(school).lacking == "a recall of 50%; it is 0%"


def test_whoever_begins_training_gives_back_what_he_or_she_holds(house) -> None:
    made.employ(house)
    house.case()
    held = house.next("analyst-3")
    begin(house)
    assert tasks.find(house.ledger, held.task_id).status == "open"
    assert house.next("analyst-1").task_id == held.task_id


def test_only_analysts_are_put_in_training_and_with_a_reason(house) -> None:
    made.employ(house)
    with house.ledger.writing() as w:
        with pytest.raises(InputError, match="no such analyst"):
            newcomers.begin(w, "lead-1", "first week", "lead-1", house.now)
        with pytest.raises(InputError, match="needs a reason"):
            newcomers.begin(w, "analyst-1", " ", "lead-1", house.now)
    begin(house)
    with house.ledger.writing() as w, pytest.raises(ConflictError, match="already"):
        newcomers.begin(w, "analyst-3", "again", "lead-1", house.now)


def test_that_a_team_lead_read_the_progress_of_newcomers_is_recorded(school) -> None:
    found = newcomers.everybody(school.ledger, school.policy, "lead-1", school.now)
    assert [row["user_id"] for row in found] == ["analyst-3"]
    assert "figures.read" in school.kinds()


def test_a_case_to_learn_from_is_never_a_golden_one(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=1)
    begin(house)
    assert {task.transaction_seq for task in made.waiting(house, "training")}.isdisjoint(
        {task.transaction_seq for task in made.waiting(house, "golden")}
    )
    assert made.waiting(house, "golden")
