"""What is the true class of each item, when every reviewer errs in a way of their own?

Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
Statistics 28 (1979): each reviewer has a full confusion matrix, and given the true class reviewers err
independently. Everything is computed in log space. What is added here: golden items of known class, a class
prior per group, and shrinkage of each reviewer's matrix towards the one of all reviewers together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from casework.quality.consensus.votes import Places, Reals, Votes, shares_of_votes

TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How far estimates from few cases are pulled towards the common ones.

    `cell` is added to every cell of a confusion matrix. `shared` is how many cases, in each true class, the
    matrix of all reviewers together is worth against a reviewer's own. A reviewer with fewer than `min_cases`
    ratings gets no matrix of their own at all. `group` is how many items the overall class prior is worth in
    a group's own. `Smoothing(0, 0, 0, 0)` is the published maximum likelihood.
    """

    cell: float = 0.01
    shared: float = 5.0
    min_cases: int = 5
    group: float = 10.0


PUBLISHED = Smoothing(cell=0.0, shared=0.0, min_cases=0, group=0.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """What EM found.

    `posterior` is items by classes; `prior` groups by classes; `confusion` reviewers by true class by answer
    (classes first), rows summing to 1; `few_cases` marks reviewers who have the shared matrix; `log_likelihood` is that
    of the votes (golden items with their class).
    """

    posterior: Reals
    prior: Reals
    confusion: Reals
    shared: Reals
    few_cases: np.ndarray
    log_likelihood: float
    rounds: int
    converged: bool

    @property
    def class_shares(self) -> Reals:
        """Mean posterior per class over all items."""
        return self.posterior.mean(axis=0)


def fit(
    votes: Votes,
    *,
    smoothing: Smoothing | None = None,
    start: Reals | None = None,
    rounds: int = 500,
    tolerance: float = 1e-7,
) -> Fit:
    """Run EM from `start` (items by classes; by default each item's shares of votes) until no posterior moves
    by more than `tolerance`, or for `rounds` rounds."""
    rule = smoothing or Smoothing()
    posterior = _anchored(votes, shares_of_votes(votes) if start is None else start)
    done, moved, likelihood = 0, np.inf, -np.inf
    prior, confusion, shared = _estimate(votes, posterior, rule)
    while done < rounds and moved > tolerance:
        found, likelihood = _judge(votes, prior, confusion)
        moved = float(np.abs(found - posterior).max())
        posterior, done = found, done + 1
        prior, confusion, shared = _estimate(votes, posterior, rule)
    few = votes.cases < rule.min_cases
    return Fit(posterior, prior, confusion, shared, few, likelihood, done, moved <= tolerance)


def judge(votes: Votes, fitted: Fit) -> Reals:
    """Posterior of each item under a fit, golden items at their class."""
    return _judge(votes, fitted.prior, fitted.confusion)[0]


def _anchored(votes: Votes, posterior: Reals) -> Reals:
    anchored = posterior.copy()
    anchored[votes.known] = np.eye(len(votes.classes))[votes.golden[votes.known]]
    return anchored


def _judge(votes: Votes, prior: Reals, confusion: Reals) -> tuple[Reals, float]:
    """The E step: posterior per item, and the log likelihood."""
    of_answer = np.log(np.maximum(confusion, TINY)).transpose(0, 2, 1).reshape(-1, prior.shape[1])
    joint = np.log(np.maximum(prior, TINY))[votes.group] + votes.incidence @ of_answer
    total = scipy.special.logsumexp(joint, axis=1)
    known = votes.known
    total_known = joint[np.flatnonzero(known), votes.golden[known]]
    likelihood = float(total[~known].sum() + total_known.sum())
    return _anchored(votes, np.exp(joint - total[:, None])), likelihood


def _estimate(votes: Votes, posterior: Reals, rule: Smoothing) -> tuple[Reals, Reals, Reals]:
    """The M step: class priors per group, confusion per reviewer, and the matrix they share."""
    counts = _confusion_counts(votes, posterior)
    together = counts.sum(axis=0)
    shared = _rows(together + rule.cell)
    own = _rows(counts + rule.cell + rule.shared * shared)
    confusion = np.where((votes.cases < rule.min_cases)[:, None, None], shared, own)
    return _prior(votes.group, len(votes.groups), posterior, rule), confusion, shared


def _confusion_counts(votes: Votes, posterior: Reals) -> Reals:
    """Expected number of cases: reviewers by true class by answer."""
    by_cell: Reals = votes.incidence.T @ posterior
    return by_cell.reshape(len(votes.reviewers), len(votes.answers), -1).transpose(0, 2, 1)


def _prior(group: Places, groups: int, posterior: Reals, rule: Smoothing) -> Reals:
    overall = posterior.mean(axis=0)
    size = posterior.shape[1]
    counts = np.stack(
        [np.bincount(group, weights=posterior[:, c], minlength=groups) for c in range(size)], axis=1
    )
    if groups == 1:
        return overall[None, :]
    return _rows(counts + rule.group * overall)


def _rows(counts: Reals) -> Reals:
    """Rows as shares; a row without any case is even."""
    total = counts.sum(axis=-1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1), 1 / counts.shape[-1])
