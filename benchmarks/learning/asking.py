"""Which hundred payments of a day are put before people, with which probability, and for which reason?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.measuring.metrics import Ranking

MONEY, UNCERTAIN, AUDIT = "money_at_risk", "uncertain", "audit"
LANES = (MONEY, UNCERTAIN, AUDIT)


@dataclass(frozen=True)
class Split:
    """Shares of the day's reviews: the highest scores; payments the model is unsure of; payments drawn evenly.

    Only payments with a probability between `low` and `high` count as uncertain; they are drawn with probabilities in
    proportion to the standard deviation of their label, sqrt(p (1 - p)). What this lane cannot use goes to the highest
    scores, as the product's lanes pass on what they cannot use.
    """

    name: str
    uncertain: float = 0.0
    audit: float = 0.0
    low: float = 0.05
    high: float = 0.95


@dataclass(frozen=True)
class Asked:
    """Positions of the chosen payments, the lane of each (index into LANES) and the probability of being chosen."""

    rows: np.ndarray
    lane: np.ndarray
    probability: np.ndarray


TOP = Split("top score")
EVENLY = Split("random", audit=1.0)


def ask(
    score: np.ndarray, probability: np.ndarray, split: Split, reviews: int, rng: np.random.Generator
) -> Asked:
    """Choose `reviews` of a day's payments by their rank (`score`) and their probability of fraud."""
    evenly = round(split.audit * reviews)
    unsure = round(split.uncertain * reviews)
    order = np.argsort(-score, kind="stable")
    top = order[: reviews - evenly - unsure]
    free = np.ones(len(score), dtype=bool)
    free[top] = False
    doubtful, chance = _uncertain(probability, free, split, unsure, rng)
    free[doubtful] = False
    more = order[free[order]][: unsure - len(doubtful)]
    free[more] = False
    rest = np.flatnonzero(free)
    drawn = rng.choice(rest, evenly, replace=False)
    return Asked(
        np.concatenate([top, more, doubtful, drawn]),
        np.repeat([0, 1, 2], [len(top) + len(more), len(doubtful), evenly]),
        np.concatenate([np.ones(len(top) + len(more)), chance, np.full(evenly, evenly / max(1, len(rest)))]),
    )


def _uncertain(
    p: np.ndarray, free: np.ndarray, split: Split, wanted: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(positions, probabilities) drawn without replacement by exponential keys (Efraimidis and Spirakis 2006). The
    probability is that of a draw in proportion to size, to first order."""
    among = np.flatnonzero(free & (p > split.low) & (p < split.high))
    count = min(wanted, len(among))
    if not count:
        return np.empty(0, dtype=np.int64), np.empty(0)
    size = np.sqrt(p[among] * (1.0 - p[among]))
    first = np.argsort(rng.exponential(size=len(among)) / size, kind="stable")[:count]
    return among[first], np.minimum(1.0, count * size[first] / size.sum())


def average_precision(fraud: np.ndarray, score: np.ndarray) -> float:
    """Of one week's payments; nan without a fraud."""
    return float(Ranking.of(fraud.astype(np.int8), score).average_precision(np.ones((1, len(fraud))))[0])
