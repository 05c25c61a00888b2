"""Is a rule that suddenly surges or falls silent found, and is one that merely bursts left alone?"""

from __future__ import annotations

import numpy as np

from engine.rules.hit_rates import Days, HitRate, compared

PAYMENTS = 500


def daily(rng: np.random.Generator, mean: float, spread: float, days: int) -> np.ndarray:
    """Hits a day with this mean, their variance being `spread` times that."""
    if spread == 1:
        return rng.poisson(mean, days)
    return rng.negative_binomial(mean / (spread - 1), 1 / spread, days)


def rule(rng: np.random.Generator, mean: float, spread: float = 1, recent: float | None = None) -> Days:
    after = daily(rng, mean if recent is None else recent, spread, 7) if recent != 0 else np.zeros(7, int)
    return Days(daily(rng, mean, spread, 56), np.full(56, PAYMENTS), after, np.full(7, PAYMENTS))


def test_where_nothing_changed_hardly_any_run_raises_an_alarm_even_in_bursts() -> None:
    rng = np.random.default_rng(1)
    for spread in (1, 3):
        alarmed = 0
        for _ in range(40):
            rules = {str(n): rule(rng, rng.choice([0.05, 0.3, 1, 4]), spread) for n in range(15)}
            alarmed += any(found.change for found in compared(rules).values())
        assert alarmed <= 7  # 5 % of 40 are 2; more than 7 would come by chance once in a thousand


def test_a_surge_and_a_silence_are_found_among_twenty_rules() -> None:
    rng = np.random.default_rng(2)
    rules = {str(n): rule(rng, 2.0) for n in range(18)}
    found = compared(rules | {"busy": rule(rng, 2.0, recent=8.0), "quiet": rule(rng, 3.0, recent=0)})
    assert {name: rate.change for name, rate in found.items() if rate.change} == {
        "busy": "surge",
        "quiet": "silence",
    }
    assert found["quiet"].hits == 0
    assert found["busy"].hits > 2 * found["busy"].expected


def test_the_rate_counts_not_the_number_so_that_a_busy_week_is_no_surge() -> None:
    history = np.full(56, 2)
    twice = Days(history, np.full(56, PAYMENTS), np.full(7, 4), np.full(7, 2 * PAYMENTS))
    assert compared({"x": twice})["x"].change == ""
    same = Days(history, np.full(56, PAYMENTS), np.full(7, 4), np.full(7, PAYMENTS))
    assert compared({"x": same})["x"].change == "surge"


def test_a_rule_that_hits_seldom_says_that_its_silence_could_not_be_told() -> None:
    rng = np.random.default_rng(3)
    found = compared({"seldom": rule(rng, 0.05), "often": rule(rng, 4.0)})
    assert not found["seldom"].silence_shows
    assert found["often"].silence_shows


def test_without_history_there_is_no_alarm() -> None:
    fresh = Days(np.zeros(0, int), np.zeros(0, int), np.full(7, 90), np.full(7, PAYMENTS))
    assert compared({"new": fresh})["new"] == HitRate(630, 0.0, 0, 0, 1.0, 1.0, False)
    assert compared({}) == {}


def test_the_first_hits_ever_after_a_long_silence_are_a_surge() -> None:
    woken = Days(np.zeros(56, int), np.full(56, PAYMENTS), np.full(7, 2), np.full(7, PAYMENTS))
    assert compared({"x": woken})["x"].change == "surge"
