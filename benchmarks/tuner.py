"""How long does a risk manager wait for the threshold tuner on a million decisions?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import tuner_workspace
from engine.policy import Policy, load_policy
from engine.what_if.tuner import History, best, cheapest, setting, settings

DECISIONS, DAYS, REPEATS, POINTS = 1_000_000, 365, 5, 96
POLICY = Path(__file__).parents[1] / "rules" / "policy.yaml"


def history(decisions: int = DECISIONS, *, seed: int = 1) -> History:
    """Made-up decisions: about 0.5 % fraud, probabilities that are right on average, amounts around 50 euros, and a
    rule that asks for a review on one payment in a hundred."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(0.05, 10.0, decisions)
    fraud = np.where(rng.random(decisions) < 0.3, (rng.random(decisions) < probability).astype(np.int8), -1)
    amount = np.rint(rng.lognormal(8.0, 1.2, decisions)).astype(np.int64)
    floor = (rng.random(decisions) < 0.01).astype(np.uint8)
    return History(probability, amount, fraud, rng.integers(0, DAYS, decisions), floor)


def main() -> None:
    past, policy = history(), load_policy(POLICY.read_bytes())
    first = _timed(lambda: (setting(past, 0.05, 0.4, policy), best(past, policy)))
    print(f"{DECISIONS:,} decisions over {DAYS} days, in memory.\n")
    print("| question | seconds | of them computing |\n|---|---|---|")
    print(f"| the first one, with sorting and summing everything once | {first[0]:.3f} | {first[1]:.3f} |")
    dearer = replace(policy, costs=replace(policy.costs, good_declined_minor=5000))
    curve = [(low, max(low, 0.4)) for low in np.geomspace(0.001, 1.0, POINTS).tolist()]
    questions: dict[str, Callable[[], object]] = {
        "both cut-offs moved, with all intervals": lambda: setting(past, 0.05, 0.4, policy),
        "other costs, with the new optimum": lambda: _priced_anew(past, dearer),
        f"a curve of {POINTS} points": lambda: settings(past, curve, policy),
        "cheapest answer at each amount": lambda: cheapest(past, policy),
    }
    for name, ask in questions.items():
        wall, cpu = np.median([_timed(ask) for _ in range(REPEATS)], axis=0)
        print(f"| {name} (median of {REPEATS}) | {wall:.3f} | {cpu:.3f} |")
    tuner_workspace.main()


def _priced_anew(past: History, policy: Policy) -> object:
    found = best(past, policy)
    return found, setting(past, found.review_at, found.decline_at, policy)


def _timed(ask: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's own work: the second holds on a busy machine too."""
    before = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - before[0], time.process_time() - before[1]


if __name__ == "__main__":
    main()
