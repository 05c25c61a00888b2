"""What does each coefficient of agreement say about a table of counts, for many weightings of its items?

Every function takes `counts` (items by categories: how many reviewers chose each) and `weights` (replicates
by items) and gives one number per replicate, NaN where the coefficient is undefined. A weight of 1 for each
item gives the coefficient itself; bootstrap weights give its replicates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]
Level = Callable[[Values], Values]


def divided(top: npt.ArrayLike, bottom: npt.ArrayLike) -> Values:
    """top / bottom, NaN where the bottom is 0."""
    top_array, bottom_array = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    return np.divide(top_array, bottom_array, out=np.full(top_array.shape, np.nan), where=bottom_array != 0)


def beyond_chance(observed: Values, expected: Values) -> Values:
    """(observed - expected) / (1 - expected); undefined where chance alone gives full agreement."""
    room = np.where(np.abs(1 - expected) < 1e-12, 0.0, 1 - expected)
    return divided(observed - expected, room)


def item_agreement(counts: Counts) -> Values:
    """Share of agreeing pairs of reviewers per item; 0 where there are fewer than two."""
    raters = counts.sum(axis=1)
    pairs = raters * (raters - 1)
    return np.where(raters >= 2, (counts * (counts - 1)).sum(axis=1) / np.where(pairs > 0, pairs, 1), 0.0)


def paired(counts: Counts) -> Values:
    """1 for items with two or more reviewers, else 0."""
    return (counts.sum(axis=1) >= 2).astype(float)


def raw(counts: Counts, weights: Weights) -> Values:
    """Raw agreement: mean over items with two or more reviewers of the share of agreeing pairs (Fleiss
    1971)."""
    two = paired(counts)
    return divided(weights @ (item_agreement(counts) * two), weights @ two)


def specific(counts: Counts, weights: Weights, category: int) -> Values:
    """Specific agreement on one category: given that one reviewer chose it, the chance that another one did.

    Pairs of reviewers over all items: 2a / (2a + b + c) (Dice 1945; Cicchetti and Feinstein 1990); undefined
    when nobody chose the category on an item with two or more reviewers.
    """
    raters = counts.sum(axis=1)
    chosen = counts[:, category]
    two = paired(counts)
    both = chosen * (chosen - 1) * two
    either = chosen * (raters - 1) * two
    return divided(weights @ both, weights @ either)


def _shares(counts: Counts, weights: Weights, only_paired: bool) -> Values:
    """Mean share of each category over items: replicates by categories."""
    raters = counts.sum(axis=1)
    used = paired(counts) if only_paired else (raters > 0).astype(float)
    shares = counts / np.maximum(raters, 1)[:, None] * used[:, None]
    return divided(weights @ shares, (weights @ used)[:, None])


def fleiss_kappa(counts: Counts, weights: Weights) -> Values:
    """Fleiss 1971, extended to missing ratings by Gwet 2014: chance is the sum of squared class shares."""
    expected = (_shares(counts, weights, only_paired=False) ** 2).sum(axis=1)
    return beyond_chance(raw(counts, weights), expected)


def brennan_prediger(counts: Counts, weights: Weights) -> Values:
    """Brennan and Prediger 1981 (Randolph's kappa for many reviewers): chance is 1 / number of categories."""
    categories = counts.shape[1]
    if categories < 2:
        return np.full(len(weights), np.nan)
    return beyond_chance(raw(counts, weights), np.full(len(weights), 1 / categories))


def gwet_ac1(counts: Counts, weights: Weights, *, shares_from: str = "all_items") -> Values:
    """Gwet's AC1 (2008; missing ratings as in Gwet 2014, which is `shares_from="all_items"`).

    `shares_from="paired_items"` takes the class shares from items with two or more reviewers only, the same
    items that raw agreement is taken from. Undefined when only one category was ever used.
    """
    if shares_from not in ("all_items", "paired_items"):
        raise ValueError(f"shares_from is '{shares_from}'; allowed: all_items, paired_items")
    categories = counts.shape[1]
    if categories < 2:
        return np.full(len(weights), np.nan)
    shares = _shares(counts, weights, only_paired=shares_from == "paired_items")
    expected = (shares * (1 - shares)).sum(axis=1) / (categories - 1)
    one_class = (shares > 0).sum(axis=1) < 2
    return np.where(one_class, np.nan, beyond_chance(raw(counts, weights), expected))


def coincidences(counts: Counts, weights: Weights) -> Values:
    """Krippendorff's coincidence matrices: replicates by categories by categories."""
    raters = counts.sum(axis=1)
    scale = paired(counts) / np.maximum(raters - 1, 1)
    of_item = counts[:, :, None] * counts[:, None, :]
    diagonal = np.arange(counts.shape[1])
    of_item[:, diagonal, diagonal] -= counts
    flat = (of_item * scale[:, None, None]).reshape(len(counts), -1)
    return (weights @ flat).reshape(len(weights), counts.shape[1], counts.shape[1])


def nominal(totals: Values) -> Values:
    """Squared distance of categories that have no order: 0 or 1."""
    size = totals.shape[1]
    return np.broadcast_to(1.0 - np.eye(size), (len(totals), size, size))


def ordinal(totals: Values) -> Values:
    """Squared distance of ranked categories: the ratings between two of them, each end counted half."""
    up_to = np.cumsum(totals, axis=1) - totals / 2
    return (up_to[:, :, None] - up_to[:, None, :]) ** 2


def interval(values: npt.ArrayLike) -> Level:
    """Squared distance of categories that are numbers on a scale with equal steps."""
    numbers = np.asarray(values, float)
    distance = (numbers[:, None] - numbers[None, :]) ** 2
    return lambda totals: np.broadcast_to(distance, (len(totals), *distance.shape))


def ratio(values: npt.ArrayLike) -> Level:
    """Squared distance of categories that are numbers with a true zero."""
    numbers = np.asarray(values, float)
    distance = divided(numbers[:, None] - numbers[None, :], numbers[:, None] + numbers[None, :])
    squared = np.nan_to_num(distance) ** 2
    return lambda totals: np.broadcast_to(squared, (len(totals), *squared.shape))


def krippendorff_alpha(counts: Counts, weights: Weights, level: Level = nominal) -> Values:
    """Krippendorff's alpha (2011, "Computing Krippendorff's Alpha-Reliability"), any level of measurement.

    Items with one reviewer do not count. Undefined when every counted rating is one category.
    """
    if len(counts) == 0:
        return np.full(len(weights), np.nan)
    together = coincidences(counts, weights)
    totals = together.sum(axis=2)
    distance = level(totals)
    observed = (together * distance).sum(axis=(1, 2))
    n = totals.sum(axis=1)
    expected = (totals[:, :, None] * totals[:, None, :] * distance).sum(axis=(1, 2))
    expected = np.where(expected < 1e-12, 0.0, expected)
    return 1 - divided(observed * (n - 1), expected)
