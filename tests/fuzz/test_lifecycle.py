"""Do cases and tasks keep their promises whatever is done to them, and in whatever order?"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.lifecycle import Lifecycle


@pytest.mark.parametrize(
    ("days", "steps"), [(4, 25), pytest.param(200, 60, marks=pytest.mark.soak)], ids=["short", "soak"]
)
def test_whatever_is_done_in_whatever_order_no_promise_of_the_queue_is_broken(days: int, steps: int) -> None:
    chosen = settings(
        max_examples=days,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),  # a day made shorter takes minutes
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Lifecycle, settings=chosen)
