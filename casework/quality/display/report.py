"""Automation bias: whom do verdicts follow, what do score and explanation change, and does it help?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isnan, log
from typing import Any

import numpy as np

from casework.quality.agreement.against_truth import Judged, holm
from casework.quality.display.contrast import MANY_REVIEWERS, Shown, contrast
from casework.quality.display.revealed import Reveal, after_reveal
from casework.quality.display.screens import Screens, screens_of
from casework.quality.subgroups import wilson

_RATES = (("false_positive_rate", False), ("recall", True))


def equal_rate_threshold(judged: Sequence[Judged]) -> float | None:
    """The score from which the model would call fraud as often as people did; None without scores or flags.

    A calibrated probability of rare fraud hardly ever passes one half, so "the model says fraud" needs a cut: this one
    asks the model for as many alarms as the people it is compared with.
    """
    scored = [one for one in judged if not isnan(one.score)]
    flagged = sum(one.flagged for one in scored)
    if not scored or not flagged:
        return None
    return float(np.sort([one.score for one in scored])[-flagged])


def display_report(
    judged: Sequence[Judged],
    reveals: Sequence[Reveal] = (),
    *,
    threshold: float | None = None,
    baseline: str = "",
    scored: str = "",
    screens: Screens | None = None,
    drawn: Sequence[Judged] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Adherence when the model is right and when it is wrong, by arm and compared between arms; the effect of score and
    of explanation on false positives, recall and seconds; and changes after the reveal.

    `screens` says what the arms showed where their names do not; `drawn` are the verdicts whose arm chance alone chose
    (default: all), for only these can be compared between arms.
    Rates have Wilson intervals; differences a cluster bootstrap and a permutation test, adjusted over all of the report
    (Holm 1979).
    """
    cut = equal_rate_threshold(judged) if threshold is None else threshold
    screens = screens or screens_of(judged, baseline, scored)
    compared = judged if drawn is None else drawn
    effects = [
        one for name, off, on in screens.contrasts() for one in _effects(compared, name, off, on, cut, seed)
    ]
    tested = [one for one in effects if one["p"] is not None]
    for one, p in zip(tested, holm([one["p"] for one in tested]), strict=True):
        one["p_adjusted"] = p
    return {
        "threshold": cut,
        "threshold_is": "given" if threshold is not None else "as many alarms as people raised",
        "screens": {"blind": screens.blind, "scored": screens.scored, "explained": list(screens.explained)},
        "adherence": _adherence(judged, cut) if cut is not None else {},
        "effects": effects,
        "after_reveal": after_reveal(reveals),
        "reviewers_resampled": len({one.reviewer for one in compared}) >= MANY_REVIEWERS,
        "sentence": _sentence(effects, screens),
    }


def _adherence(judged: Sequence[Judged], cut: float) -> dict[str, Any]:
    """By arm: how often a verdict follows the model, by whether the model is right."""
    known = [one for one in judged if one.fraud is not None and not isnan(one.score)]
    return {
        arm or "all": {
            name: _followed([one for one in known if one.arm == arm and _right(one, cut) is right], cut)
            for name, right in (("model_right", True), ("model_wrong", False))
        }
        for arm in sorted({one.arm for one in known})
    }


def _followed(rows: Sequence[Judged], cut: float) -> dict[str, Any]:
    return wilson(sum(one.flagged == (one.score >= cut) for one in rows), len(rows))


def _right(one: Judged, cut: float) -> bool:
    return (one.score >= cut) == one.fraud


def _effects(
    judged: Sequence[Judged], name: str, off: Sequence[str], on: Sequence[str], cut: float | None, seed: int
) -> list[dict[str, Any]]:
    """Every measure of one contrast."""
    rows = [one for one in judged if one.arm in off or one.arm in on]
    about = {"contrast": name, "without_arms": list(off), "with_arms": list(on)}
    found = [{**about, "measure": "said_fraud", **_contrast(rows, [one.flagged for one in rows], on, seed)}]
    for measure, fraud in _RATES:
        asked = [one for one in rows if one.fraud is fraud]
        found.append(
            {**about, "measure": measure, **_contrast(asked, [one.flagged for one in asked], on, seed)}
        )
    timed = [one for one in rows if not isnan(one.seconds) and one.seconds > 0]
    found.append({**about, "measure": "seconds", **_seconds(timed, on, seed)})
    if cut is not None:
        scored = [one for one in rows if not isnan(one.score)]
        follows = [one.flagged == (one.score >= cut) for one in scored]
        found.append({**about, "measure": "follows_model", **_contrast(scored, follows, on, seed)})
        known = [one for one in rows if one.fraud is not None and not isnan(one.score)]
        for measure, right in (("follows_right_model", True), ("follows_wrong_model", False)):
            asked = [one for one in known if _right(one, cut) is right]
            follows = [one.flagged == (one.score >= cut) for one in asked]
            found.append({**about, "measure": measure, **_contrast(asked, follows, on, seed)})
    return found


def _contrast(
    rows: Sequence[Judged], values: Sequence[float], on: Sequence[str], seed: int
) -> dict[str, Any]:
    return contrast(
        Shown(
            np.array(values, dtype=float),
            np.array([one.arm in on for one in rows], dtype=np.int64),
            _codes([one.item for one in rows]),
            _codes([one.reviewer for one in rows]),
        ),
        seed=seed,
    )


def _seconds(rows: Sequence[Judged], on: Sequence[str], seed: int) -> dict[str, Any]:
    """Times are compared as a ratio of geometric means (a long pause counts once, not a hundredfold)."""
    found = _contrast(rows, [log(one.seconds) for one in rows], on, seed)
    for side, chosen in (("without", False), ("with", True)):
        seconds = [one.seconds for one in rows if (one.arm in on) is chosen]
        found[side] = {"value": float(np.median(seconds)) if seconds else None, "n": len(seconds)}
    for key in ("difference", "low", "high"):
        found[key] = None if found[key] is None else exp(found[key])
    return found | {"difference_is": "ratio"}


def _codes(names: Sequence[str]) -> np.ndarray:
    return np.unique(names, return_inverse=True)[1] if names else np.zeros(0, dtype=np.int64)


def _sentence(effects: Sequence[dict[str, Any]], screens: Screens) -> str:
    if not screens.contrasts():
        return "All verdicts were given with the same display, so nothing can be said of its effect."
    sure = [one for one in effects if one.get("p_adjusted", 1.0) < 0.05]
    if not sure:
        return "No difference between the displays is larger than chance could make it."
    parts = [f"{_WORDS[one['measure']]} {_change(one)} with the {one['contrast']}" for one in sure]
    return "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "."


_WORDS = {
    "said_fraud": "the share called fraud",
    "follows_model": "following the model",
    "false_positive_rate": "the false positive rate",
    "recall": "recall",
    "seconds": "seconds a verdict",
    "follows_right_model": "following the model where it is right",
    "follows_wrong_model": "following the model where it is wrong",
}


def _change(one: dict[str, Any]) -> str:
    before, after = one["without"]["value"], one["with"]["value"]
    if one["measure"] == "seconds":
        return f"go from {before:.0f} to {after:.0f}"
    return f"goes from {before:.1%} to {after:.1%}"
