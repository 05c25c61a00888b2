"""Is a task answered only after somebody could have read it, where the policy wants that?"""

from dataclasses import replace

import pytest

from data.errors import ConflictError


def test_an_answer_that_comes_at_once_is_refused_where_the_policy_gives_a_least_time(house) -> None:
    house.policy = replace(house.policy, work=replace(house.policy.work, least_seconds=8))
    house.case()
    task = house.next("analyst-1")
    house.later(seconds=7)
    with pytest.raises(ConflictError, match="from 8 seconds after it was claimed"):
        house.say(task, "legitimate")
    house.later(seconds=1)
    assert house.say(task, "legitimate").seconds == 8


def test_without_one_any_time_will_do(house) -> None:
    house.case()
    assert house.say(house.next("analyst-1"), "legitimate").seconds == 0
