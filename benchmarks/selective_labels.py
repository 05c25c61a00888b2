"""Is recall estimated rightly, although declined payments show no outcome but for the few released by chance?

The riskiest 0.5 % are declined, and 5 % of those released on purpose. What passes shows its outcome; a payment that
stays declined never does. The estimator of the product (`engine.measuring.seen_outcomes`) is held against the truth,
which the simulation alone knows, and against the naive figure: of the frauds that became known, those that were to be
declined.
Run: python -m benchmarks.selective_labels
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from engine.measuring.seen_outcomes import Share, recall, weighed

DECLINED, EXPLORED = 0.005, 0.05
SEEDS = 500
SIZES = (50_000, 100_000, 200_000)
MOST_BIAS, LEAST_COVERAGE = 0.01, 0.93


@dataclass(frozen=True, slots=True)
class Week:
    """What one simulated stretch says: the true recall, its estimate, and the naive figure."""

    truth: float
    estimate: Share
    naive: float


def week(rng: np.random.Generator, payments: int) -> Week:
    """Payments with 0.9 % fraud and a score that finds about half of it among the riskiest 0.5 %."""
    fraud = rng.random(payments) < 0.009
    score = rng.normal(size=payments) + np.where(fraud, rng.normal(2.6, 1.0, payments), 0.0)
    declined = score >= np.quantile(score, 1 - DECLINED)
    explored = declined & (rng.random(payments) < EXPLORED)
    chance = np.where(declined, EXPLORED, 1.0)
    stopped = weighed(fraud[explored].astype(float), chance[explored])
    passed = int((fraud & ~declined).sum())
    # All that passed has matured, so its share of fraud is known, not estimated.
    let_go = passed / int((~declined).sum())
    known = Share(let_go, let_go, let_go, int((~declined).sum()))
    unseen = Share(0.0, 0.0, 1.0, 0)  # where chance released nothing, nothing is known of the declined
    found = recall((int(declined.sum()), stopped or unseen), (int((~declined).sum()), known))
    assert found is not None
    caught = int((fraud & explored).sum())
    return Week(float((fraud & declined).sum() / fraud.sum()), found, caught / (caught + passed))


def table(sizes: tuple[int, ...] = SIZES, seeds: int = SEEDS) -> list[dict[str, float]]:
    """For each number of payments: mean truth, bias of both figures, coverage and mean width of the interval."""
    rows = []
    for payments in sizes:
        weeks = [week(np.random.default_rng([payments, seed]), payments) for seed in range(seeds)]
        truth = np.array([w.truth for w in weeks])
        value, low, high = (
            np.array([getattr(w.estimate, name) for w in weeks]) for name in ("value", "low", "high")
        )
        error = value - truth
        rows.append(
            {
                "payments": payments,
                "explored": payments * DECLINED * EXPLORED,
                "truth": float(truth.mean()),
                "bias": float(error.mean()),
                "bias_half_width": float(1.96 * error.std(ddof=1) / np.sqrt(seeds)),
                "coverage": float(((low <= truth) & (truth <= high)).mean()),
                "width": float((high - low).mean()),
                "naive_bias": float(np.mean([w.naive for w in weeks]) - truth.mean()),
            }
        )
    return rows


def main() -> int:
    rows = table()
    print(f"{SEEDS} seeds; the riskiest {DECLINED:.1%} declined, {EXPLORED:.0%} of those released by chance")
    print("| payments | seen by exploration | true recall | bias of the estimate | 95 % intervals that cover | "
          "mean width | bias of the naive figure |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['payments']:,} | {row['explored']:.0f} | {row['truth']:.3f} | {row['bias']:+.4f} ± "
            f"{row['bias_half_width']:.4f} | {row['coverage']:.1%} | {row['width']:.3f} | {row['naive_bias']:+.3f} |"
        )
    met = all(abs(row["bias"]) <= MOST_BIAS and row["coverage"] >= LEAST_COVERAGE for row in rows)
    print(
        f"bias at most {MOST_BIAS} and coverage at least {LEAST_COVERAGE:.0%}: {'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
