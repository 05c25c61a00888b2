"""Do people who judged blind change their minds when they see what the model thinks, and for the better?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import scipy

from casework.quality.subgroups import wilson


@dataclass(frozen=True, slots=True)
class Reveal:
    """A blind verdict and what its author said once the score was shown: whether each said fraud, the model's side,
    and the truth (None where not known)."""

    item: str
    reviewer: str
    before: bool
    after: bool
    model: bool | None = None
    fraud: bool | None = None


def after_reveal(reveals: Sequence[Reveal]) -> dict[str, Any]:
    """Shares of verdicts that changed (Wilson): of all; of those that differed from the model, by whether the model
    was right; and, where the truth is known, how many changes mended and how many spoiled a verdict, with the exact
    test of McNemar (1947)."""
    known = [one for one in reveals if one.fraud is not None]
    against = [one for one in known if one.model is not None and one.before != one.model]
    mended = sum(one.before != one.fraud and one.after == one.fraud for one in known)
    spoiled = sum(one.before == one.fraud and one.after != one.fraud for one in known)
    return {
        "n": len(reveals),
        "changed": _changed(reveals),
        "gave_in_model_right": _changed([one for one in against if one.model == one.fraud]),
        "gave_in_model_wrong": _changed([one for one in against if one.model != one.fraud]),
        "mended": mended,
        "spoiled": spoiled,
        "p": float(scipy.stats.binomtest(mended, mended + spoiled).pvalue) if mended + spoiled else None,
    }


def _changed(reveals: Sequence[Reveal]) -> dict[str, Any]:
    return wilson(sum(one.before != one.after for one in reveals), len(reveals))
