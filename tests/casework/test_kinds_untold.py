"""Does the list of tasks, or a verdict on several at once, tell a reviewer of which kind a task is?"""

from datetime import timedelta
from typing import Any

import pytest

from casework.review import bulk, moves
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


def test_what_a_team_lead_put_on_a_desk_is_always_listed(house) -> None:
    house.many_cases(10)
    with house.ledger.writing() as w:
        w.execute("UPDATE tasks SET assignee = 'analyst-1'", [])
    mine = task_list(house.ledger, "analyst-1", house.now, policy=house.policy, key=KEY)
    assert len(mine) == 10


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
