"""Does a second review go to whoever has worked least with the first reviewer, and does the desk remember with whom?"""

from __future__ import annotations

import pytest

from casework.review import tasks, verdicts
from casework.review.desk import Desk
from casework.review.review_design import PRIMARY, SECOND
from casework.review.reviewers import Reviewer
from casework.review.rotation import KEPT, Together


def judged_by(house, reviewer: str, case, kind: str) -> None:
    """This person has given the verdict on the case's task of this kind."""
    with house.ledger.writing() as w:
        (task,) = tasks.where(w, "t.case_id = ? AND t.kind = ?", [case.case_id, kind])
        held = tasks.lock(w, task, reviewer, house.policy, house.now)
        verdicts.give(w, held.task_id, reviewer, verdicts.VerdictForm("legitimate"), house.policy, house.now)


@pytest.fixture
def shared(house_with):
    """Cy has judged two payments that ana had judged; five more wait that ana judged, and one that ben did."""
    house = house_with(second_review=1.0)
    made = [house.case() for _ in range(8)]
    for case in made[:2]:
        judged_by(house, "ana", case, PRIMARY)
        judged_by(house, "cy", case, SECOND)
    for case in made[2:7]:
        judged_by(house, "ana", case, PRIMARY)
    judged_by(house, "ben", made[7], PRIMARY)
    return house, made


def second_for(house, desk: Desk, reviewer: str) -> str:
    """The case of the second review that comes first for this person."""
    with house.ledger.writing() as w:
        desk.catch_up(w)
        first = desk.first_of_lanes(Reviewer(reviewer), (SECOND,), house.policy, house.now)
    return tasks.find(house.ledger, first["second"]).case_id


def test_nobody_always_follows_the_same_colleague(shared) -> None:
    house, made = shared
    assert second_for(house, Desk(), "cy") == made[7].case_id


def test_a_desk_that_followed_along_remembers_with_whom_one_worked(shared) -> None:
    house, made = shared
    desk = Desk()
    second_for(house, desk, "cy")
    more = [house.case() for _ in range(2)]
    second_for(house, desk, "cy")
    for case in more:  # three with ben against two with ana: ana is the rarer colleague now
        judged_by(house, "ben", case, PRIMARY)
        judged_by(house, "cy", case, SECOND)
    judged_by(house, "cy", made[7], SECOND)
    last = house.case()
    second_for(house, desk, "cy")
    judged_by(house, "ben", last, PRIMARY)
    of_ana = {case.case_id for case in made[2:7]}
    assert second_for(house, desk, "cy") in of_ana
    assert second_for(house, desk, "cy") == second_for(house, Desk(), "cy")


def test_without_shared_payments_the_keyed_id_decides(shared) -> None:
    house, _ = shared
    waiting = tasks.where(house.ledger, "t.kind = 'second' AND t.status = 'open'", [])
    assert second_for(house, Desk(), "dee") == min(waiting, key=lambda task: task.task_id).case_id


def test_only_the_last_shared_payments_count() -> None:
    together = Together()
    together.note("ana", ["ben"])
    for _ in range(KEPT):
        together.note("cy", ["dee", "cy"])
    assert together.times("ana", ["ben"]) == 0
    assert together.times("dee", ["cy", "ana"]) == KEPT
