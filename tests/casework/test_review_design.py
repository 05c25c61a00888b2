"""Are golden cases, re-serves, third reviews and audits drawn as the policy says, and do they settle nothing?"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import review_design as made

from casework.learning.labels.labels import labels
from casework.quality.consistency import overlap
from casework.review import moves, tasks, verdicts
from casework.review.measuring import feedback, fresh, golden
from casework.review.task_pages import task_page
from data.errors import ConflictError, InputError


def test_golden_cases_are_past_payments_whose_outcome_an_adjudicator_agreed_with(house) -> None:
    made.employ(house)
    house.policy = replace(house.policy, sampling=replace(house.policy.sampling, second_review=1.0))
    wrong = made.disputed(house, False)
    made.report(house, wrong)  # the adjudicator said legitimate, a chargeback says fraud
    seqs = made.past(house, frauds=1, honest=1)
    made.draw(house)
    using = golden.in_use(house.ledger)
    assert {case.transaction_seq for case in using} == set(seqs)
    assert {case.transaction_seq: case.is_fraud for case in using} == {
        seq: n < 1 for n, seq in enumerate(seqs)
    }


def test_the_pool_is_enriched_with_fraud_to_the_policys_share(house) -> None:
    made.employ(house)
    made.past(house, frauds=2, honest=2)
    made.design(house, golden={"pool": 2, "fraud_share": 1.0})
    made.draw(house)
    assert Counter(case.is_fraud for case in golden.in_use(house.ledger)) == {True: 2}


def test_nobody_gets_a_golden_case_that_he_or_she_has_judged(house) -> None:
    made.employ(house)
    house.policy = replace(house.policy, sampling=replace(house.policy.sampling, second_review=1.0))
    seq = made.disputed(house, True, by=("analyst-1", "analyst-2"))
    house.later(days=35, hours=1)
    made.draw(house)
    assert [(t.assignee, t.transaction_seq) for t in made.waiting(house, "golden")] == [("analyst-3", seq)]


def test_a_golden_case_is_retired_after_as_many_answers_as_the_policy_says(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    made.design(house, golden={"retire_after": 2})
    made.draw(house)
    for task in made.waiting(house, "golden")[:2]:
        house.say(made.hand_out(house, task), "legitimate")
    assert len(golden.in_use(house.ledger)) == 1
    made.draw(house)
    assert golden.in_use(house.ledger) == []
    assert golden.table(house.ledger)[0]["retired_because"] == "answered 2 times"


def test_a_golden_case_is_retired_when_its_truth_changes(house) -> None:
    made.employ(house)
    [seq] = made.past(house, frauds=0, honest=1)
    made.draw(house)
    made.report(house, seq)
    made.draw(house)
    assert golden.in_use(house.ledger) == []


def test_a_team_lead_nominates_with_a_reason(house) -> None:
    made.employ(house)
    case = house.case()
    with house.ledger.writing() as w:
        with pytest.raises(InputError, match="nominated with a reason"):
            golden.nominate(w, case.transaction_seq, True, " ", "lead-1", house.key, house.now)
        with pytest.raises(ConflictError, match="still at work"):
            golden.nominate(w, case.transaction_seq, True, "he confessed", "lead-1", house.key, house.now)
    house.judge("x-1", "legitimate")
    never = house.decision()
    with house.ledger.writing() as w:
        with pytest.raises(ConflictError, match="nothing to show again"):
            golden.nominate(w, never.transaction.seq, True, "he confessed", "lead-1", house.key, house.now)
        golden.nominate(w, case.transaction_seq, True, "he confessed", "lead-1", house.key, house.now)
    house.later(days=7, hours=1)
    made.draw(house)
    assert {t.assignee for t in made.waiting(house, "golden")} == set(made.PEOPLE)


def test_payments_shown_again_come_beside_other_work_and_never_alone(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    made.draw(house)
    house.policy = replace(house.policy, lanes={**dict.fromkeys(house.policy.lanes, 0.0), "golden": 1.0})
    assert house.next("analyst-1") is None
    house.case()
    assert house.next("analyst-1").kind == "golden"


def test_golden_cases_come_more_often_to_whoever_has_answered_few(house) -> None:
    made.employ(house)
    made.past(house, frauds=2, honest=0)
    made.draw(house)
    house.case()
    made.design(house, golden={"start_with": 1, "start_share": 1.0})
    house.policy = replace(house.policy, lanes={"uncertain": 1e-9, "golden": 1e-12})
    assert house.judge("analyst-1", "legitimate").task_kind == "golden"
    assert house.next("analyst-1").kind == "primary"  # one was to start with


def test_a_golden_verdict_settles_nothing_and_is_no_label(house) -> None:
    made.employ(house)
    [seq] = made.past(house, frauds=0, honest=1)
    made.draw(house)
    before = (labels(house.ledger, house.policy, house.now), house.ledger.read("SELECT * FROM dispositions"))
    task = made.hand_out(house, made.waiting(house, "golden")[0])
    house.say(task, "confirmed_fraud")
    assert labels(house.ledger, house.policy, house.now) == before[0]
    assert house.ledger.read("SELECT * FROM dispositions") == before[1]
    assert not made.waiting(house, "adjudication")
    assert task.assignee not in {rating.reviewer for rating in overlap(house.ledger, random_only=False)}
    assert task.transaction_seq == seq


def test_a_missed_golden_case_is_told_once_the_verdict_can_no_longer_be_taken_back(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=1)
    made.draw(house)
    for task in made.waiting(house, "golden"):
        if task.assignee == "analyst-1":
            house.say(made.hand_out(house, task), "legitimate", confidence="high")

    def told() -> list[dict]:
        return feedback.golden_feedback(house.ledger, "analyst-1", house.policy, house.now)

    assert told() == []
    house.later(minutes=16)
    [missed] = told()
    assert (missed["value"], missed["is_fraud"], missed["typology"]) == ("legitimate", True, "card_testing")
    assert feedback.golden_feedback(house.ledger, "analyst-2", house.policy, house.now) == []
    made.design(house, golden={"feedback": "all"})
    assert len(told()) == 2
    made.design(house, golden={"feedback": "never"})
    assert told() == []


def again(house, who: str = "analyst-1", value: str = "legitimate", *, kept: int = 1) -> list[str]:
    """Work off a few cases, then wait out the wash-out."""
    made.employ(house)
    made.design(house, re_serve={"share": 1.0, "wash_out": timedelta(days=28)})
    ids = []
    for _ in range(kept):
        house.case()
        ids.append(house.judge(who, value).task_id)
    return ids


def test_the_same_person_gets_the_same_payment_again_after_the_wash_out(house) -> None:
    [first] = again(house)
    house.later(days=27)
    made.draw(house)
    assert made.waiting(house, "re_serve") == []
    house.later(days=1, hours=2)
    made.draw(house)
    [task] = made.waiting(house, "re_serve")
    before = tasks.find(house.ledger, first)
    assert (task.assignee, task.transaction_seq, task.arm) == (
        "analyst-1",
        before.transaction_seq,
        before.arm,
    )
    assert task.probability == 1.0
    house.case()
    house.policy = replace(house.policy, lanes={**dict.fromkeys(house.policy.lanes, 0.0), "re_serve": 1.0})
    taken = house.next("analyst-1")
    assert taken.task_id == task.task_id
    house.say(taken, "confirmed_fraud")
    made.draw(house)
    assert made.waiting(house, "re_serve") == []  # once


def test_a_share_of_zero_serves_nothing_again(house) -> None:
    again(house)
    made.design(house, re_serve={"share": 0.0})
    house.later(days=28, hours=1)
    made.draw(house)
    assert made.waiting(house, "re_serve") == []


def test_a_re_serve_that_was_given_back_goes_to_nobody_else(house) -> None:
    again(house)
    house.later(days=28, hours=1)
    made.draw(house)
    task = made.hand_out(house, made.waiting(house, "re_serve")[0])
    with house.ledger.writing() as w:
        tasks.release(w, task.task_id, "analyst-1", "no time", house.now)
    house.policy = replace(house.policy, lanes={**dict.fromkeys(house.policy.lanes, 0.0), "re_serve": 1.0})
    for who in made.PEOPLE:
        house.case()
        assert house.next(who).kind == "primary"
    house.later(days=5)
    from casework.cases import dispositions

    with house.ledger.writing() as w:
        dispositions.sweep(w, house.policy, house.now)
    assert tasks.find(house.ledger, task.task_id).status == "expired"


def test_an_escalated_golden_case_opens_no_adjudication(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    made.draw(house)
    task = made.hand_out(house, made.waiting(house, "golden")[0])
    with house.ledger.writing() as w:
        moves.escalate(w, task.task_id, task.assignee, "too hard", house.policy, house.now)
    assert tasks.find(house.ledger, task.task_id).status == "escalated"
    assert made.waiting(house, "adjudication") == []


def test_tasks_meant_for_one_person_are_not_moved_and_do_not_go_to_others_when_one_is_away(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    made.draw(house)
    task = made.waiting(house, "golden")[0]
    with house.ledger.writing() as w:
        [result] = moves.move(
            w, [task.task_id], queue="", assignee="analyst-2", reason="holiday", policy=house.policy, by="lead-1",
            at=house.now,
        )  # fmt: skip
        moves.go_away(w, task.assignee, house.now + timedelta(days=2), "lead-1", house.now)
    assert result["why"] == "it is meant for one person"
    assert tasks.find(house.ledger, task.task_id).assignee == "-"


def test_a_repeated_payment_looks_as_if_it_had_just_come_in(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    made.draw(house, guideline="g9")
    task = made.hand_out(house, made.waiting(house, "golden")[0])
    page = task_page(house.ledger, task.task_id, task.assignee)
    occurred = datetime.fromisoformat(page["transaction"]["occurred_at"])
    assert timedelta(0) < house.now - occurred < timedelta(hours=12)
    ordinary = house.policy.segment().deadline
    assert ordinary <= task.deadline - occurred <= ordinary + timedelta(minutes=1)
    assert page["guideline"]["version"] == "g9"
    assert house.say(task, "legitimate").guideline_version == "g9"


@pytest.mark.parametrize(
    ("age", "moved"),
    [
        (timedelta(days=35, hours=3), timedelta(days=35)),
        (timedelta(days=36, hours=3), timedelta(days=36)),
        (timedelta(days=35, hours=13), None),
        (timedelta(hours=5), None),
    ],
    ids=["whole weeks", "whole days", "too far from any", "of today"],
)
def test_a_payment_is_moved_by_whole_weeks_or_days_or_not_shown_now(house, age, moved) -> None:
    assert fresh.shift(house.now - age, house.now, timedelta(hours=96)) == moved


def test_third_reviews_are_drawn_among_the_random_second_ones_with_their_probability(house_with) -> None:
    house = house_with(second_review=0.5, third_review=0.4)
    house.many_cases(60)
    rows = house.ledger.read(
        "SELECT transaction_seq, kind, lane, round(probability, 6) AS p FROM tasks ORDER BY transaction_seq"
    )
    by_seq: dict[int, list[tuple]] = {}
    for row in rows:
        by_seq.setdefault(row["transaction_seq"], []).append((row["kind"], row["lane"], row["p"]))
    shapes = Counter(tuple(sorted(found)) for found in by_seq.values())
    one, second, third = ("primary", "uncertain", 1.0), ("second", "second", 0.5), ("second", "second", 0.2)
    assert set(shapes) == {(one,), (one, second), (one, third, second)}
    assert 5 <= shapes[one, third, second] <= 20


def test_three_different_people_review_what_was_drawn_for_three(house_with) -> None:
    house = house_with(second_review=1.0, third_review=1.0)
    house.case()
    seen = [house.next(who) for who in made.PEOPLE]
    assert len({task.task_id for task in seen}) == 3
    for task in seen:
        house.say(task, "legitimate")
    assert house.next("analyst-4") is None
    assert len(overlap(house.ledger)) == 3


def test_the_display_arm_is_a_draw_whose_probability_is_kept(house_with) -> None:
    house = house_with(blind_first=0.25)
    house.many_cases(40)
    house.audit()
    rows = house.ledger.read("SELECT DISTINCT kind, arm, arm_probability AS p FROM tasks")
    assert {(row["kind"], row["arm"], row["p"]) for row in rows} == {
        ("primary", "blind_first", 0.25), ("primary", "score_shown", 0.75), ("audit", "blind_first", 1.0),
    }  # fmt: skip


def test_the_draws_do_not_depend_on_when_or_how_often_one_draws(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=1)
    made.draw(house)
    first = [(t.task_id, t.probability, t.arm) for t in made.waiting(house, "golden")]
    made.draw(house)
    assert [(t.task_id, t.probability, t.arm) for t in made.waiting(house, "golden")] == first
    assert all(0 < probability <= 1 for _, probability, _ in first)


def test_a_verdict_on_a_repeated_payment_can_be_undone_like_any_other(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    made.draw(house)
    task = made.hand_out(house, made.waiting(house, "golden")[0])
    given = house.say(task, "legitimate")
    with house.ledger.writing() as w:
        back = verdicts.undo(w, given.verdict_id, task.assignee, house.policy, house.now)
    assert back.task_id == task.task_id


def test_what_was_moved_can_be_moved_back(house) -> None:
    by = timedelta(days=35)
    told = {
        "decided_at": "2026-03-02T09:00:00.000000Z",
        "history": [{"occurred_at": house.now, "n": 1}],
        "text": "T",
    }
    there = fresh.moved(told, by)
    assert there["history"][0]["occurred_at"] == house.now + by
    assert there["decided_at"].startswith("2026-04-06T09:00:00")
    back = fresh.moved(there, -by)
    assert datetime.fromisoformat(back["decided_at"]) == datetime.fromisoformat(told["decided_at"])
    assert back["history"] == told["history"]


def test_a_payment_that_is_golden_again_starts_without_the_answers_from_before(house) -> None:
    made.employ(house)
    made.golden_twice(house)
    told = {row["is_fraud"]: (row["answers"], row["right"]) for row in golden.table(house.ledger)}
    assert told == {True: (1, 1), False: (0, 0)}
