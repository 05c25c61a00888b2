"""Does the list of tasks, or a verdict on several at once, tell a reviewer of which kind a task is?"""

from datetime import timedelta
from typing import Any

import pytest

from casework.people.signin import add_user
from casework.review import bulk, moves, tasks
from casework.review.desk import Desk
from casework.review.task_pages import queue_summary, task_list
from casework.review.verdicts import VerdictForm
from tests.casework.conftest import KEY


def answered(house: Any, task_id: str, reviewer: str) -> tuple[bool, str]:
    form = VerdictForm(value="legitimate")
    told = bulk.apply(house.ledger, [task_id], reviewer, "analyst", form, house.policy, house.now, Desk())[0]
    return bool(told["verdict_id"]), told["why"].replace(task_id, "this task")


def test_several_at_once_refuse_a_task_to_be_read_first_whatever_its_kind(house_with) -> None:
    house = house_with(second_review=1.0, blind_first=1.0)
    house.case()
    house.audit()
    held = [house.next(f"analyst-{i}") for i in range(4)]
    assert sorted(task.kind for task in held) == ["audit", "primary", "second", "second"]
    told = {answered(house, task.task_id, task.claimed_by) for task in held}
    assert [given for given, _ in told] == [False]
    assert "read first" in told.pop()[1]


@pytest.mark.parametrize("kind", ["primary", "second"])
def test_what_is_refused_stays_where_it_was_and_nobody_elses_task_is_told_of(house_with, kind: str) -> None:
    house = house_with(second_review=1.0, blind_first=1.0)
    house.case()
    wanted = house.ledger.read("SELECT task_id FROM tasks WHERE kind = ?", [kind])[0]["task_id"]
    given, why = answered(house, wanted, "analyst-1")
    assert (given, "there is no such task" in why) == (False, kind == "second")
    assert house.ledger.read("SELECT DISTINCT status FROM tasks") == [{"status": "open"}]


def test_a_keyed_half_of_the_tasks_to_choose_from_is_handed_out_only(house) -> None:
    house.many_cases(60)
    listed = [task["task_id"] for task in task_list(house.ledger, "analyst-1", house.now, key=KEY)]
    assert 20 < len(listed) < 40
    others = task_list(house.ledger, "analyst-2", house.now, key=KEY)
    assert sorted(task["task_id"] for task in others) == sorted(listed)  # two lists together tell no more
    assert len(task_list(house.ledger, "lead-1", house.now, role="team_lead", key=KEY)) == 60


@pytest.mark.parametrize("kind", ["primary", "second", "audit"])
def test_what_a_team_lead_put_on_a_desk_is_told_and_comes_first_whatever_its_kind(
    house_with, kind: str
) -> None:
    house = house_with(second_review=1.0)
    house.many_cases(6)
    for _ in range(2):
        house.audit()
    open_ones = house.ledger.read("SELECT task_id FROM tasks WHERE kind = ? ORDER BY task_id DESC", [kind])
    task_id = open_ones[0]["task_id"]
    with house.ledger.writing() as w:
        add_user(w, "analyst-1", "analyst", "correct horse", by="admin", at=house.now)
        moved = moves.move(
            w, [task_id], queue="", assignee="analyst-1", reason="she knows them", policy=house.policy, by="lead-1",
            at=house.now,
        )  # fmt: skip
    assert moved[0]["moved"], moved
    for _ in range(2):  # and again when the lock has run out
        told = queue_summary(house.ledger, "analyst-1", house.now)["set_aside"]
        assert [brief["task_id"] for brief in told] == [task_id]
        listed = task_list(house.ledger, "analyst-1", house.now, policy=house.policy)
        assert task_id not in [brief["task_id"] for brief in listed]
        assert house.next("analyst-1").task_id == task_id
        with house.ledger.writing() as w:
            tasks.expire_locks(w, house.later(minutes=house.policy.task.lock_minutes))


def test_what_goes_back_to_anybody_waits_for_nobodys_moment(house) -> None:
    house.case()
    held = house.next("analyst-1")
    with house.ledger.writing() as w:
        moves.snooze(w, held.task_id, "analyst-1", house.now + timedelta(hours=1), "later", house.now)
        moves.move(
            w, [held.task_id], queue="", assignee="", reason="she is ill", policy=house.policy, by="lead-1",
            at=house.now,
        )  # fmt: skip
    assert house.next("analyst-2").task_id == held.task_id


def test_a_task_set_aside_is_in_the_same_place_whatever_its_kind_also_when_its_moment_has_come(
    house_with,
) -> None:
    house = house_with(second_review=1.0)
    house.case()
    for reviewer in ("analyst-1", "analyst-2"):
        held = house.next(reviewer)
        with house.ledger.writing() as w:
            moves.snooze(w, held.task_id, reviewer, house.now + timedelta(minutes=5), "later", house.now)
    house.later(minutes=10)
    for reviewer in ("analyst-1", "analyst-2"):
        assert task_list(house.ledger, reviewer, house.now, policy=house.policy) == []
        assert len(queue_summary(house.ledger, reviewer, house.now)["set_aside"]) == 1


def test_a_task_set_aside_comes_back_first_whatever_its_kind(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    held = {}
    for reviewer in ("analyst-1", "analyst-2"):
        held[reviewer] = house.next(reviewer)
        with house.ledger.writing() as w:
            until = house.now + timedelta(minutes=5)
            moves.snooze(w, held[reviewer].task_id, reviewer, until, "later", house.now)
    assert {task.kind for task in held.values()} == {"primary", "second"}
    house.many_cases(6)
    house.later(minutes=10)
    assert {who: house.next(who).task_id for who in held} == {who: task.task_id for who, task in held.items()}
