"""Does asking people about more than the highest scores make a better model, and what does it cost in frauds caught?

Eight weeks, 100 reviews a day, a new model each week from the reviewed payments alone (their truth is known after the
review). At the start, 700 payments of the week before were drawn evenly and reviewed. Average precision is that of the
model in service, on all payments of the week after each of the eight trainings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.learning.asking import EVENLY, TOP, Asked, Split, ask, average_precision
from benchmarks.learning.seeds import Found, column, paired
from benchmarks.learning.worlds import Story, World
from engine.model.scoring import Model
from engine.model.train import train

NAME = "budget"
REVIEWS, WEEKS, START = 100, 8, 100
FIRST_WEEK, WINDOWS = 8, 10
ASKED = Split("60 top, 35 uncertain, 5 random", uncertain=0.35, audit=0.05)
Weighing = Callable[[np.ndarray], np.ndarray]
CHOSEN = (TOP, ASKED)
OTHERS = (
    EVENLY,
    Split("95 top, 5 random", audit=0.05),
    Split("60 top, 35 uncertain anywhere, 5 random", uncertain=0.35, audit=0.05, low=0.0, high=1.0),
    Split("100 uncertain anywhere", uncertain=1.0, low=0.0, high=1.0),
)
WEIGHTED = "60/35/5, inverse probability up to 3"
CEILING = "every label known"
SAMPLED = 20
ARMS: dict[str, Split] = {split.name: split for split in (*CHOSEN, *OTHERS)} | {
    WEIGHTED: ASKED,
    CEILING: EVENLY,
}
MAIN = (TOP.name, ASKED.name)


def story(_seed: int) -> Story:
    return Story()


@dataclass
class Reviewed:
    """All payments reviewed so far."""

    rows: list[np.ndarray] = field(default_factory=list)
    chance: list[np.ndarray] = field(default_factory=list)

    def add(self, asked: Asked, offset: int = 0) -> None:
        self.rows.append(asked.rows + offset)
        self.chance.append(asked.probability)


def first_week(seed: int) -> int:
    """Ten windows of the half year take turns, so that seeds differ by more than draws."""
    return FIRST_WEEK + seed % WINDOWS


def run(world: World, seed: int, arm: str) -> Found:
    """Average precision after each week's training, and the frauds that reviews caught."""
    if arm == CEILING:
        return every_label(world, seed)
    return eight_weeks(world, seed, first_week(seed), ARMS[arm], _capped if arm == WEIGHTED else even)


def eight_weeks(
    world: World,
    seed: int,
    start: int,
    split: Split,
    weigh: Weighing,
    begin: int = START,
    reviews: int = REVIEWS,
) -> dict[str, Any]:
    """The loop from week `start` of the data on, after a week of `begin` even draws a day; `daily_by_scenario` counts
    the frauds that were caught each day."""
    rng = np.random.default_rng([seed, 1])
    seen = Reviewed()
    for day in range(7 * (start - 1), 7 * start):
        rows = world.days(day, day + 1)
        seen.add(ask(np.zeros(len(rows)), np.zeros(len(rows)), EVENLY, begin, rng), int(rows[0]))
    model = _trained(world, seen, weigh, seed)
    caught: list[list[int]] = []
    found: list[float] = []
    by_scenario: list[list[float]] = []
    for week in range(start, start + WEEKS):
        rows = world.week(week)
        margin, probability = model.score_matrix(world.matrix[rows])
        for day in range(7 * week, 7 * week + 7):
            part = world.days(day, day + 1) - rows[0]
            asked = ask(margin[part], probability[part], split, reviews, rng)
            seen.add(asked, int(rows[0] + part[0]))
            caught.append(of_scenarios(world, seen.rows[-1]))
        model = _trained(world, seen, weigh, seed)
        after = world.week(week + 1)
        score = model.score_matrix(world.matrix[after])[0]
        found.append(average_precision(world.fraud[after], score))
        by_scenario.append([_against_honest(world, after, score, s) for s in (1, 2, 3)])
    return {
        "average_precision": float(np.mean(found)),
        "last": found[-1],
        "weekly": found,
        "weekly_by_scenario": by_scenario,
        "caught": int(np.sum(caught)),
        "daily_by_scenario": caught,
    }


def every_label(world: World, seed: int) -> dict[str, Any]:
    """What no way of asking can do much better: each week's model knows all payments since the week before the start
    (of the honest ones every twentieth, which weighs twenty times)."""
    start, rng, found = first_week(seed), np.random.default_rng([seed, 2]), []
    for week in range(start, start + WEEKS):
        rows = world.days(7 * (start - 1), 7 * week + 7)
        fraud = world.fraud[rows]
        kept = fraud | (rng.random(len(rows)) < 1 / SAMPLED)
        data = world.training(rows[kept], fraud[kept], np.where(fraud[kept], 1.0, SAMPLED))
        model, after = train(data, feature_set=world.features, seed=seed + 1).model(), world.week(week + 1)
        found.append(average_precision(world.fraud[after], model.score_matrix(world.matrix[after])[0]))
    caught = int(world.fraud[world.days(7 * start, 7 * (start + WEEKS))].sum())
    return {"average_precision": float(np.mean(found)), "last": found[-1], "weekly": found, "caught": caught}


def _against_honest(world: World, rows: np.ndarray, score: np.ndarray, scenario: int) -> float:
    """Average precision with the other frauds left out."""
    kept = np.isin(world.scenario[rows], (0, scenario))
    return average_precision(world.fraud[rows][kept], score[kept])


def of_scenarios(world: World, rows: np.ndarray) -> list[int]:
    """How many of these payments are frauds of scenarios 1, 2 and 3."""
    return [int((world.scenario[rows] == s).sum()) for s in (1, 2, 3)]


def _trained(world: World, seen: Reviewed, weigh: Weighing, seed: int) -> Model:
    rows, chance = np.concatenate(seen.rows), np.concatenate(seen.chance)
    rows, first = np.unique(rows, return_index=True)
    data = world.training(rows, world.fraud[rows], weigh(chance[first]))
    return train(data, feature_set=world.features, seed=seed + 1).model()


def even(chance: np.ndarray) -> np.ndarray:
    return np.ones(len(chance))


def _capped(chance: np.ndarray) -> np.ndarray:
    return np.minimum(1.0 / chance, 3.0)


def report(found: dict[str, list[Found]], seeds: Sequence[int], reviews: int = REVIEWS) -> None:
    base = found[TOP.name]
    print(f"\n{len(seeds)} seeds ({seeds[0]} to {seeds[-1]}), {WEEKS} weeks, {reviews} reviews a day\n")
    print(
        "| policy | average precision | last week | frauds caught | of top score's | difference in average precision |"
    )
    print("|---|---|---|---|---|---|")
    for arm, of in found.items():
        ap, last, caught = (column(of, n) for n in ("average_precision", "last", "caught"))
        share = np.sum(caught) / np.sum(column(base, "caught"))
        against = "" if arm == TOP.name else str(paired(column(base, "average_precision"), ap))
        print(
            f"| {arm} | {np.mean(ap):.4f} | {np.mean(last):.4f} | {np.mean(caught):,.0f} | {share:.1%} | {against} |"
        )
    ours = found.get(ASKED.name)
    if ours:
        print(f"\nLast week's model: {paired(column(base, 'last'), column(ours, 'last'))}")
        lowest = min(b["caught"] / a["caught"] for a, b in zip(base, ours, strict=True))
        print(f"Fewest frauds caught in any seed, against top score: {lowest:.1%}")
