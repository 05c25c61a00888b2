"""Who said what, as plain arrays that an estimator can count?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy

from casework.quality.agreement.table import Rating
from data.errors import InputError

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True)
class Votes:
    """Ratings as index triples: vote v is by `reviewer[v]` on `item[v]`, choosing `choice[v]`.

    `group[i]` is the index of item i's group (a lane, a queue), all 0 where there are none; `golden[i]` is
    the index of its known class or -1. `left_out` counts ratings dropped because the same person had already
    rated the item. `beside` are answers that are no class ("inconclusive"): they tell something of an item, as
    each reviewer's matrix says, but no item is of them.
    """

    items: tuple[str, ...]
    reviewers: tuple[str, ...]
    classes: tuple[str, ...]
    item: Places
    reviewer: Places
    choice: Places
    golden: Places
    groups: tuple[str, ...]
    group: Places
    left_out: int = 0
    beside: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """What can be said of an item: the classes, then the answers that are no class."""
        return (*self.classes, *self.beside)

    @property
    def tally(self) -> Reals:
        """How often each answer was given: items by answers."""
        size = len(self.answers)
        flat = np.bincount(self.item * size + self.choice, minlength=len(self.items) * size)
        return flat.reshape(-1, size).astype(float)

    @property
    def cases(self) -> Places:
        """How many ratings each reviewer gave."""
        return np.bincount(self.reviewer, minlength=len(self.reviewers))

    @property
    def reviewers_per_item(self) -> Places:
        """How many different people rated each item."""
        pairs = np.unique(np.stack([self.item, self.reviewer], axis=1), axis=0)
        return np.bincount(pairs[:, 0], minlength=len(self.items))

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which items are golden."""
        return self.golden != UNKNOWN

    @cached_property
    def incidence(self) -> scipy.sparse.csr_array:
        """How often each reviewer gave each answer to each item: items by reviewers times answers, sparse."""
        size = len(self.answers)
        cell = self.reviewer * size + self.choice
        shape = (len(self.items), len(self.reviewers) * size)
        return scipy.sparse.coo_array((np.ones(len(cell)), (self.item, cell)), shape=shape).tocsr()


def count_votes(
    ratings: Iterable[Rating],
    *,
    golden: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    classes: Sequence[str] = (),
    beside: Sequence[str] = (),
    repeats: bool = False,
) -> Votes:
    """Lay out ratings as votes.

    A second rating of an item by the same person is left out unless `repeats` (a second look by one person is
    not a second person; Dawid and Skene's own example counts them). `golden` maps items to their known class,
    `groups` items to a group; items of either that nobody rated are ignored. `classes` fixes the classes and
    their order, `beside` names answers that are no class. Raises InputError when nothing was rated or an answer is
    not among the given ones.
    """
    seen: set[tuple[str, str]] = set()
    kept: list[Rating] = []
    left_out = 0
    for rating in ratings:
        spot = (rating.item, rating.reviewer)
        if spot in seen and not repeats:
            left_out += 1
            continue
        seen.add(spot)
        kept.append(rating)
    if not kept:
        raise InputError("there are no verdicts to pool")
    items = tuple(dict.fromkeys(rating.item for rating in kept))
    there = set(items)
    truth = {item: value for item, value in (golden or {}).items() if item in there}
    names = _classes(kept, truth, tuple(classes), tuple(beside))
    reviewers = tuple(sorted({rating.reviewer for rating in kept}))
    of_group = [(groups or {}).get(item, "") for item in items]
    group_names = tuple(sorted(set(of_group)))
    return Votes(
        items,
        reviewers,
        names,
        _places([r.item for r in kept], items),
        _places([r.reviewer for r in kept], reviewers),
        _places([r.verdict for r in kept], (*names, *beside)),
        np.array([names.index(truth[i]) if i in truth else UNKNOWN for i in items], dtype=np.int64),
        group_names,
        _places(of_group, group_names),
        left_out,
        tuple(beside),
    )


def _classes(
    kept: list[Rating], truth: dict[str, str], given: tuple[str, ...], beside: tuple[str, ...]
) -> tuple[str, ...]:
    used = ({rating.verdict for rating in kept} - set(beside)) | set(truth.values())
    stray = sorted(used - set(given)) if given else []
    if stray:
        raise InputError(f"'{stray[0]}' is not a class", allowed=", ".join(given))
    return given or tuple(sorted(used))


def _places(words: Sequence[str], names: tuple[str, ...]) -> Places:
    place = {name: i for i, name in enumerate(names)}
    return np.array([place[word] for word in words], dtype=np.int64)


def shares_of_votes(votes: Votes) -> Reals:
    """Share of each item's votes per class, golden items at their known class: items by classes.

    An item of which nobody named a class has the shares of all votes together.
    """
    tally = votes.tally[:, : len(votes.classes)]
    total = tally.sum(axis=1, keepdims=True)
    together = tally.sum(axis=0) if tally.any() else np.ones(tally.shape[1])
    shares = np.where(total > 0, tally / np.maximum(total, 1), together / together.sum())
    shares[votes.known] = np.eye(len(votes.classes))[votes.golden[votes.known]]
    return shares
