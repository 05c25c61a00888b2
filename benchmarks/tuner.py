"""How long does a risk manager wait for the threshold tuner on a million decisions?"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.policy import load_policy
from engine.tuner import History, best, cheapest, setting

DECISIONS, DAYS, REPEATS = 1_000_000, 365, 5
POLICY = Path(__file__).parents[1] / "rules" / "policy.yaml"


def history(decisions: int = DECISIONS, *, seed: int = 1) -> History:
    """Made-up decisions: about 0.5 % fraud, probabilities that are right on average, amounts around 50 euros."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(0.05, 10.0, decisions)
    fraud = np.where(rng.random(decisions) < 0.3, (rng.random(decisions) < probability).astype(np.int8), -1)
    amount = np.rint(rng.lognormal(8.0, 1.2, decisions)).astype(np.int64)
    return History(probability, amount, fraud, rng.integers(0, DAYS, decisions))


def main() -> None:
    past, policy = history(), load_policy(POLICY.read_bytes())
    before = time.perf_counter()
    _ = past.days
    print(
        f"{DECISIONS:,} decisions over {DAYS} days; days grouped once in {time.perf_counter() - before:.2f} s"
    )
    print("| question | seconds (median of 5) |\n|---|---|")
    questions: dict[str, Callable[[], object]] = {
        "both cut-offs moved": lambda: setting(past, 0.05, 0.4, policy),
        "cheapest answer at each amount": lambda: cheapest(past, policy),
        "optimum, with and without capacity": lambda: best(past, policy),
    }
    total = 0.0
    for name, ask in questions.items():
        seconds = float(np.median([_timed(ask) for _ in range(REPEATS)]))
        total += seconds
        print(f"| {name} | {seconds:.3f} |")
    print(f"| all of them, as one page asks | {total:.3f} |")


def _timed(ask: Callable[[], object]) -> float:
    before = time.perf_counter()
    ask()
    return time.perf_counter() - before


if __name__ == "__main__":
    main()
