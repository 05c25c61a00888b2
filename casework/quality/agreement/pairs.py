"""What do coefficients say that keep apart which reviewer said what?

`rows` are items by reviewers: an index of a category, or -1. `weights` are replicates by items.
"""

from __future__ import annotations

import numpy as np

from casework.quality.agreement.coefficients import Values, Weights, beyond_chance, divided, raw
from casework.quality.agreement.table import NOBODY, Rows


def cohen_kappa(rows: Rows, weights: Weights, categories: int) -> Values:
    """Cohen's kappa (1960) of two reviewers, over the items both rated; undefined when chance alone agrees
    fully."""
    both = (rows != NOBODY).all(axis=1)
    rows, weights = rows[both], weights[:, both]
    n = weights.sum(axis=1)
    agreed = divided(weights @ (rows[:, 0] == rows[:, 1]).astype(float), n)
    chosen = [(rows[:, j, None] == np.arange(categories)).astype(float) for j in (0, 1)]
    first, second = (divided(weights @ of_one, n[:, None]) for of_one in chosen)
    return beyond_chance(agreed, (first * second).sum(axis=1))


def conger_kappa(rows: Rows, weights: Weights, categories: int) -> Values:
    """Conger's kappa (1980), which is Cohen's for any number of reviewers, with missing ratings (Gwet 2014).

    Chance agreement is the mean over pairs of reviewers of the product of their class shares, each reviewer's
    shares being over the items that reviewer rated.
    """
    chosen = (rows[:, :, None] == np.arange(categories)).astype(float)
    rated = divided(
        np.einsum("bi,ijc->bjc", weights, chosen), np.einsum("bi,ijc->bj", weights, chosen)[:, :, None]
    )
    raters = rows.shape[1]
    if raters < 2:
        return np.full(len(weights), np.nan)
    total = rated.sum(axis=1)
    pairs = (total**2 - (rated**2).sum(axis=1)).sum(axis=1)
    counts = chosen.sum(axis=1)
    return beyond_chance(raw(counts, weights), pairs / (raters * (raters - 1)))
