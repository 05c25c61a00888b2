"""Does somebody take longer, or only harder cases?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Any

import numpy as np
import scipy

from casework.quality.pace.shifts import Worked

MIN_VERDICTS = 30
_PRIOR = 10.0
"""Verdicts with which the mean of all pulls the mean of one kind of case."""


def residuals(worked: Sequence[Worked]) -> np.ndarray:
    """Log seconds of each verdict less what other people take for that kind of case.

    The expectation for a kind is the mean log seconds of everybody else's verdicts on it, pulled towards everybody
    else's overall mean by ten verdicts; where there is nobody else, everybody's.
    """
    logs = np.array([log(max(one.seconds, 1.0)) for one in worked])
    kinds = np.unique(["\x1f".join(one.mix) for one in worked], return_inverse=True)[1]
    people = np.unique([one.reviewer for one in worked], return_inverse=True)[1]
    expected = np.empty(len(worked))
    for person in np.unique(people):
        others = people != person if (people != person).any() else np.ones(len(people), dtype=bool)
        usual = logs[others].mean()
        n = np.bincount(kinds[others], minlength=kinds.max() + 1)
        total = np.bincount(kinds[others], logs[others], minlength=kinds.max() + 1)
        of_kind = (total + _PRIOR * usual) / (n + _PRIOR)
        mine = people == person
        expected[mine] = of_kind[kinds[mine]]
    return logs - expected


def against_mix(worked: Sequence[Worked], left: np.ndarray) -> dict[str, Any]:
    """Seconds as a ratio to what others take for the same kinds of case (1.2: a fifth longer), with a 95 % t interval
    on the log scale; without one under MIN_VERDICTS. `left` are the residuals of these verdicts."""
    if not len(left):
        return {"n": 0, "median": None, "ratio": None, "low": None, "high": None}
    found: dict[str, Any] = {
        "n": len(left),
        "median": float(np.median([one.seconds for one in worked])),
        "ratio": exp(float(left.mean())),
        "low": None,
        "high": None,
    }
    if len(left) >= MIN_VERDICTS:
        half = float(scipy.stats.t.ppf(0.975, len(left) - 1) * left.std(ddof=1) / sqrt(len(left)))
        found["low"], found["high"] = exp(float(left.mean()) - half), exp(float(left.mean()) + half)
    return found
