"""Do simulated analysts agree, find and err as much as real ones, all at once, and what do the other kinds do?

Three analysts of one kind judge the same cases, 15 % of them fraud, with a calibrated, mediocre score on the screen; an
inconclusive answer counts as "not approved", as in the published data.
Run: python -m benchmarks.analysts [CASES] [SEEDS]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from casework.quality.agreement.coefficients import raw
from casework.quality.agreement.pairs import cohen_kappa
from data.simulator.analysts import PROFILES, SimulatedAnalyst

FRAUD = 0.15
PEOPLE = ("analyst-1", "analyst-2", "analyst-3")
REAL = {"raw": (0.71, 0.79), "kappa": (0.12, 0.24), "recall": (0.29, 0.51)}
"""What real analysts of one study showed: raw agreement, Cohen's kappa by pair, recall by analyst."""


def cases(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and a calibrated score of mediocre power (AUC about 0.75)."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < FRAUD
    sign = rng.normal(0, 1, n) + 0.95 * fraud
    odds = np.log(FRAUD / (1 - FRAUD)) + 0.95 * sign - 0.95**2 / 2
    return fraud, 1 / (1 + np.exp(-odds))


def said(profile: str, n: int, seed: int, *, shown: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and 1 for "not approved" by case and analyst."""
    fraud, score = cases(n, seed)
    people = [SimulatedAnalyst.named(who, profile, seed) for who in PEOPLE]
    rows = [
        [
            person.judge(f"case-{i}", fraud=bool(fraud[i]), cue=float(score[i]) if shown else None).value
            != "legitimate"
            for person in people
        ]
        for i in range(n)
    ]
    return fraud, np.array(rows, dtype=np.int64)


def figures(profile: str, n: int, seeds: Sequence[int], *, shown: bool = True) -> dict[str, list[float]]:
    """Each figure's values over seeds, and over pairs or analysts within a seed."""
    found: dict[str, list[float]] = {"raw": [], "kappa": [], "recall": [], "false positive rate": []}
    for seed in seeds:
        fraud, rows = said(profile, n, seed, shown=shown)
        counts = np.stack([(rows == c).sum(axis=1) for c in (0, 1)], axis=1).astype(float)
        every = np.ones((1, n))
        found["raw"].append(float(raw(counts, every)[0]))
        found["kappa"] += [
            float(cohen_kappa(rows[:, list(pair)], every, 2)[0]) for pair in combinations(range(3), 2)
        ]
        found["recall"] += rows[fraud].mean(axis=0).tolist()
        found["false positive rate"] += rows[~fraud].mean(axis=0).tolist()
    return found


def as_real(found: dict[str, list[float]]) -> bool:
    """Whether every value of every seed lies where real analysts' do."""
    return all(low <= value <= high for name, (low, high) in REAL.items() for value in found[name])


def main(n: int, seeds: int) -> None:
    print(f"{seeds} seeds of {n:,} cases, {FRAUD:.0%} fraud; least to most over seeds, pairs and analysts.")
    print(
        "| analysts | raw | kappa by pair | recall | false positive rate | as real |\n|---|---|---|---|---|---|"
    )
    low_high = " | ".join(f"{low:.2f} to {high:.2f}" for low, high in REAL.values())
    print(f"| real ones, published | {low_high} | .14 shown, .25 blind | - |")
    for profile, shown in [("real", True), ("real", False), *((name, True) for name in list(PROFILES)[1:])]:
        found = figures(profile, n, range(1, seeds + 1), shown=shown)
        told = " | ".join(
            f"{np.nanmin(v):.2f} to {np.nanmax(v):.2f}" if not np.isnan(v).all() else "undefined"
            for v in found.values()
        )
        name = f"{profile}, {'score shown' if shown else 'blind'}"
        print(f"| {name} | {told} | {'yes' if as_real(found) else 'no'} |", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:3] or ("3000", "5"))))
