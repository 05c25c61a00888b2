"""Given items whose truth is known, how much does a verdict count that somebody is sure, or unsure, of?

A multinomial logit over items. Each vote adds to the utility of the class it chose:

    (w + w_r) + (g + g_r) * confidence + (h + h_r) * log seconds

with w, g, h common to all and w_r, g_r, h_r the deviations of reviewer r. Confidence and log seconds are
standardised over the training votes. The common part has a ridge penalty of 1, deviations one of 10: with few
known items every reviewer is treated alike. Class intercepts have no penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from casework.quality.consensus.votes import Reals, Votes
from data.errors import InputError

COMMON_RIDGE, DEVIATION_RIDGE = 1.0, 10.0
# Enough known items of every class to learn weights from.
MIN_KNOWN = 20
LEVELS = ("no", "low", "medium", "high", "certain")
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Conviction:
    """Fitted weights: class intercepts, `common` per feature (vote, confidence, log seconds as given), and
    `deviation` (reviewers by features)."""

    intercept: Reals
    common: Reals
    deviation: Reals
    centre: Reals
    scale: Reals


def confidence_ranks(words: Sequence[str], *, where: str = "") -> Reals:
    """Stated confidence as numbers: numbers as they are, words by rank (no, low, medium, high, certain).

    A word may have more to it ("High confidence", "Certainty"). An empty field is missing (NaN, later the
    mean); anything else is an InputError.
    """
    return np.array([_rank(word, where) for word in words])


def _rank(word: str, where: str) -> float:
    if not word.strip():
        return np.nan
    try:
        number = float(word)
    except ValueError:
        number = np.nan
    else:
        return number if np.isfinite(number) else np.nan
    lowered = word.strip().lower()
    found = [rank for rank, level in enumerate(LEVELS) if lowered.startswith(level)]
    if not found:
        raise InputError(
            f"'{word}' is not a stated confidence", where=where, allowed=f"a number, or {', '.join(LEVELS)}"
        )
    return float(found[0])


def learn(votes: Votes, features: Reals, known: Chosen) -> Conviction:
    """Fit the weights on the golden items that `known` (one flag per item) selects.

    `features` is votes by features, without the constant: confidence, log seconds, or nothing (0 columns).
    """
    of_known = known[votes.item]
    seen = features[of_known]
    centre = np.nanmean(seen, axis=0) if seen.size else np.zeros(features.shape[1])
    spread = np.nanstd(seen, axis=0) if seen.size else np.ones(features.shape[1])
    scale = np.where(spread > 0, spread, 1.0)
    design = _design(features, centre, scale)
    classes, reviewers, width = len(votes.classes), len(votes.reviewers), design.shape[1]
    truth = np.eye(classes)[votes.golden[known]]

    def loss(flat: Reals) -> tuple[float, Reals]:
        model = _unpacked(flat, classes, reviewers, width, centre, scale)
        utility = _utility(votes, design, model)[known]
        total = scipy.special.logsumexp(utility, axis=1)
        off = np.zeros((len(votes.items), classes))
        off[known] = np.exp(utility - total[:, None]) - truth
        of_vote = design * off[votes.item, votes.choice][:, None]
        own = np.stack(
            [np.bincount(votes.reviewer, weights=column, minlength=reviewers) for column in of_vote.T], axis=1
        )
        penalty = COMMON_RIDGE * (model.common**2).sum() + DEVIATION_RIDGE * (model.deviation**2).sum()
        slope = (
            off.sum(axis=0)[1:],
            of_vote.sum(axis=0) + COMMON_RIDGE * model.common,
            (own + DEVIATION_RIDGE * model.deviation).ravel(),
        )
        return float((total - (utility * truth).sum(axis=1)).sum() + penalty / 2), np.concatenate(slope)

    found = scipy.optimize.minimize(
        loss, np.zeros(classes - 1 + width * (1 + reviewers)), jac=True, method="L-BFGS-B"
    )
    return _unpacked(found.x, classes, reviewers, width, centre, scale)


def pooled(votes: Votes, features: Reals, model: Conviction) -> Reals:
    """Probability of each class per item: items by classes. Golden items are judged like any other."""
    utility = _utility(votes, _design(features, model.centre, model.scale), model)
    return np.exp(utility - scipy.special.logsumexp(utility, axis=1, keepdims=True))


def out_of_fold(votes: Votes, features: Reals, judged: Chosen, *, folds: int = 10, seed: int = 0) -> Reals:
    """Probability per item of `judged` golden items, each from a model that did not see its truth.

    Folds are drawn within each class. Golden items that are not `judged` are always trained on. Rows of other
    items are NaN.
    """
    rng = np.random.default_rng(seed)
    fold = np.full(len(votes.items), -1)
    for true_class in range(len(votes.classes)):
        members = np.flatnonzero(judged & (votes.golden == true_class))
        fold[rng.permutation(members)] = np.arange(len(members)) % folds
    found = np.full((len(votes.items), len(votes.classes)), np.nan)
    for number in range(folds):
        held = fold == number
        if held.any():
            found[held] = pooled(votes, features, learn(votes, features, votes.known & ~held))[held]
    return found


def _design(features: Reals, centre: Reals, scale: Reals) -> Reals:
    standard = np.nan_to_num((features - centre) / scale)
    return np.concatenate([np.ones((len(features), 1)), standard], axis=1)


def _unpacked(
    flat: Reals, classes: int, reviewers: int, width: int, centre: Reals, scale: Reals
) -> Conviction:
    ends = (classes - 1, classes - 1 + width)
    intercept = np.concatenate([[0.0], flat[: ends[0]]])
    deviation = flat[ends[1] :].reshape(reviewers, width)
    return Conviction(intercept, flat[ends[0] : ends[1]], deviation, centre, scale)


def _utility(votes: Votes, design: Reals, model: Conviction) -> Reals:
    of_vote = (design * (model.common + model.deviation[votes.reviewer])).sum(axis=1)
    size = len(votes.classes)
    flat = np.bincount(votes.item * size + votes.choice, weights=of_vote, minlength=len(votes.items) * size)
    return model.intercept + flat.reshape(-1, size)
