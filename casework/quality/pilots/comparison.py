"""What did everybody say of the same cases, and did the new guideline bring them closer?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from itertools import combinations
from typing import Any

import numpy as np

from casework.quality.agreement.coefficients import Weights, gwet_ac1, krippendorff_alpha, raw
from casework.quality.agreement.intervals import Statistic, bca_interval
from casework.quality.agreement.report import consistency
from casework.quality.agreement.table import NOBODY, Rating, patterns, tabulate

MIN_CASES = 30
REPLICATES = 2000
_MEASURES: dict[str, Statistic] = {
    "raw": raw,
    "alpha": krippendorff_alpha,
    "ac1": lambda rows, weights: gwet_ac1(rows, weights, shares_from="paired_items"),
}


def confusions(ratings: Sequence[Rating], categories: Sequence[str]) -> list[dict[str, Any]]:
    """For each pair of people, how often the first said one thing (rows) and the second another (columns)."""
    table = tabulate(ratings, categories)
    found = []
    for first, second in combinations(table.reviewers, 2):
        rows = table.pair(first, second).rows
        both = rows[(rows != NOBODY).all(axis=1)]
        if len(both):
            cells = np.zeros((len(categories), len(categories)), dtype=int)
            np.add.at(cells, (both[:, 0], both[:, 1]), 1)
            found.append({"reviewers": [first, second], "n": len(both), "matrix": cells.tolist()})
    return found


def batch_report(
    ratings: Sequence[Rating], *, positive: str, categories: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Agreement over one batch, the matrix of each pair, and the cases on which people differ most."""
    report = consistency(
        ratings, positive=positive, categories=categories, seed=seed, with_pairs=False
    ).as_json()
    table = tabulate(ratings, categories)
    counts = table.counts
    apart = 1 - counts.max(axis=1) / np.maximum(counts.sum(axis=1), 1) if len(counts) else np.zeros(0)
    order = [int(i) for i in np.argsort(-apart, kind="stable") if apart[i] > 0]
    return {
        **report,
        "categories": list(categories),
        "pairs": confusions(ratings, categories),
        "most_disputed": [
            {
                "item": table.items[i],
                "said": dict(zip(categories, counts[i].astype(int).tolist(), strict=True)),
            }
            for i in order[:10]
        ],
    }


def change(
    before: Sequence[Rating], after: Sequence[Rating], *, categories: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """By how much raw agreement, alpha and AC1 changed on the cases of both batches, with a 95 % BCa interval that
    draws cases (each with what was said before and after); none under MIN_CASES. `sentence` says what came of it."""
    one, two = tabulate(before, categories), tabulate(after, categories)
    shared = [item for item in one.items if item in set(two.items)]
    first, second = (
        t.counts[[t.items.index(item) for item in shared]] if shared else np.zeros((0, len(categories)))
        for t in (one, two)
    )
    paired = (first.sum(axis=1) >= 2) & (second.sum(axis=1) >= 2)
    found = patterns(np.column_stack([first, second])[paired])
    n = int(paired.sum())
    measures = {
        name: _changed(statistic, found, n, len(categories), seed) for name, statistic in _MEASURES.items()
    }
    return {"n_cases": n, **measures, "sentence": _sentence(measures["alpha"], n)}


def _changed(statistic: Statistic, found: Any, n: int, width: int, seed: int) -> dict[str, Any]:
    def difference(rows: np.ndarray, weights: Weights) -> np.ndarray:
        return statistic(rows[:, width:], weights) - statistic(rows[:, :width], weights)

    value = float(difference(found.rows, found.weights)[0]) if n else float("nan")
    told: dict[str, Any] = {"difference": None if np.isnan(value) else value, "low": None, "high": None}
    if n >= MIN_CASES and not np.isnan(value):
        resampled = difference(found.rows, found.resampled(REPLICATES, seed))
        left_out = difference(found.rows, found.weights - np.eye(len(found.rows)))
        told["low"], told["high"] = bca_interval(value, resampled, left_out, found.weights[0])
    return told


def _sentence(alpha: dict[str, Any], n: int) -> str:
    if alpha["difference"] is None:
        return "Nothing can be said of a change yet."
    if alpha["low"] is None:
        return f"Insufficient data: {n} cases answered by two people before and after, {MIN_CASES} needed."
    way = "rose" if alpha["difference"] > 0 else "fell"
    sure = alpha["low"] > 0 or alpha["high"] < 0
    told = f"Alpha {way} by {abs(alpha['difference']):.2f} ({alpha['low']:+.2f} to {alpha['high']:+.2f})"
    return f"{told} on the same cases." if sure else f"{told}: no more than chance could make it."


def guideline_change(before: str, after: str) -> list[str]:
    """The lines that changed, as a unified diff with three lines around; empty where nothing did."""
    return list(unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm=""))
