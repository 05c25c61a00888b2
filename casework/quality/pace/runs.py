"""Is a long run of the same verdict more than the order of the cases explains?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SHUFFLES = 1000
MIN_VERDICTS = 30


def longest(said: np.ndarray) -> np.ndarray:
    """The longest run of equal values in each row: shape (rows,)."""
    same = np.diff(said, axis=1) == 0
    length = np.ones(len(said), dtype=np.int64)
    current = np.ones(len(said), dtype=np.int64)
    for column in same.T:
        current = np.where(column, current + 1, 1)
        length = np.maximum(length, current)
    return length


def identical(shifts: Sequence[Sequence[bool]], *, seed: int = 0) -> dict[str, Any]:
    """The longest run of identical verdicts within any shift, and how often a run at least as long comes when the
    verdicts of each shift are shuffled, which keeps how many of each there were. Whoever dismisses nearly everything,
    rightly, has long runs: only `chance` says whether one is odd. None under MIN_VERDICTS verdicts."""
    kept = [np.array(shift, dtype=np.int8) for shift in shifts if len(shift)]
    n = sum(len(shift) for shift in kept)
    seen = max((int(longest(shift[None, :])[0]) for shift in kept), default=0)
    found: dict[str, Any] = {"n": n, "longest": seen, "usual": None, "chance": None}
    if n < MIN_VERDICTS:
        return found
    rng = np.random.default_rng(seed)
    drawn = np.zeros(SHUFFLES, dtype=np.int64)
    for shift in kept:
        if len(shift) > 1:
            drawn = np.maximum(drawn, longest(rng.permuted(np.tile(shift, (SHUFFLES, 1)), axis=1)))
    chance = float((1 + (drawn >= seen).sum()) / (1 + SHUFFLES))
    return found | {"usual": float(np.median(drawn)), "chance": chance}
