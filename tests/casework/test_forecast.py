"""Does the forecast say what a hand calculation says, and nothing when it cannot know?"""

from casework.review.forecast import HORIZON, Past, forecast


def steady(days: int, arrivals: int, reviews: int) -> Past:
    named = tuple(f"2026-03-{day + 1:02d}" for day in range(days))
    return Past(named, (arrivals,) * days, (reviews,) * days)


def test_a_steady_team_clears_its_backlog_on_the_day_arithmetic_says() -> None:
    found = forecast(steady(14, 10, 20), [5.0] * 45, capacity=60, seed=1)
    assert found["clears_in_days"] == {"low": 5, "value": 5, "high": 5}  # 45 waiting, 10 fewer a day
    assert found["will_miss"] == {"low": 0, "value": 0, "high": 0}
    assert found["arrivals_per_day"] == {"value": 10.0, "low": 10.0, "high": 10.0}


def test_what_is_due_before_it_can_be_answered_is_counted_as_missed() -> None:
    # 20 a day: the 20th is answered at day 1.0, the 30th at 1.5; 15 of 30 are due within three quarters of a day.
    found = forecast(steady(14, 0, 20), [0.75] * 30, capacity=60, seed=1)
    assert found["will_miss"] == {"low": 15, "value": 15, "high": 15}


def test_a_team_that_falls_behind_never_clears() -> None:
    found = forecast(steady(10, 30, 20), [2.0] * 5, capacity=60, seed=1)
    assert found["clears_in_days"] == {"low": None, "value": None, "high": None}


def test_days_without_answers_count_and_make_the_range_wide() -> None:
    weekdays = Past(
        tuple(f"2026-03-{d + 1:02d}" for d in range(14)), (10,) * 14, (20, 20, 20, 20, 20, 0, 0) * 2
    )
    found = forecast(weekdays, [3.0] * 60, capacity=60, seed=3)
    clears, missed = found["clears_in_days"], found["will_miss"]
    assert clears["low"] < clears["value"] < clears["high"] <= HORIZON
    assert missed["low"] < missed["high"]
    assert forecast(weekdays, [3.0] * 60, capacity=60, seed=3) == found


def test_nobody_at_work_misses_everything() -> None:
    assert forecast(steady(9, 1, 0), [1.0, 9.0], capacity=60, seed=1)["will_miss"]["value"] == 2


def test_nothing_is_foretold_from_a_few_days_or_said_of_an_empty_queue() -> None:
    found = forecast(steady(6, 10, 20), [1.0], capacity=60, seed=1)
    assert (found["known"], found["clears_in_days"], found["will_miss"]) == (False, None, None)
    assert forecast(steady(8, 1, 2), [], capacity=60, seed=1)["will_miss"]["value"] == 0
