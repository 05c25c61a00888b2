"""How likely is it that the same answer comes so many times in a row by the mix of cases alone?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy

ALLOWED = 0.6
"""Log odds by which somebody may lean further to an answer than colleagues before a run counts: two usual spreads."""


def longest_run(answers: Sequence[bool], shares: Sequence[float]) -> tuple[int, int, float]:
    """The longest run of yes; the longest that is not unusual (chance of a longer one under a half); and the chance of
    a run at least as long as the one seen, if each answer is yes with its share, leaning further by ALLOWED."""
    leaning = scipy.special.expit(scipy.special.logit(np.clip(shares, 1e-6, 1 - 1e-6)) + ALLOWED)
    longest = now = 0
    for yes in answers:
        now = now + 1 if yes else 0
        longest = max(longest, now)
    usual = 1
    while usual < len(leaning) and chance_of_run(leaning, usual + 1) >= 0.5:
        usual += 1
    return longest, usual, chance_of_run(leaning, longest) if longest else 1.0


def chance_of_run(shares: np.ndarray, length: int) -> float:
    """Chance that independent answers, yes with these shares, have a run of at least `length` yes.

    The state is how long the present run is; a run that is long enough stays so. Exact.
    """
    if length <= 0:
        return 1.0
    if length > len(shares):
        return 0.0
    # none[i]: chance of no such run among the first i. It begins at place i - length, after a no (or at the start).
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(shares, 1e-300)))])
    none = np.ones(len(shares) + 1)
    for end in range(length, len(shares) + 1):
        start = end - length
        begins = none[start - 1] * (1 - shares[start - 1]) if start else 1.0
        none[end] = none[end - 1] - begins * np.exp(logs[end] - logs[start])
    return float(min(max(1.0 - none[-1], 0.0), 1.0))
