"""Is somebody whose answers say little found out, and are honest people left in peace?"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from benchmarks.standings import KINDS, run
from casework.quality.scorecards.deviation import deviation, tally
from casework.quality.scorecards.reviews import Review
from casework.quality.scorecards.runs import chance_of_run, longest_run
from casework.quality.scorecards.signals import LEVEL, SIGNALS, standings

RANDOM = next(iter(KINDS))
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def found():
    """What the benchmark finds in two institutions, looking once, at 300 reviews each (20 seeds: make bench)."""
    return run(RANDOM, SEEDS, (300,))


def test_who_always_dismisses_and_who_tosses_a_coin_are_flagged_within_300_reviews(found) -> None:
    assert found["dismisser"].at[300] == found["dismisser"].people == len(SEEDS)
    assert found["odd"].at[300] == found["odd"].people == len(SEEDS)
    assert {"share", "runs", "seconds"} <= set(found["dismisser"].signals)
    assert {"share", "agrees_on_rest"} <= set(found["odd"].signals)


def test_the_eight_honest_ones_are_left_in_peace(found) -> None:
    assert found["honest"].people == 8 * len(SEEDS)
    assert found["honest"].at[300] <= 1


def test_the_word_of_both_weighs_less_in_labels_than_that_of_the_eight(found) -> None:
    usual = np.mean(found["honest"].weights)
    assert min(found["honest"].weights) > 0.1
    assert np.mean(found["dismisser"].weights) < usual / 10
    assert np.mean(found["odd"].weights) < usual / 2
    assert max(found["odd"].weights) < usual


def honest(who: str, n: int, share: float, rng: np.random.Generator) -> list[Review]:
    said = rng.random(n) < share
    return [
        Review(who, f"{who}-{k}", "confirmed_fraud" if yes else "legitimate", "uncertain", "", 30.0, order=k)
        for k, yes in enumerate(said)
    ]


def test_strict_and_lenient_people_within_the_usual_spread_are_not_flagged() -> None:
    rng = np.random.default_rng(2)
    given = [
        r for n, share in enumerate((0.16, 0.2, 0.22, 0.25, 0.3)) for r in honest(f"p{n}", 300, share, rng)
    ]
    assert not any(standing.flagged for standing in standings(given).values())


def test_without_three_colleagues_nothing_is_said_of_anybody() -> None:
    rng = np.random.default_rng(3)
    given = honest("a", 300, 0.0, rng) + honest("b", 300, 0.5, rng) + honest("c", 300, 0.2, rng)
    assert all(not standing.looked_at and not standing.flagged for standing in standings(given).values())


def test_a_long_run_in_an_otherwise_usual_mix_is_a_signal_of_its_own() -> None:
    rng = np.random.default_rng(4)
    given = [r for n in range(5) for r in honest(f"p{n}", 300, 0.3, rng)]
    lapse = [
        Review("tired", f"t{k}", "legitimate" if 100 <= k < 170 or k % 5 > 1 else "confirmed_fraud", "uncertain", "",
               30.0, order=k)
        for k in range(300)
    ]  # fmt: skip
    flags = {signal.name for signal in standings([*given, *lapse])["tired"].flags}
    assert flags == {"runs"}


def test_few_reviews_are_not_judged_at_all() -> None:
    rng = np.random.default_rng(5)
    given = [r for n in range(5) for r in honest(f"p{n}", 300, 0.3, rng)] + honest("new", 29, 0.0, rng)
    assert "new" not in standings(given)


def test_only_the_latest_reviews_count_so_that_somebody_can_change() -> None:
    rng = np.random.default_rng(6)
    given = [r for n in range(5) for r in honest(f"p{n}", 300, 0.3, rng)]
    changed = honest("p9", 200, 0.0, rng) + honest("p9", 300, 0.3, rng)
    assert not standings([*given, *changed])["p9"].flagged


def test_the_chance_of_a_run_is_that_of_counting_all_sequences() -> None:
    shares = np.array([0.3, 0.6, 0.5, 0.9, 0.2, 0.7])
    for length in range(1, 7):
        counted = 0.0
        for yes in product((False, True), repeat=6):
            text = "".join("1" if each else "0" for each in yes)
            if "1" * length in text:
                counted += float(np.prod(np.where(yes, shares, 1 - shares)))
        assert chance_of_run(shares, length) == pytest.approx(counted)
    assert longest_run([True, True, False, True], [0.5] * 4)[0] == 2


def test_a_share_far_from_the_colleagues_is_unlikely_and_one_among_them_is_not() -> None:
    colleagues = [{"lane": (200, yes)} for yes in (40, 45, 50, 55, 60)]
    far, near = deviation({"lane": (200, 120)}, colleagues), deviation({"lane": (200, 52)}, colleagues)
    assert far is not None and near is not None
    assert far.p_high < LEVEL / len(SIGNALS) < near.p_high
    assert far.p_low == pytest.approx(1.0, abs=0.01)
    assert deviation({"other": (200, 120)}, colleagues) is None
    assert tally([("a", True), ("a", False), ("b", True)]) == {"a": (2, 1), "b": (1, 1)}


def test_two_odd_ones_among_nine_colleagues_hardly_move_the_measure() -> None:
    usual = [{"lane": (200, yes)} for yes in (40, 44, 48, 50, 52, 56, 60)]
    odd = [{"lane": (200, 0)}, {"lane": (200, 110)}]
    alone, among = deviation({"lane": (200, 0)}, usual), deviation({"lane": (200, 0)}, [*usual, *odd])
    assert alone is not None and among is not None
    assert alone.p_low < 1e-4
    assert among.p_low < 1e-3
