"""With reviewers who err as real ones do and chargebacks a month late, is the gated, weighted loop worth its trouble?

Against it stands the loop that takes each single verdict for the truth, asks about the highest scores and promotes
every week. Both have the same number of reviews a day; ours spends a fifth of them on second looks and golden tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.learning.asking import TOP
from benchmarks.learning.budget import ASKED
from benchmarks.learning.seeds import Found, column, paired
from benchmarks.learning.weekly import LATE, Loop, Run
from benchmarks.learning.worlds import Story, World

NAME = "noisy"
WEEKS, FIRST_WEEK, WINDOWS = 8, 12, 6
LOOPS = (
    Loop(
        "single verdicts as truth", TOP, weighted=False, gated=False, everything=False, second=0.0, golden=0
    ),
    Loop("gated, weighted, reviewed cases only", ASKED, everything=False),
    Loop("gated, weighted, all outcomes", ASKED),
    Loop("weighted, reviewed cases only, no gates", ASKED, gated=False, everything=False),
    Loop("single verdicts as truth, gated", TOP, weighted=False, everything=False, second=0.0, golden=0),
    Loop("single verdicts as truth, all outcomes", TOP, weighted=False, gated=False, second=0.0, golden=0),
)
ARMS = {loop.name: loop for loop in LOOPS}
MAIN = tuple(loop.name for loop in LOOPS[:3])


def story(_seed: int) -> Story:
    return LATE


def first_week(seed: int) -> int:
    return FIRST_WEEK + seed % WINDOWS


def run(world: World, seed: int, arm: str) -> Found:
    return Run(world, seed, first_week(seed), WEEKS, ARMS[arm]).go()


def report(found: dict[str, list[Found]], seeds: Sequence[int]) -> None:
    base = found[LOOPS[0].name]
    recall, false = (np.mean(column(base, name)) for name in ("recall", "false_positive_rate"))
    print(f"\n{len(seeds)} seeds ({seeds[0]} to {seeds[-1]}), {WEEKS} weeks")
    print(f"Reviewers' recall {recall:.2f}, false positive rate {false:.2f}\n")
    print(
        "| loop | average precision | last week | models promoted | frauds stopped | difference in average precision |"
    )
    print("|---|---|---|---|---|---|")
    for arm, of in found.items():
        ap, last, caught = (column(of, n) for n in ("average_precision", "last", "caught"))
        promoted = np.mean([sum(week["promoted"] for week in one["weekly"]) for one in of])
        against = "" if of is base else str(paired(column(base, "average_precision"), ap))
        figures = (
            f"{np.mean(ap):.4f} | {np.mean(last):.4f} | {promoted:.1f} of {WEEKS} | {np.mean(caught):,.0f}"
        )
        print(f"| {arm} | {figures} | {against} |")
    for arm, of in found.items():
        if of is not base:
            print(f"\nLast week, {arm}: {paired(column(base, 'last'), column(of, 'last'))}")
