"""Over twelve weeks, is a new champion ever worse than the last, and what do a week of wrong labels or bad people do?

Every promoted model is compared with its predecessor on all payments of the week after, by their truth, customers drawn
whole. It counts as worse only where the difference lies below zero at 0.025 / 12 (Bonferroni over a run's weeks). In
`turned` all verdicts of week 6 are recorded the wrong way round; in `corrupt` two of ten reviewers clear most frauds.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.learning.budget import ASKED
from benchmarks.learning.seeds import Found, column, paired
from benchmarks.learning.weekly import LATE, Loop, Run
from benchmarks.learning.worlds import Story, World

NAME = "twelve"
WEEKS, FIRST_WEEK, WINDOWS, TURNED, AFTER_TURN = 12, 11, 3, 6, 2
MARGIN = 0.02
CLEAN = Loop("nothing amiss", ASKED, steps=True)
FLIPPED = Loop("labels of week 6 turned over", ASKED, turned=TURNED)
BLIND = Loop("labels of week 6 turned over, no gates", ASKED, turned=TURNED, gated=False)
CORRUPT = Loop("2 of 10 reviewers corrupt", ASKED, corrupt=2)
LOOPS = (CLEAN, FLIPPED, CORRUPT, BLIND)
ARMS = {loop.name: loop for loop in LOOPS}
MAIN = tuple(loop.name for loop in LOOPS[:3])


def story(_seed: int) -> Story:
    return LATE


def run(world: World, seed: int, arm: str) -> Found:
    """Runs with a turned week end two weeks after it."""
    weeks = TURNED + AFTER_TURN if ARMS[arm].turned else WEEKS
    return Run(world, seed, FIRST_WEEK + seed % WINDOWS, weeks, ARMS[arm]).go()


def significantly_worse(week: dict[str, Any], comparisons: int) -> bool:
    """Whether a promoted model ranks worse than its predecessor, beyond chance when so many are looked at."""
    if "step" not in week:
        return False
    z = NormalDist()
    error = (week["step_high"] - week["step_low"]) / (2 * z.inv_cdf(0.975))
    return bool(week["step"] + z.inv_cdf(1 - 0.025 / comparisons) * error < 0)


def report(found: dict[str, list[Found]], seeds: Sequence[int]) -> None:
    print(f"\n{len(seeds)} seeds ({seeds[0]} to {seeds[-1]})")
    clean = found[CLEAN.name]
    steps = [week for one in clean for week in one["weekly"] if "step" in week]
    worse = [week for week in steps if significantly_worse(week, WEEKS)]
    below = sum(week["step_high"] < 0 for week in steps)
    over_all = sum(significantly_worse(week, len(steps)) for week in steps)
    print(f"\nNothing amiss: {len(steps)} promotions in {WEEKS * len(seeds)} weeks; mean step "
          f"{np.mean([week['step'] for week in steps]):+.4f}, lowest {min(week['step'] for week in steps):+.4f}; "
          f"{below} below zero at 95 % each, {len(worse)} after Bonferroni over {WEEKS} weeks, "
          f"{over_all} over all promotions")  # fmt: skip
    if FLIPPED.name in found:
        _turned(found[FLIPPED.name])
    if CORRUPT.name in found:
        figures = (column(clean, "average_precision"), column(found[CORRUPT.name], "average_precision"))
        difference = paired(*figures)
        held = "no worse" if difference.low > -MARGIN else "not shown to be no worse"
        print(f"\n2 of 10 corrupt: average precision {np.mean(figures[1]):.4f} against {np.mean(figures[0]):.4f}: "
              f"{difference}; {held} than with none, by a margin of {MARGIN}")  # fmt: skip
    if BLIND.name in found:
        lost = [one["weekly"][TURNED - 1]["average_precision"] for one in found[BLIND.name]]
        kept = [one["weekly"][TURNED - 1]["average_precision"] for one in found[FLIPPED.name]]
        print(f"\nIn the week after, with gates less without: {paired(lost, kept)}")


def _turned(every: Sequence[Found]) -> None:
    weeks = [one["weekly"][TURNED - 1] for one in every]
    refused = sum(not week["promoted"] for week in weeks)
    named = sum("look turned over" in week["sentence"] for week in weeks)
    false = sum(
        "look turned over" in week["sentence"] for one in every for week in one["weekly"][: TURNED - 1]
    )
    others = (TURNED - 1) * len(every)
    print(f"\nLabels of week {TURNED} turned over: refused in {refused} of {len(every)}, the cause named in {named}; "
          f"the same said in {false} of {others} weeks before it")  # fmt: skip
    print(f"  e.g. {weeks[0]['sentence']}")
