"""Do these votes determine the classes and the error rates, or could another story explain them as well?

With two reviewers an item, class shares and error rates cannot be told apart: R reviewers give R marginals and
pairwise covariances that only fix one number each, 2R equations for 2R + 1 unknowns. A third reviewer on the
same items gives the missing equation (Kruskal 1977), and so do golden items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from casework.quality.consensus.dawid_skene import Fit, Smoothing, fit
from casework.quality.consensus.votes import Reals, Votes, shares_of_votes

MIN_TRIPLES = 30
MIN_GOLDEN = 10
STARTS = 4
# Fits within this many units of log likelihood of each other explain the votes about equally well.
AS_GOOD = 2.0
MOVED = 0.10


@dataclass(frozen=True, slots=True)
class Identification:
    """Whether the fit can be believed, and in a sentence why not."""

    identified: bool
    sentence: str


def identification(votes: Votes, fitted: Fit, smoothing: Smoothing, *, seed: int = 0) -> Identification:
    """Check a fit: enough triple-rated or golden items, verdicts that say more than chance, and no other fit
    as good that labels more than 10 % of items otherwise."""
    if anchored(votes):
        return Identification(True, "Error rates are anchored by golden items of every class.")
    triples = int((votes.reviewers_per_item >= 3).sum())
    if triples < MIN_TRIPLES:
        return Identification(
            False,
            f"Not identified: {triples} items have three reviewers or more, {MIN_TRIPLES} are needed "
            f"(or {MIN_GOLDEN} golden items of every class).",
        )
    if not _better_than_chance(votes, fitted, smoothing):
        return Identification(
            False,
            "Not identified: what the verdicts on an item have in common is no more than chance can make.",
        )
    if _another_story(votes, fitted, smoothing, seed):
        return Identification(
            False, "Not identified: error rates that label items otherwise explain the verdicts as well."
        )
    return Identification(
        True, f"Error rates are estimated from {triples} items with three reviewers or more."
    )


def anchored(votes: Votes) -> bool:
    """Are there at least MIN_GOLDEN golden items of every class?"""
    of_class = np.bincount(votes.golden[votes.known], minlength=len(votes.classes))
    return bool((of_class >= MIN_GOLDEN).all())


def _better_than_chance(votes: Votes, fitted: Fit, smoothing: Smoothing) -> bool:
    """Does the fit beat reviewers who answer alike whatever the item is, by more than its parameters are worth
    (Akaike's criterion)? A matrix that is pulled towards the shared one counts by the share that is its own.

    Many classes and few votes a reviewer are too little for that even where all is plain; then it is enough that one
    matrix for everybody beats such reviewers by Schwarz's stricter criterion, with and without shares of their own.
    """
    classes, answers, reviewers = len(votes.classes), len(votes.answers), len(votes.reviewers)
    counts = np.bincount(votes.reviewer * answers + votes.choice, minlength=reviewers * answers)
    table = counts.reshape(-1, answers)
    alone, together = _by_shares(table), _by_shares(table.sum(axis=0, keepdims=True))
    cases = votes.cases[~fitted.few_cases]
    own = (cases / (cases + smoothing.shared * classes)).sum()
    matrix, prior = (classes - 1) * (answers - 1), classes - 1
    if fitted.log_likelihood - alone > (1 + own) * matrix + prior:
        return True
    common = fit(votes, smoothing=replace(smoothing, min_cases=len(votes.item) + 1), rounds=200)
    price = np.log(len(votes.item)) / 2
    over_together = common.log_likelihood - together > price * (matrix + prior)
    of_own = (reviewers - 1) * (answers - 1)
    return bool(over_together and common.log_likelihood - alone > price * (matrix + prior - of_own))


def _by_shares(table: np.ndarray) -> float:
    """Log likelihood of votes whose shares are those of each row, whatever the item is."""
    return float(scipy.special.xlogy(table, table / table.sum(axis=1, keepdims=True)).sum())


def _another_story(votes: Votes, fitted: Fit, smoothing: Smoothing, seed: int) -> bool:
    """Do blurred starts end in a fit as good, or better, that labels items otherwise?"""
    rng = np.random.default_rng(seed)
    labels = fitted.posterior.argmax(axis=1)
    for _ in range(STARTS):
        other = fit(votes, smoothing=smoothing, start=_blurred(votes, rng), rounds=200, tolerance=1e-4)
        as_good = other.log_likelihood > fitted.log_likelihood - AS_GOOD
        if as_good and (other.posterior.argmax(axis=1) != labels).mean() > MOVED:
            return True
    return False


def _blurred(votes: Votes, rng: np.random.Generator) -> Reals:
    """Shares of votes mixed with noise, so that every class keeps its meaning."""
    noise = rng.dirichlet(np.ones(len(votes.classes)), size=len(votes.items))
    return 0.6 * shares_of_votes(votes) + 0.4 * noise
