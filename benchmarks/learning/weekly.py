"""How does a weekly loop with noisy reviewers, late chargebacks and the product's gates go on, week after week?

Half of the customers, drawn by seed, with half of the hundred reviews a day. At the start the outcomes of one week are
known, six weeks old; every loop keeps them. Each week a challenger from the labels believed by then. Where gates are
asked, a fifth of the customers is never learned from: challengers are judged on their payments of three matured weeks,
beside the champion (casework.learning.gates). Honest payments of the past are sampled, one in ten, and weigh ten times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.institutions import RULES
from benchmarks.learning.asking import Split, ask, average_precision
from benchmarks.learning.people import (
    CHARGEBACK_DAYS,
    Labels,
    Record,
    Team,
    evidence,
    recall_and_false_positives,
    review,
    single_verdicts,
)
from benchmarks.learning.worlds import Story, World
from casework.learning.gates import gates, label_turns
from casework.review.verdicts import CONFIRMED_FRAUD, INCONCLUSIVE
from engine.draws import draw
from engine.measuring.intervals import Interval, paired_difference, ranking_intervals
from engine.measuring.metrics import Ranking
from engine.model.compare import at_capacity, compare
from engine.model.scoring import Model
from engine.model.train import train
from engine.policy import Policy, load_policy

REVIEWS, START_WEEKS_AGO, SILENT = 50, 6, 10
HELD_OUT, JUDGED_DAYS, RESAMPLES = 0.2, 21, 200
LATE = Story(delay_days=CHARGEBACK_DAYS)


@dataclass(frozen=True)
class Loop:
    """One way to run it. `weighted`: labels as the product makes them, else each first verdict is the truth; `gated`:
    a challenger must pass; `everything`: outcomes and matured silence of payments that nobody reviewed teach too, as in
    the product; `second` and `golden`: share of double reviews, and golden tasks a day, out of the same reviews. All
    verdicts of week `turned` (0: none) are recorded the wrong way round; `steps` compares each champion with the last.
    """

    name: str
    split: Split
    weighted: bool = True
    gated: bool = True
    everything: bool = True
    second: float = 0.25
    golden: int = 2
    corrupt: int = 0
    turned: int = 0
    steps: bool = False


def sampled(world: World, seed: int) -> World:
    """The payments of half of the customers."""
    customers = np.unique(world.customer)
    drawn = np.random.default_rng([seed, 6]).choice(customers, len(customers) // 2, replace=False)
    return world.only(np.isin(world.customer, drawn))


def policy() -> Policy:
    """The demo institution's, with the reviews of these benchmarks."""
    found = load_policy((RULES / "policy.yaml").read_bytes(), "policy.yaml")
    return replace(found, capacity=replace(found.capacity, reviews_per_day=REVIEWS))


