"""How well do pooled verdicts tell fraud from the rest, by each way of pooling?

Real analysts: the file `analyst_decisions.csv` in SECOND_LOOK_DATA (by default ../shared/data beside the
repository), 480 transactions with three reviews. Every figure is out of fold: no model saw the truth it is
judged on. Run: python -m benchmarks.consensus
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from casework.quality.agreement.table import Rating
from casework.quality.consensus.conviction import confidence_ranks, out_of_fold
from casework.quality.consensus.dawid_skene import fit
from casework.quality.consensus.votes import Reals, Votes, count_votes
from engine.measuring.metrics import auc

DATA = Path(os.environ.get("SECOND_LOOK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SEEDS = range(10)


def real_analysts(path: Path) -> tuple[Votes, Reals]:
    """Votes of the real analysts with the truth as golden items, and per vote confidence and log seconds."""
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    ratings = [
        Rating(
            row["Transaction ID"],
            row["Analyst ID"],
            "approved" if row["Analyst Decision"] == "approved" else "not approved",
        )
        for row in rows
    ]
    truth = {
        row["Transaction ID"]: "not approved" if row["Fraud Label"] == "1" else "approved" for row in rows
    }
    confidence = confidence_ranks([row["Perceived Confidence"] for row in rows])
    seconds = np.log([float(row["Decision Time (seconds)"]) for row in rows])
    return count_votes(ratings, golden=truth), np.stack([confidence, seconds], axis=1)


def mean_and_spread(
    votes: Votes, features: Reals, judged: np.ndarray, seeds: range = SEEDS
) -> tuple[float, float]:
    """AUC over the judged items: mean and standard deviation over seeds of the folds."""
    truth = votes.golden[judged]
    found = [auc(truth, out_of_fold(votes, features, judged, seed=seed)[judged, 1]) for seed in seeds]
    return float(np.mean(found)), float(np.std(found))


def main() -> int:
    path = DATA / "analyst_decisions.csv"
    if not path.is_file():
        print(f"skipped: there is no {path.name} (set SECOND_LOOK_DATA to its folder)", file=sys.stderr)
        return 0
    votes, features = real_analysts(path)
    judged = votes.reviewers_per_item == 3
    only = _known_among(votes, judged)
    tally = votes.tally
    blind = _unknown(votes)
    print(f"{judged.sum()} items with three reviews, {votes.golden[judged].sum()} of them fraud")
    print("| pooling | AUC | sd over seeds |\n|---|---|---|")
    print(
        f"| mean vote | {auc(votes.golden[judged], (tally / tally.sum(1, keepdims=True))[judged, 1]):.3f} | - |"
    )
    print(f"| Dawid-Skene, no truth | {auc(votes.golden[judged], fit(blind).posterior[judged, 1]):.3f} | - |")
    for words, columns in (
        ("verdict", 0),
        ("verdict + confidence", 1),
        ("verdict + confidence + seconds", 2),
    ):
        for known, trained in ((votes, "all items"), (only, "the 480 only")):
            mean, spread = mean_and_spread(known, features[:, :columns], judged)
            print(f"| {words} + analyst, trained on {trained} | {mean:.3f} | {spread:.3f} |")
    return 0


def _known_among(votes: Votes, chosen: np.ndarray) -> Votes:
    """The same votes with the truth known for the chosen items only."""
    return replace(votes, golden=np.where(chosen, votes.golden, -1))


def _unknown(votes: Votes) -> Votes:
    return _known_among(votes, np.zeros(len(votes.items), dtype=bool))


if __name__ == "__main__":
    sys.exit(main())
