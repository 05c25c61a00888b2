"""Do the times of the demo's stages add up?"""

from __future__ import annotations

import pytest

from casework.demo.stages import Stages


def test_a_stage_within_another_takes_its_time_away_from_it() -> None:
    stages = Stages()
    with stages("outer"):
        with stages("inner"):
            _work()
        with stages("inner"):
            _work()
    rows = {row["stage"]: row for row in stages.to_json()}
    assert list(rows) == ["outer", "inner"]
    assert rows["inner"]["times"] == 2
    assert rows["inner"]["seconds"] > rows["outer"]["seconds"]


def test_a_stage_that_fails_is_closed() -> None:
    stages = Stages()
    with pytest.raises(ZeroDivisionError), stages("one"):
        _ = 1 / 0
    with stages("two"):
        _work()
    one, two = stages.to_json()
    assert one["seconds"] < two["seconds"]


def _work() -> None:
    sum(n * n for n in range(300_000))
