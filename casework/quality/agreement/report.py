"""What do all coefficients together say about how consistently reviewers decide?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from casework.quality.agreement import coefficients as of
from casework.quality.agreement.intervals import (
    ENOUGH,
    INSUFFICIENT,
    UNDEFINED,
    Evidence,
    Measure,
    Statistic,
    evidence,
    measure,
)
from casework.quality.agreement.pairs import cohen_kappa
from casework.quality.agreement.table import NOBODY, Patterns, Rating, Ratings, patterns, tabulate


@dataclass(frozen=True, slots=True)
class Consistency:
    """The measures of one set of ratings, with what they rest on. `sentence` explains them as a whole."""

    positive: str
    table: Ratings
    basis: Evidence
    measures: dict[str, Measure]
    pairs: tuple[dict[str, Any], ...]
    sentence: str

    @property
    def state(self) -> str:
        """The state of alpha and positive agreement together: the weaker of the two."""
        states = {self.measures["alpha"].state, self.measures["positive_specific"].state}
        return next(state for state in (UNDEFINED, INSUFFICIENT, ENOUGH) if state in states)

    def as_json(self) -> dict[str, Any]:
        table = self.table
        return {
            "state": self.state,
            "sentence": self.sentence,
            "positive": self.positive,
            "categories": list(table.categories),
            "n_all_items": len(table.items),
            "n_ratings": table.n_ratings,
            "n_reviewers": len(table.reviewers),
            "n_items": self.basis.n_items,
            "n_pairs": self.basis.n_pairs,
            "positive_ratings": self.basis.positive_ratings,
            "items_with_positive": self.basis.items_with_positive,
            "disagreeing_items": self.basis.disagreeing_items,
            "repeats": table.repeats,
            "repeats_changed": table.repeats_changed,
            **{name: found.as_json() for name, found in self.measures.items()},
            "by_pair": list(self.pairs),
        }


def consistency(
    ratings: Iterable[Rating],
    *,
    positive: str,
    categories: Sequence[str] = (),
    seed: int = 0,
    with_pairs: bool = True,
    only: Sequence[str] = (),
) -> Consistency:
    """Every measure of one set of ratings, or `only` some of them (alpha, raw, AC1 and positive agreement among them).

    `positive` is the category that specific agreement and the evidence rule look at. `categories` fixes all
    categories in rank order and adds ordinal alpha; without it they are those found, sorted. A
    category that was declared but never used changes nothing.
    """
    rated = list(ratings)
    used = {rating.verdict for rating in rated} | {positive}
    known = [c for c in categories if c in used] or sorted(used)
    table = tabulate(rated, known)
    place = table.categories.index(positive)
    counts = table.counts
    basis = evidence(counts, place)
    found = patterns(counts)
    measures = {
        name: measure(
            name, statistic, found, basis, positives=positives, words=_words(name, positive), seed=seed
        )
        for name, (statistic, positives) in _statistics(place, counts, bool(categories)).items()
        if name in (only or (name,))
    }
    pairs = tuple(_pairs(table, place, seed)) if with_pairs else ()
    return Consistency(positive, table, basis, measures, pairs, _sentence(measures, basis, positive))


def by_arm(ratings: Iterable[Rating], **options: Any) -> dict[str, dict[str, Any]]:
    """The report of each display arm, from ratings given in that arm only."""
    rated = list(ratings)
    arms = sorted({rating.arm for rating in rated} - {""})
    return {
        arm: consistency([r for r in rated if r.arm == arm], with_pairs=False, **options).as_json()
        for arm in arms
    }


def within_arm(ratings: Iterable[Rating]) -> list[Rating]:
    """The same ratings with an item split by arm, so that only people who saw the same thing are compared."""
    return [Rating(f"{len(r.arm)}:{r.arm}:{r.item}", r.reviewer, r.verdict, r.arm) for r in ratings]


def _statistics(place: int, counts: np.ndarray, ranked: bool) -> dict[str, tuple[Statistic, bool]]:
    """Each measure's name, its statistic, and whether its interval rests on positive ratings."""
    used = counts.sum(axis=0) > 0

    def ac1(rows: np.ndarray, weights: np.ndarray, shares_from: str) -> np.ndarray:
        return of.gwet_ac1(rows[:, used], weights, shares_from=shares_from)

    def negative(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        two_classes = np.stack([rows[:, place], np.delete(rows, place, axis=1).sum(axis=1)], axis=1)
        return of.specific(two_classes, weights, 1)

    found: dict[str, tuple[Statistic, bool]] = {
        "raw": (of.raw, False),
        "positive_specific": (lambda r, w: of.specific(r, w, place), True),
        "negative_specific": (negative, False),
        "alpha": (of.krippendorff_alpha, True),
        "ac1": (lambda r, w: ac1(r, w, "paired_items"), False),
        "ac1_all_items": (lambda r, w: ac1(r, w, "all_items"), False),
    }
    if ranked:
        found["alpha_ordinal"] = (lambda r, w: of.krippendorff_alpha(r, w, of.ordinal), True)
    return found


def _pairs(table: Ratings, place: int, seed: int) -> Iterable[dict[str, Any]]:
    for first, second in combinations(table.reviewers, 2):
        rows = table.pair(first, second).rows
        both = rows[(rows != NOBODY).all(axis=1)]
        if len(both):
            yield {"reviewers": [first, second], **_pair_measures(both, place, len(table.categories), seed)}


def _pair_measures(rows: np.ndarray, place: int, categories: int, seed: int) -> dict[str, Any]:
    counts = np.stack([(rows == c).sum(axis=1) for c in range(categories)], axis=1).astype(float)
    basis = evidence(counts, place)
    by_row: Patterns = patterns(rows)
    kappa = measure(
        "cohen_kappa", lambda r, w: cohen_kappa(r, w, categories), by_row, basis, positives=True, seed=seed
    )
    everyone = np.ones((1, len(counts)))
    specific = float(of.specific(counts, everyone, place)[0])
    return {
        "n_items": len(rows),
        "raw": float(of.raw(counts, everyone)[0]),
        "positive_specific": None if np.isnan(specific) else specific,
        "cohen_kappa": kappa.as_json(),
    }


def _words(name: str, positive: str) -> Any:
    sentences = {
        "raw": "Two reviewers of the same item gave the same verdict in {:.0%} of pairs.",
        "positive_specific": f"When one reviewer says {positive}, another says so too in {{:.0%}} of cases.",
        "negative_specific": f"When one does not say {positive}, another agrees in {{:.0%}} of cases.",
        "alpha": "Agreement beyond chance, chance being one common pool of verdicts: {:.2f} of a possible 1.",
        "alpha_ordinal": "The same with the middle category counted as half a disagreement: {:.2f}.",
        "ac1": "Gwet's AC1, class shares from items with two reviewers or more: {:.2f}.",
        "ac1_all_items": "Gwet's AC1, class shares from all items (Gwet 2014): {:.2f}.",
    }
    return sentences[name].format


def _sentence(measures: dict[str, Measure], basis: Evidence, positive: str) -> str:
    """Why alpha and AC1 differ on skewed verdicts, in words with this table's own numbers."""
    raw, alpha, ac1 = (measures[name].value for name in ("raw", "alpha", "ac1"))
    ratings = 2 * basis.n_pairs
    if raw is None or alpha is None or ac1 is None or not ratings:
        return measures["alpha"].sentence
    if measures["alpha"].state != ENOUGH:
        return f"{measures['alpha'].sentence} Take the values as a first look, not as a finding."
    counted = f"Raw agreement is {raw:.2f}, alpha {alpha:.2f}, AC1 {ac1:.2f}."
    if ac1 - alpha < 0.15:
        return f"{counted} Verdicts are balanced enough for the coefficients to tell the same story."
    common = measures["positive_specific"].value
    said = (
        ""
        if common is None
        else f"; where one says {positive.replace('_', ' ')}, another concurs in {common:.0%}"
    )
    return (
        f"{counted} They differ because one verdict is much rarer than the other: people agree easily on the "
        f"many plain cases, which AC1 credits and alpha puts down to chance{said}. Never compare alpha "
        "between queues with different shares of fraud."
    )
