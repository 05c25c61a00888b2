"""Does the gate call two equal models equal, although reviewers judged with the champion's score on their screen?

    python -m benchmarks.gate_equal [--seeds 40]

Two models see the same truth through noise of the same size. Reviewers lean towards the champion's score where it is
shown; some verdicts are blind, some payments have an outcome. The gate judges on outcomes, golden and blind-first
verdicts; beside it stands what it would say if it believed every verdict.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.institutions import RULES
from casework.learning.gates import gates
from casework.learning.gates.gates import Evidence, GateLimits
from casework.learning.retraining.tables import JUDGED_SOURCES
from engine.model.compare import Comparison, at_capacity, compare
from engine.policy import Policy, load_policy

ROWS, REVIEWED, BLIND, TOLD = 12_000, 1_500, 0.30, 0.35
LEANING = 0.8
"""How much of the champion's margin reviewers take over where they see it, beside what they see themselves."""
LIMITS = GateLimits(min_labels=100, min_frauds=20)


@dataclass(frozen=True)
class Week:
    """Payments with two models' margins, the label each has, where it comes from, and its amount (minor units)."""

    champion: np.ndarray
    challenger: np.ndarray
    label: np.ndarray
    source: np.ndarray
    amount_minor: np.ndarray


def week(seed: int) -> Week:
    """Equal models, and labels of which some were given with the champion's score in view."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-4.5, 2.0, ROWS)
    fraud = rng.random(ROWS) < _logistic(truth)
    champion, challenger = (truth + rng.normal(0.0, 1.2, ROWS) for _ in range(2))
    label, source = fraud.copy(), np.full(ROWS, "", dtype=object)
    source[rng.random(ROWS) < TOLD] = "outcome"
    # Both models send payments to people: those either finds most suspicious, so that neither is favoured by who asks.
    order = np.argsort(-np.maximum(champion, challenger), kind="stable")
    asked = order[source[order] == ""][:REVIEWED]
    blind = rng.random(REVIEWED) < BLIND
    own = truth[asked] + rng.normal(0.0, 2.0, REVIEWED)
    seen = np.where(blind, own, own + LEANING * (champion[asked] - truth[asked]) * 2)
    label[asked] = rng.random(REVIEWED) < _logistic(seen)
    source[asked] = np.where(blind, "blind_first", "single_verdict")
    return Week(champion, challenger, label, source, rng.integers(500, 60_000, ROWS).astype(float))


def judged(
    seen: Week, sources: Sequence[str], policy: Policy, seed: int
) -> tuple[Comparison, list[gates.Gate]]:
    """The comparison on labels from these sources, and the gates' answers to it."""
    rows = np.isin(seen.source, list(sources))
    amount, y = seen.amount_minor[rows], seen.label[rows].astype(int)
    one, two = (
        at_capacity(margin[rows], _logistic(margin[rows]), amount, policy, round(0.05 * rows.sum()))
        for margin in (seen.champion, seen.challenger)
    )
    found = compare(one, two, y=y, amount_minor=amount, policy=policy, seed=seed, resamples=400)
    evidence = Evidence(
        training_labels=10_000,
        training_frauds=200,
        judged_rows=len(y),
        judged_frauds=int(y.sum()),
        difference={
            "average_precision": found.average_precision_difference,
            "expected_cost_saved": found.cost_saved,
        },
        champion_id="m_champion",
    )
    return found, gates.judge(evidence, LIMITS)


def calls_equal(found: Comparison) -> bool:
    """Whether neither model is clearly the better one in average precision."""
    return found.average_precision_difference.low <= 0.0 <= found.average_precision_difference.high


def table(seeds: Sequence[int]) -> dict[str, tuple[int, float, float, int]]:
    """For each way to judge: how often the two are called equal, the mean difference in average precision, its standard
    error over seeds, and how often the challenger was called clearly worse."""
    policy = load_policy((RULES / "policy.yaml").read_bytes(), "policy.yaml")
    ways = {
        "outcomes and blind-first verdicts (the gate)": JUDGED_SOURCES,
        "every verdict": (*JUDGED_SOURCES, "single_verdict"),
    }
    rows = {}
    for name, sources in ways.items():
        found = [judged(week(seed), sources, policy, seed)[0] for seed in seeds]
        gap = np.array([each.average_precision_difference.value for each in found])
        worse = sum(each.average_precision_difference.high < 0 for each in found)
        error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
        rows[name] = (sum(map(calls_equal, found)), float(gap.mean()), error, worse)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=40)
    given = parser.parse_args()
    print(f"two equal models, {given.seeds} seeds; challenger minus champion\n")
    print(
        "| judged on | called equal | average precision, mean [95 %] | challenger called worse |\n|---|---|---|---|"
    )
    for name, (equal, gap, error, worse) in table(range(1, given.seeds + 1)).items():
        low, high = gap - 1.96 * error, gap + 1.96 * error
        print(f"| {name} | {equal} of {given.seeds} | {gap:+.4f} [{low:+.4f}, {high:+.4f}] | {worse} |")
    return 0


def _logistic(margin: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-margin))


if __name__ == "__main__":
    sys.exit(main())
