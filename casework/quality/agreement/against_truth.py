"""Where the truth is known, how often are reviewers right, by person and by display arm?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan, sqrt
from typing import Any

import numpy as np
import scipy

from casework.quality.subgroups import wilson
from data.errors import InputError

TRUE_WORDS = ("1", "true", "yes", "y", "fraud", "fraudulent", "positive", "confirmed_fraud")
FALSE_WORDS = ("0", "false", "no", "n", "legitimate", "genuine", "ok", "negative", "legit", "not fraud")
NO_SCORE_WORDS = ("no score", "without", "blind", "no_score", "baseline")


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict with what is known about it: did it say fraud, was it fraud (None where not known), how sure
    (as stated, '' where not), seconds (NaN where not known), the score on the screen (NaN where not known)."""

    item: str
    reviewer: str
    arm: str
    flagged: bool
    fraud: bool | None = None
    confidence: str = ""
    seconds: float = float("nan")
    score: float = float("nan")
    given_at: datetime | None = None


def is_fraud(word: str, positive: str, categories: Sequence[str], *, where: str = "") -> bool | None:
    """A truth as written: a verdict category, or a common word for yes or no; None where it is empty."""
    if not word:
        return None
    if word in categories:
        return word == positive
    lowered = word.lower()
    if lowered.endswith(".0"):
        lowered = lowered[:-2]
    if lowered in TRUE_WORDS or lowered in FALSE_WORDS:
        return lowered in TRUE_WORDS
    raise InputError(
        f"'{word}' is no truth", where=where, allowed=", ".join([*categories, "1", "0", "true", "false"])
    )


def rates(judged: Iterable[Judged]) -> dict[str, Any]:
    """Recall, precision, false positive rate with 95 % Wilson intervals, over verdicts whose truth is known.

    Several verdicts on one item count each; their errors hang together, so intervals over many reviewers are
    somewhat too narrow.
    """
    known = [one for one in judged if one.fraud is not None]
    flagged = [one for one in known if one.flagged]
    hits = sum(bool(one.fraud) for one in flagged)
    frauds = sum(bool(one.fraud) for one in known)
    return {
        "n": len(known),
        "frauds": frauds,
        "recall": wilson(hits, frauds),
        "precision": wilson(hits, len(flagged)),
        "false_positive_rate": wilson(len(flagged) - hits, len(known) - frauds),
    }


def by(judged: Sequence[Judged], field: str) -> dict[str, dict[str, Any]]:
    """Rates by reviewer or by arm, in the order of their names."""
    names = sorted({getattr(one, field) for one in judged} - {""})
    return {name: rates(one for one in judged if getattr(one, field) == name) for name in names}


def baseline_arm(judged: Sequence[Judged], wanted: str = "") -> str:
    """The arm others are set against: the wanted one, else one whose name says that no score was shown, else
    the first by name."""
    arms = sorted({one.arm for one in judged} - {""})
    if wanted and wanted not in arms:
        raise InputError(f"there is no arm '{wanted}'", allowed=", ".join(arms))
    plain = [arm for arm in arms if any(word in arm.lower() for word in NO_SCORE_WORDS)]
    return wanted or next(iter([*plain, *arms]), "")


def arm_effects(judged: Sequence[Judged], baseline: str) -> list[dict[str, Any]]:
    """Each other arm against the baseline: difference in false positive rate and recall with Newcombe's (1998)
    hybrid score interval, Fisher's exact test, and its p adjusted for the number of arms (Holm 1979)."""
    found = by(judged, "arm")
    others = [arm for arm in found if arm != baseline]
    rows = []
    for measure in ("false_positive_rate", "recall"):
        compared = [_compared(found[baseline][measure], found[arm][measure]) for arm in others]
        adjusted = holm([one["p"] for one in compared])
        rows += [
            {"arm": arm, "baseline": baseline, "measure": measure, **one, "p_adjusted": p}
            for arm, one, p in zip(others, compared, adjusted, strict=True)
        ]
    return rows


def _compared(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if not base["n"] or not other["n"]:
        return {"without": base, "with": other, "difference": None, "low": None, "high": None, "p": 1.0}
    cells = [[round(one["value"] * one["n"]) for one in (base, other)]]
    cells.append([base["n"] - cells[0][0], other["n"] - cells[0][1]])
    difference = other["value"] - base["value"]
    low = difference - sqrt((other["value"] - other["low"]) ** 2 + (base["high"] - base["value"]) ** 2)
    high = difference + sqrt((other["high"] - other["value"]) ** 2 + (base["value"] - base["low"]) ** 2)
    p = float(scipy.stats.fisher_exact(cells)[1])
    return {"without": base, "with": other, "difference": difference, "low": low, "high": high, "p": p}


def holm(values: Sequence[float]) -> list[float]:
    """p values adjusted so that the chance of any false alarm among them stays at the level (Holm 1979)."""
    adjusted = [1.0] * len(values)
    floor = 0.0
    for rank, place in enumerate(np.argsort(values, kind="stable")):
        floor = max(floor, min(1.0, (len(values) - rank) * values[place]))
        adjusted[int(place)] = floor
    return adjusted


def calibration(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """By stated confidence: number of verdicts, share of all, and how many were right (Wilson)."""
    known = [one for one in judged if one.fraud is not None and one.confidence]
    levels: dict[str, list[bool]] = {}
    for one in known:
        levels.setdefault(one.confidence, []).append(one.flagged == one.fraud)
    return [
        {
            "confidence": level,
            "n": len(right),
            "share": len(right) / len(known),
            "right": wilson(sum(right), len(right)),
        }
        for level, right in levels.items()
    ]


def adherence(judged: Sequence[Judged], threshold: float) -> dict[str, Any]:
    """Automation bias by arm: how often a verdict follows the score's side of the threshold when that is right,
    and when it is wrong. An arm without sight of the score tells how often people agree with it unseen."""
    known = [one for one in judged if one.fraud is not None and not isnan(one.score)]

    def followed(rows: list[Judged], right: bool) -> dict[str, Any]:
        asked = [one for one in rows if ((one.score >= threshold) == one.fraud) is right]
        return wilson(sum(one.flagged == (one.score >= threshold) for one in asked), len(asked))

    arms = sorted({one.arm for one in known})
    table = {arm or "all": [one for one in known if one.arm == arm] for arm in arms}
    rows = {
        arm: {"model_right": followed(rows, True), "model_wrong": followed(rows, False)}
        for arm, rows in table.items()
    }
    return {"threshold": threshold, "by_arm": rows}
