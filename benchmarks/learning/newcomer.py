"""How soon is a kind of fraud caught that did not exist before week 4, and how good is the model after it?

One scenario of the Handbook is left out of the past and of the first three weeks; 2,100 payments rather than 700 were
drawn before the start; all else is as in `budget`.
Seeds take the three scenarios and three windows of the half year in turns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.learning.asking import TOP
from benchmarks.learning.budget import ASKED, WEEKS, eight_weeks, even, of_scenarios
from benchmarks.learning.seeds import Found, column, paired
from benchmarks.learning.worlds import Story, World

NAME = "newcomer"
ARMS = {split.name: split for split in (TOP, ASKED)}
MAIN = tuple(ARMS)
APPEARS = 3
"""Weeks of the eight without the scenario."""
BEGIN = 300
"""Payments a day drawn in the week before: with compromised terminals withheld, 700 may hold no fraud at all."""
WINDOWS = (8, 12, 16)
LATEST = 7 * (WEEKS - APPEARS)
SCENARIOS = {1: "amounts above 220", 2: "compromised terminals", 3: "robbed customers"}


def scenario(seed: int) -> int:
    return 1 + seed % 3


def first_week(seed: int) -> int:
    return WINDOWS[seed // 3 % 3]


def story(seed: int) -> Story:
    """Without the scenario until it appears; one week before the start and one after the end are needed."""
    start = first_week(seed)
    return Story(withheld=scenario(seed), until=start + APPEARS, first=start - 1, last=start + WEEKS + 1)


def run(world: World, seed: int, arm: str) -> Found:
    start, which = first_week(seed), scenario(seed) - 1
    found = eight_weeks(world, seed, start, ARMS[arm], even, BEGIN)
    days = range(7 * (start + APPEARS), 7 * (start + WEEKS))
    there = np.array([of_scenarios(world, world.days(day, day + 1))[which] for day in days])
    caught = np.array(found["daily_by_scenario"])[7 * APPEARS :, which]
    return {
        "scenario": scenario(seed),
        "first": days_until_first(there, caught),
        "half": days_until_half(there, caught),
        "share_caught": float(caught.sum() / there.sum()),
        "after": float(np.mean(found["weekly"][APPEARS:])),
        "after_new_only": float(np.mean([week[which] for week in found["weekly_by_scenario"][APPEARS:]])),
        "caught": found["caught"],
    }


def days_until_first(there: np.ndarray, caught: np.ndarray) -> int:
    """Days from the scenario's first payment to the end of the day on which one was confirmed; LATEST for never."""
    hits, began = np.flatnonzero(caught > 0), int(np.flatnonzero(there > 0)[0])
    return int(hits[0]) - began + 1 if len(hits) else LATEST


def days_until_half(there: np.ndarray, caught: np.ndarray) -> int:
    """Days until reviews of seven days together caught half of its frauds of these days; LATEST for never."""
    week = np.ones(7)
    share = np.convolve(caught, week, "valid") / np.maximum(1, np.convolve(there, week, "valid"))
    reached = np.flatnonzero(share >= 0.5)
    return int(reached[0]) + 7 if len(reached) else LATEST


def report(found: dict[str, list[Found]], seeds: Sequence[int]) -> None:
    print(f"\n{len(seeds)} seeds ({seeds[0]} to {seeds[-1]}); withheld until week {APPEARS + 1} of {WEEKS}\n")
    print(
        "| withheld | seeds | policy | days to the first | to half | share caught | AP after it | of it alone |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for number, words in SCENARIOS.items():
        for arm, every in found.items():
            of = [one for one in every if one["scenario"] == number]
            if of:
                f = {name: float(np.mean(column(of, name))) for name in of[0]}
                print(f"| {words} | {len(of)} | {arm} | {f['first']:.1f} | {f['half']:.1f} | {f['share_caught']:.1%} | "
                      f"{f['after']:.4f} | {f['after_new_only']:.4f} |")  # fmt: skip
    print("\nDifferences, ours less top score:")
    for number, words in (SCENARIOS | {0: "all seeds"}).items():
        base, ours = ([one for one in every if number in (0, one["scenario"])] for every in found.values())
        for name in ("first", "half", "after", "after_new_only") if base else ():
            print(f"  {words}, {name}: {paired(column(base, name), column(ours, name))}")
