"""How would agreement have developed had the mix of cases stayed the same?

Alpha and kappa fall when fraud gets rarer though nobody changed. So each period is post-stratified: its items are
weighted such that every band of the score has the share it has over all periods (Little 1993). The weighting is part of
the statistic, so the bootstrap includes what it costs in precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from casework.quality.agreement.breakdown import WEEK, Placed
from casework.quality.agreement.coefficients import (
    Values,
    Weights,
    divided,
    gwet_ac1,
    krippendorff_alpha,
    raw,
)
from casework.quality.agreement.intervals import Statistic, evidence, measure
from casework.quality.agreement.report import within_arm
from casework.quality.agreement.table import patterns, tabulate

BANDS = 5
_MEASURES: dict[str, tuple[Statistic, bool]] = {
    "raw": (raw, False),
    "alpha": (krippendorff_alpha, True),
    "ac1": (lambda rows, weights: gwet_ac1(rows, weights, shares_from="paired_items"), False),
}


def cuts(scores: Values, bands: int = BANDS) -> Values:
    """Inner borders of bands that hold equally many of the scores; fewer where scores repeat."""
    known = scores[~np.isnan(scores)]
    if not len(known):
        return np.zeros(0)
    inner = np.unique(np.quantile(known, np.arange(1, bands) / bands))
    return inner[(inner > known.min()) & (inner <= known.max())]


def at_fixed_mix(
    placed: Sequence[Placed], *, positive: str, categories: Sequence[str] = (), seed: int = 0
) -> dict[str, Any] | None:
    """Raw agreement, alpha and AC1 by week, as observed and at the mix of score bands of all weeks together.

    None where no item with two reviewers has a score or a week. A band that no item of a week is in cannot be made up
    for: the others share its part, and the row says which is missing.
    """
    ratings = within_arm([one.rating for one in placed])
    used = sorted({rating.verdict for rating in ratings} | {positive})
    known = [c for c in categories if c in used] or used
    table = tabulate(ratings, known)
    score_of = {item.item: one.score for item, one in zip(ratings, placed, strict=True)}
    week_of = {item.item: one.facts.get(WEEK, ("",))[0] for item, one in zip(ratings, placed, strict=True)}
    score = np.array([score_of[item] for item in table.items], dtype=float)
    week = np.array([week_of[item] for item in table.items])
    counts = table.counts
    usable = (counts.sum(axis=1) >= 2) & ~np.isnan(score) & (week != "") if len(counts) else np.zeros(0, bool)
    if not usable.any():
        return None
    counts, score, week = counts[usable], score[usable], week[usable]
    borders = cuts(score)
    band = np.searchsorted(borders, score, side="right")
    mix = np.bincount(band, minlength=len(borders) + 1) / len(band)
    place = known.index(positive)
    weeks = [
        _week(name, counts[week == name], band[week == name], mix, place, seed) for name in np.unique(week)
    ]
    return {"bands": _bands(borders, mix), "weeks": weeks}


def _week(
    name: str, counts: np.ndarray, band: np.ndarray, mix: np.ndarray, place: int, seed: int
) -> dict[str, Any]:
    found = patterns(np.column_stack([band, counts]))
    basis = evidence(counts, place)
    row: dict[str, Any] = {
        "week": str(name),
        "n_items": len(counts),
        "positive_share": float(counts[:, place].sum() / counts.sum()),
        "missing_bands": [int(b) for b in np.flatnonzero(np.bincount(band, minlength=len(mix)) == 0)],
        "observed": {},
        "fixed_mix": {},
    }
    for key, (statistic, positives) in _MEASURES.items():
        for how, of in (("observed", _plain(statistic)), ("fixed_mix", _weighted(statistic, mix))):
            row[how][key] = measure(key, of, found, basis, positives=positives, seed=seed).as_json()
    return row


def _plain(statistic: Statistic) -> Statistic:
    return lambda rows, weights: statistic(rows[:, 1:], weights)


def _weighted(statistic: Statistic, mix: np.ndarray) -> Statistic:
    """The statistic of items weighted so that each band has its share of the mix; their number stays the same."""

    def of(rows: np.ndarray, weights: Weights) -> Values:
        within = rows[:, 0].astype(int)[:, None] == np.arange(len(mix))
        there = weights @ within.astype(float)
        share = np.where(there > 0, mix, 0.0)
        share = share / share.sum(axis=1, keepdims=True)
        factor = np.nan_to_num(divided(share * there.sum(axis=1, keepdims=True), there))
        return statistic(rows[:, 1:], weights * (factor @ within.T.astype(float)))

    return of


def _bands(borders: Values, mix: np.ndarray) -> list[dict[str, Any]]:
    ends = [None, *(float(b) for b in borders), None]
    return [{"from": ends[i], "below": ends[i + 1], "share": float(share)} for i, share in enumerate(mix)]
