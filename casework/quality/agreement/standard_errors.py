"""How far would AC1 and alpha move on another sample of items, by linearisation rather than resampling?

Formulas: Gwet, Handbook of Inter-Rater Reliability (4th ed. 2014), variance of AC1 and of alpha for an
infinite population of items and fixed reviewers. `counts` are items by categories.
"""

from __future__ import annotations

import numpy as np

from casework.quality.agreement.coefficients import Counts, Values, gwet_ac1, item_agreement, paired


def _spread(of_item: Values, centre: float) -> float:
    n = len(of_item)
    return float(np.sqrt(((of_item - centre) ** 2).sum() / (n * (n - 1))))


def ac1_standard_error(counts: Counts) -> float:
    """Standard error of AC1 with class shares from all items. Needs two categories in use and two items."""
    counts = counts[counts.sum(axis=1) > 0]
    n, categories = counts.shape
    ac1 = float(gwet_ac1(counts, np.ones((1, n)))[0])
    raters = counts.sum(axis=1)
    shares = (counts / raters[:, None]).mean(axis=0)
    chance = float((shares * (1 - shares)).sum() / (categories - 1))
    two = paired(counts)
    of_item = n / two.sum() * (item_agreement(counts) - chance * two) / (1 - chance)
    chance_of_item = counts @ (1 - shares) / raters / (categories - 1)
    return _spread(of_item - 2 * (1 - ac1) * (chance_of_item - chance) / (1 - chance), ac1)


def alpha_standard_error(counts: Counts) -> float:
    """Standard error of nominal alpha. Needs two categories in use; items with one reviewer do not count.

    Linearises alpha without its small-sample term; that term enters only where agreement is set against items
    with more or fewer reviewers than the mean, which is what reproduces Gwet's published value.
    """
    counts = counts[counts.sum(axis=1) >= 2]
    raters = counts.sum(axis=1)
    mean = raters.mean()
    unequal = (raters - mean) / mean
    agreeing = (counts * (counts - 1)).sum(axis=1) / (mean * (raters - 1))
    agreed = float(agreeing.mean())
    small_sample = 1 / raters.sum()
    shares = counts.mean(axis=0) / mean
    chance = float((shares**2).sum())
    alpha = (agreed - chance) / (1 - chance)
    agreed_of_item = agreeing - ((1 - small_sample) * agreed + small_sample) * unequal
    chance_of_item = counts @ shares / mean - chance * unequal
    moves = (agreed_of_item - chance) - 2 * (1 - alpha) * (chance_of_item - chance)
    return _spread(moves / (1 - chance), alpha)
