"""Do the same eyes never count twice: is a second review, and an adjudication, always somebody else's?"""

from __future__ import annotations

import pytest

from casework.people.signin import add_user
from casework.review import handing_out, moves, verdicts
from data.errors import SecondLookError


def claim(house, task_id: str, reviewer: str, role: str = "analyst"):
    with house.ledger.writing() as w:
        return handing_out.claim(w, task_id, reviewer, house.policy, house.now, role=role)


def hire(house, role: str, *names: str) -> None:
    with house.ledger.writing() as w:
        for each in names:
            add_user(w, each, role, "correct horse", by="admin", at=house.now)


def open_task(house) -> str:
    """The one task that still waits."""
    (found,) = house.ledger.read("SELECT task_id FROM tasks WHERE status = 'open'")
    return found["task_id"]


def handed(house, task_id: str, reviewer: str) -> dict:
    """A team lead puts a task on somebody's desk."""
    with house.ledger.writing() as w:
        return moves.move(
            w, [task_id], queue="", assignee=reviewer, reason="you know these", policy=house.policy, by="lead-9",
            at=house.now,
        )[0]  # fmt: skip


def test_nobody_second_reviews_what_he_or_she_judged_by_whatever_way(house_with) -> None:
    house = house_with(second_review=1.0)
    hire(house, "analyst", "analyst-1", "analyst-2")
    house.case()
    house.judge("analyst-1", "legitimate")
    second = open_task(house)
    assert house.next("analyst-1") is None
    with pytest.raises(SecondLookError):
        claim(house, second, "analyst-1")
    assert not handed(house, second, "analyst-1")["moved"]
    assert house.next("analyst-1") is None
    assert handed(house, second, "analyst-2")["moved"]
    assert house.next("analyst-2").task_id == second


def test_nobody_adjudicates_what_he_or_she_judged_by_whatever_way(house_with) -> None:
    house = house_with(second_review=1.0)
    hire(house, "team_lead", "person-1", "person-2")
    house.case()
    house.judge("person-1", "confirmed_fraud")
    house.judge("person-2", "legitimate")
    disputed = open_task(house)
    for person in ("person-1", "person-2"):
        with pytest.raises(SecondLookError):
            claim(house, disputed, person, role="team_lead")
        assert not handed(house, disputed, person)["moved"]
        assert house.next(person, role="team_lead") is None


def test_a_verdict_on_anothers_task_is_not_taken(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    held = house.next("analyst-1")
    with house.ledger.writing() as w, pytest.raises(SecondLookError):
        form = verdicts.VerdictForm(value="legitimate")
        verdicts.give(w, held.task_id, "analyst-2", form, house.policy, house.now)
    assert not house.ledger.read("SELECT * FROM verdicts")
