"""Do verdicts get quicker, or different, the longer a shift lasts?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Any

import numpy as np

from casework.quality.pace.case_mix import against_mix
from casework.quality.pace.shifts import InShift
from casework.quality.subgroups import wilson

BANDS = ((1, 10), (11, 25), (26, 50), (51, 100), (101, None))
SHUFFLES = 1000
MIN_VERDICTS = 60
LONG_SHIFT = 10
"""Verdicts from which on a shift says something of a trend; shorter ones would be stretched beyond what they saw."""


def by_position(shifted: Sequence[InShift], left: np.ndarray) -> list[dict[str, Any]]:
    """For each part of a shift: verdicts, seconds against case mix, share called fraud, and recall and false positive
    rate where the truth is known (Wilson)."""
    rows = []
    for start, end in BANDS:
        here = [
            i
            for i, one in enumerate(shifted)
            if one.position >= start and (end is None or one.position <= end)
        ]
        work = [shifted[i].work for i in here]
        frauds = [one for one in work if one.fraud]
        honest = [one for one in work if one.fraud is False]
        if here:
            rows.append(
                {
                    "from": start,
                    "to": end,
                    "seconds": against_mix(work, left[here]),
                    "said_fraud": wilson(sum(one.flagged for one in work), len(work)),
                    "recall": wilson(sum(one.flagged for one in frauds), len(frauds)),
                    "false_positive_rate": wilson(sum(one.flagged for one in honest), len(honest)),
                }
            )
    return rows


def trend(shifted: Sequence[InShift], left: np.ndarray, *, seed: int = 0) -> dict[str, Any]:
    """By what factor seconds change with every ten verdicts of a shift, the case mix allowed for, and the p of a test
    that shuffles the order within each shift. None under MIN_VERDICTS verdicts in shifts of LONG_SHIFT or more."""
    lengths = np.bincount([one.shift for one in shifted]) if shifted else np.zeros(0)
    kept = [i for i, one in enumerate(shifted) if lengths[one.shift] >= LONG_SHIFT]
    shifted, left = [shifted[i] for i in kept], left[kept]
    shift = np.array([one.shift for one in shifted], dtype=np.int64)
    place = np.array([one.position for one in shifted], dtype=float)
    found: dict[str, Any] = {"n": len(shifted), "factor_per_ten": None, "p": None}
    if len(shifted) < MIN_VERDICTS:
        return found
    sizes = np.bincount(shift)
    centred = place - (np.bincount(shift, place) / np.maximum(sizes, 1))[shift]
    spread = float((centred**2).sum())
    if spread == 0:
        return found
    slope = float(centred @ left) / spread
    rng = np.random.default_rng(seed)
    drawn = np.zeros(SHUFFLES)
    for one in np.flatnonzero(sizes > 1):
        mine = shift == one
        drawn += rng.permuted(np.tile(left[mine], (SHUFFLES, 1)), axis=1) @ centred[mine]
    as_steep = np.abs(drawn / spread) >= abs(slope) - 1e-12
    return found | {"factor_per_ten": exp(10 * slope), "p": float((1 + as_steep.sum()) / (1 + SHUFFLES))}
