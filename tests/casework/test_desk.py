"""Does the memory of open tasks always say what the ledger says, whatever happened in between?"""

import random
from datetime import timedelta

import pytest

from casework.review import moves, reviewers, tasks, verdicts
from casework.review.desk import Desk
from casework.review.reviewers import Reviewer
from data.writer import Writer

KEY = bytes(range(32))
PEOPLE = ("ana", "ben", "cy")
KINDS = ("primary", "second", "audit")


def offers(w: Writer, desk: Desk, house, who: str) -> dict[str, str]:
    desk.catch_up(w)
    place = desk.reviewers.get(who, Reviewer(who))
    return desk.first_of_lanes(place, KINDS, house.policy, house.now)


def do_something(house, w: Writer, luck: random.Random, desk: Desk) -> None:
    who = luck.choice(PEOPLE)
    held = tasks.held_by(w, who, house.now)
    if not held:
        tasks.take_next(w, who, house.policy, KEY, house.now, desk=desk)
    elif luck.random() < 0.6:
        value = luck.choice(verdicts.VALUES)
        verdicts.give(w, held[0].task_id, who, verdicts.VerdictForm(value), house.policy, house.now)
    elif luck.random() < 0.5:
        tasks.release(w, held[0].task_id, who, "not mine", house.now)
    else:
        moves.snooze(w, held[0].task_id, who, house.now + timedelta(minutes=30), "later", house.now)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_memory_that_followed_along_equals_a_fresh_one(house_with, seed: int) -> None:
    house = house_with(second_review=0.5, blind_first=0.5)
    luck, desk = random.Random(seed), Desk()
    for step in range(60):
        if step % 4 == 0:
            house.case(
                amount_minor=luck.randrange(100, 90_000), lane=luck.choice(("uncertain", "money_at_risk"))
            )
        if step % 9 == 0:
            house.audit()
        house.later(minutes=luck.choice((1, 5, 20)))
        try:
            with house.ledger.writing() as w:
                do_something(house, w, luck, desk)
                if luck.random() < 0.2:
                    raise ZeroDivisionError  # the write comes to nothing; the memory has seen it
        except ZeroDivisionError:
            pass
        with house.ledger.writing() as w:
            for who in PEOPLE:
                assert offers(w, desk, house, who) == offers(w, Desk(), house, who), (step, who)


def test_the_most_urgent_comes_before_the_most_expected_money(house) -> None:
    old = house.case(amount_minor=100)
    house.later(hours=80)  # of 96: the last quarter
    house.case(amount_minor=90_000)
    task = house.next("ana")
    assert task is not None
    assert task.case_id == old.case_id


def test_whoever_is_in_no_team_gets_nothing_of_a_teams_queue(house) -> None:
    made = house.case()
    with house.ledger.writing() as w:
        w.execute("UPDATE tasks SET queue = 'cross_border' WHERE case_id = ?", [made.case_id])
    assert house.next("ana") is None
    with house.ledger.writing() as w:
        w.execute("INSERT INTO users VALUES ('ana', 'analyst', '', ?, NULL)", [house.now])
        reviewers.place(w, "ana", teams=["cross_border"], languages=[], held_limit=0, by="lead", at=house.now)
    assert house.next("ana") is not None
