"""How long do verdicts take, by display arm?"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from casework.quality.agreement.against_truth import Judged

REPLICATES = 2000
MIN_VERDICTS = 20


def seconds_by_arm(judged: Sequence[Judged], *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Median seconds per arm with a 95 % percentile bootstrap interval over items, so that several verdicts on
    one item move together; low and high are None under 20 verdicts."""
    arms = sorted({one.arm for one in judged})
    return {arm or "all": _median([one for one in judged if one.arm == arm], seed) for arm in arms}


def _median(judged: Sequence[Judged], seed: int) -> dict[str, Any]:
    timed = [one for one in judged if not isnan(one.seconds)]
    if not timed:
        return {"value": None, "low": None, "high": None, "n": 0}
    seconds = np.array([one.seconds for one in timed])
    found: dict[str, Any] = {"value": float(np.median(seconds)), "low": None, "high": None, "n": len(timed)}
    if len(timed) >= MIN_VERDICTS:
        _, item = np.unique([one.item for one in timed], return_inverse=True)
        found["low"], found["high"] = _bootstrapped(seconds, item, seed)
    return found


def _bootstrapped(seconds: np.ndarray, item: np.ndarray, seed: int) -> tuple[float, float]:
    """Weighted medians under multinomial weights per item."""
    rng = np.random.default_rng(seed)
    items = int(item.max()) + 1
    order = np.argsort(seconds)
    weights = rng.multinomial(items, np.full(items, 1 / items), size=REPLICATES)[:, item[order]]
    upto = np.cumsum(weights, axis=1)
    half = upto[:, -1:] / 2
    medians = seconds[order][(upto >= half).argmax(axis=1)]
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(low), float(high)
