"""Where the consistency report shows a 95 % interval, how often does it cover the truth?

Two independent analysts of known skill judge n cases at a known share of fraud; the truth of each coefficient
is then known exactly. Each cell says in how many of the simulated logs an interval was shown at all ("insufficient
data" otherwise) and how many of those covered the truth. Run: python -m benchmarks.coverage [SIMULATIONS]
"""

from __future__ import annotations

import sys

import numpy as np

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha, raw, specific
from casework.quality.agreement.intervals import ENOUGH, Statistic, evidence, measure
from casework.quality.agreement.skew import pattern_shares
from casework.quality.agreement.table import Patterns

BOTH_ONE_NEITHER = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
STATISTICS: dict[str, tuple[Statistic, bool]] = {
    "raw": (raw, False),
    "positive": (lambda rows, weights: specific(rows, weights, 0), True),
    "alpha": (krippendorff_alpha, True),
    "AC1": (gwet_ac1, False),
}
SKILLS = ((0.80, 0.95), (0.50, 0.85), (0.90, 0.98), (0.70, 0.97))
ITEMS = (50, 100, 200, 400, 1000)
FRAUD = (0.01, 0.05, 0.15, 0.50)
REPLICATES = 1000


def shown_and_covered(name: str, shares: np.ndarray, n: int, simulations: int) -> tuple[int, int]:
    """Of simulated logs of n items: how many got an interval, and how many of those cover the truth."""
    statistic, positives = STATISTICS[name]
    truth = float(statistic(BOTH_ONE_NEITHER, shares[None, :] * 1e9)[0])
    shown = covered = 0
    for seed, seen in enumerate(np.random.default_rng(1).multinomial(n, shares, size=simulations)):
        there = seen > 0
        found = Patterns(BOTH_ONE_NEITHER[there], seen[there])
        basis = evidence(np.repeat(BOTH_ONE_NEITHER, seen, axis=0), 0)
        one = measure(name, statistic, found, basis, positives=positives, seed=seed, replicates=REPLICATES)
        if one.state == ENOUGH and one.low is not None and one.high is not None:
            shown += 1
            covered += one.low <= truth <= one.high
    return shown, covered


def cell(shown: int, covered: int, simulations: int) -> str:
    """Coverage in per cent, with how often it was shown where that is not always; "-" where it hardly ever is."""
    if shown < simulations * 0.05:
        return "-"
    often = "" if shown > 0.995 * simulations else f" (shown {shown / simulations:.0%})"
    return f"{100 * covered / shown:.1f}{often}"


def main(simulations: int) -> None:
    print(f"Coverage in per cent of {simulations} simulated logs per row; nominal 95.")
    print("| sensitivity / specificity | items | fraud | " + " | ".join(STATISTICS) + " |")
    print("|---|---|---|" + "---|" * len(STATISTICS))
    for sensitivity, specificity in SKILLS:
        for n in ITEMS:
            for fraud in FRAUD:
                shares = pattern_shares(sensitivity, 1 - specificity, fraud)
                cells = [
                    cell(*shown_and_covered(name, shares, n, simulations), simulations) for name in STATISTICS
                ]
                row = (f"{sensitivity:.2f} / {specificity:.2f}", str(n), f"{fraud:.0%}", *cells)
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
