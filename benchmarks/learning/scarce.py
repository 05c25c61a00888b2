"""With fewer reviews than frauds, does asking about more than the highest scores make a better model?

As `budget`, but with 20 reviews a day, where about 80 frauds happen: the highest scores are then nearly all fraud, and
a model that sees nothing else learns what fraud looks like, not what it looks unlike.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.learning import budget
from benchmarks.learning.asking import TOP, Split
from benchmarks.learning.budget import ASKED
from benchmarks.learning.seeds import Found
from benchmarks.learning.worlds import World

NAME = "scarce"
REVIEWS = 20
ARMS = {
    split.name: split
    for split in (
        TOP,
        ASKED,
        Split("95 top, 5 random", audit=0.05),
        Split("85 top, 10 uncertain, 5 random", uncertain=0.10, audit=0.05),
    )
}
MAIN = (TOP.name, ASKED.name)
story = budget.story


def run(world: World, seed: int, arm: str) -> Found:
    start = budget.first_week(seed)
    return budget.eight_weeks(world, seed, start, ARMS[arm], budget.even, reviews=REVIEWS)


def report(found: dict[str, list[Found]], seeds: Sequence[int]) -> None:
    budget.report(found, seeds, REVIEWS)