class Run:
    """One institution under way. Weeks count from 1."""

    def __init__(self, world: World, seed: int, start: int, weeks: int, loop: Loop) -> None:
        world = sampled(world, seed)
        self.world, self.seed, self.start, self.weeks, self.loop = world, seed, start, weeks, loop
        self.policy, self.rng = policy(), np.random.default_rng([seed, 4])
        first = 7 * (start + loop.turned - 1)
        self.team = Team(seed, loop.corrupt, range(first, first + 7) if loop.turned else range(0))
        old = 7 * (start - START_WEEKS_AGO)
        self.record = Record(self._sample(world.days(old, old + 7)))
        self.held = self._held_out() if loop.gated else np.zeros(len(world.fraud), dtype=bool)
        labels = self._labels(7 * start)
        self.champion, self.learned, self.learned_until = self._train(labels), labels.rows, 0
        self.found: list[dict[str, Any]] = []

    def go(self) -> dict[str, Any]:
        for number in range(1, self.weeks + 1):
            self._ask(number)
            self.found.append(self._retrain(number))
        ap = [week["average_precision"] for week in self.found]
        recall, false = recall_and_false_positives(self.record.cases, self.world)
        return {
            "average_precision": float(np.mean(ap)),
            "last": ap[-1],
            "weekly": self.found,
            "caught": sum(not c.went_through and bool(self.world.fraud[c.row]) for c in self.record.cases),
            "recall": recall,
            "false_positive_rate": false,
        }

    def _sample(self, rows: np.ndarray) -> np.ndarray:
        """All frauds, and of the others one in SILENT."""
        return rows[self.world.fraud[rows] | (self.rng.random(len(rows)) < 1 / SILENT)]

    def _held_out(self) -> np.ndarray:
        """By a keyed draw over customers, as the product holds out."""
        key = f"benchmark {self.seed}".encode()
        customers = np.unique(self.world.customer)
        drawn = [c for c in customers.tolist() if draw(key, "holdout:customer", str(c)) < HELD_OUT]
        return np.isin(self.world.customer, drawn)

    def _ask(self, number: int) -> None:
        """A week of reviews, of the champion's choosing."""
        world, loop, week = self.world, self.loop, self.start + number - 1
        rows = world.week(week)
        margin, probability = self.champion.score_matrix(world.matrix[rows])
        reviews = round((REVIEWS - loop.golden) / (1 + loop.second))
        for day in range(7 * week, 7 * week + 7):
            part = world.days(day, day + 1) - rows[0]
            asked = ask(margin[part], probability[part], loop.split, reviews, self.rng)
            self.record.cases += review(
                asked, int(rows[0] + part[0]), world, probability[part], self.team, day,
                second=loop.second, blind=self.policy.sampling.blind_first, rng=self.rng,
            )  # fmt: skip
            self._golden(day)

    def _golden(self, day: int) -> None:
        """Payments whose truth is long known, every other one fraud, look like any other task."""
        old = self.world.days(day - 70, day - 42)
        fraud = self.world.fraud[old]
        for n in range(self.loop.golden):
            row = int(self.rng.choice(old[fraud] if (day + n) % 2 else old[~fraud]))
            who = int(self.rng.integers(10))
            self.record.golden.append(
                (row, self.team.word(who, f"golden {row} {day}", bool(self.world.fraud[row]), None, day))
            )

    def _labels(self, as_of_day: int) -> Labels:
        if not self.loop.weighted or not self.record.cases:
            found = single_verdicts(self.record, self.world, SILENT)
        else:
            found = evidence(self.record, self.world, self.policy, as_of_day, SILENT)
        return found.only(~self.held[found.rows])

    def _train(self, labels: Labels) -> Model:
        data = self.world.training(labels.rows, labels.fraud, labels.weight)
        return train(data, feature_set=self.world.features, seed=self.seed + 1).model()

    def _retrain(self, number: int) -> dict[str, Any]:
        """A challenger, the gates, and what the week after says of the model now in service."""
        world, as_of = self.world, 7 * (self.start + number)
        if self.loop.everything:
            newest = world.week(self.start - START_WEEKS_AGO + number)
            reviewed = [case.row for case in self.record.cases]
            self.record.start = np.union1d(self.record.start, self._sample(np.setdiff1d(newest, reviewed)))
        before, labels = self.champion, self._labels(as_of)
        challenger, sentence, promoted = self._train(labels), "", True
        if self.loop.gated:
            answers, turned = self._judged(challenger, labels, as_of)
            promoted, sentence = all(g.passed for g in answers), gates.verdict_sentence(answers)
            if turned:  # a person reads the sentence, and declares the verdicts of that week void
                self.record.voided.append(range(as_of - 7, as_of))
        if promoted:
            self.champion, self.learned, self.learned_until = challenger, labels.rows, as_of
        rows = world.week(self.start + number)
        score = self.champion.score_matrix(world.matrix[rows])[0]
        found = {"average_precision": average_precision(world.fraud[rows], score), "promoted": promoted}
        if promoted and self.loop.steps:
            step = self._step(rows, before, score)
            found |= {"step": step.value, "step_low": step.low, "step_high": step.high}
        return found | {"sentence": sentence}

    def _step(self, rows: np.ndarray, before: Model, score: np.ndarray) -> Interval:
        """Average precision of the new champion less its predecessor's, customers drawn whole."""
        y = self.world.fraud[rows].astype(np.int8)
        one = Ranking.of(y, before.score_matrix(self.world.matrix[rows])[0])
        two = Ranking.of(y, score)
        return paired_difference(
            one.average_precision, two.average_precision, np.ones(len(y)), self.seed,
            groups=self.world.customer[rows], resamples=RESAMPLES,
        )  # fmt: skip

    def _judged(self, challenger: Model, labels: Labels, as_of: int) -> tuple[list[gates.Gate], bool]:
        """The product's gates on matured payments of customers that no model learned from."""
        world, matured = self.world, as_of - self.policy.labels.maturity.days
        rows = world.days(matured - JUDGED_DAYS, matured)
        stopped = [case.row for case in self.record.cases if not case.went_through]
        rows = rows[self.held[rows] & ~np.isin(rows, stopped)]
        y, amount = world.fraud[rows].astype(np.int8), world.amount_minor[rows]
        reviews = round(REVIEWS * JUDGED_DAYS * HELD_OUT)
        both = [model.score_matrix(world.matrix[rows]) for model in (self.champion, challenger)]
        one, two = (at_capacity(m, p, amount, self.policy, reviews) for m, p in both)
        how: dict[str, Any] = {"policy": self.policy, "seed": self.seed, "resamples": RESAMPLES}
        found = compare(one, two, y=y, amount_minor=amount, **how)
        turned = self._turned(labels)
        limits = self.policy.retrain
        found_out = gates.Evidence(
            training_labels=len(labels.rows),
            training_frauds=int(labels.fraud.sum()),
            judged_rows=len(y),
            judged_frauds=int(y.sum()),
            difference={
                "average_precision": found.average_precision_difference,
                "expected_cost_saved": found.cost_saved,
            },
            champion_id="champion",
            average_precision=ranking_intervals(y, both[1][0], self.seed, resamples=RESAMPLES)[1],
            base_rate=float(y.mean()),
            turned=turned,
        )
        return gates.judge(found_out, gates.GateLimits(limits.min_new_labels, limits.min_frauds)), bool(
            turned
        )

    def _turned(self, labels: Labels) -> tuple[gates.LabelTurn, ...]:
        """What the champion did not learn from, held against it: verdicts as they were given, as weighing and omitting
        doubtful ones hides half of a swap, and what outcomes said."""
        cases = [
            c for c in self.record.valid() if c.day >= self.learned_until and c.said[0][1] != INCONCLUSIVE
        ]
        told = ~np.isin(labels.rows, self.learned) & np.isin(labels.source, ("outcome", "matured_silence"))
        rows = np.concatenate([np.array([c.row for c in cases], dtype=np.int64), labels.rows[told]])
        said = np.array([c.said[0][1] == CONFIRMED_FRAUD for c in cases], dtype=bool)
        source = np.concatenate([np.full(len(cases), "single_verdict", dtype=object), labels.source[told]])
        margin = self.champion.score_matrix(self.world.matrix[rows])[0]
        fraud = np.concatenate([said, labels.fraud[told]])
        return label_turns.turned(label_turns.Scored(margin, fraud, source, self.world.occurred_us[rows]))
