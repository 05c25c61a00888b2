"""What do seconds, runs and the place in a shift say, of everybody together and of one person?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from casework.quality.pace.case_mix import against_mix, residuals
from casework.quality.pace.fatigue import by_position, trend
from casework.quality.pace.runs import identical
from casework.quality.pace.shifts import InShift, Worked, in_shifts

ODD = 0.01
"""The chance below which a run of identical verdicts is worth a look."""


def pace_report(worked: Sequence[Worked], *, seed: int = 0) -> dict[str, Any]:
    """Position in shift and trend over everybody's verdicts; no person is named."""
    shifted = in_shifts(worked)
    left = residuals([one.work for one in shifted]) if shifted else np.zeros(0)
    found = trend(shifted, left, seed=seed)
    return {
        "n": len(shifted),
        "n_shifts": len({one.shift for one in shifted}),
        "by_position": by_position(shifted, left),
        "trend": found,
        "sentence": _sentence(found),
    }


def person_pace(worked: Sequence[Worked], reviewer: str, *, seed: int = 0) -> dict[str, Any]:
    """One person's seconds against the case mix, runs of identical verdicts, and place in shift. `worked` are
    everybody's verdicts: what others take for the same kinds of case is the measure."""
    shifted = in_shifts(worked)
    left = residuals([one.work for one in shifted]) if shifted else np.zeros(0)
    mine = [i for i, one in enumerate(shifted) if one.work.reviewer == reviewer]
    own, own_left = [shifted[i] for i in mine], left[mine]
    runs = identical(_shifts(own), seed=seed)
    return {
        "reviewer": reviewer,
        "seconds": against_mix([one.work for one in own], own_left),
        "runs": runs | {"sentence": run_sentence(runs)},
        "by_position": by_position(own, own_left),
        "trend": trend(own, own_left, seed=seed),
        "n_shifts": len({one.shift for one in own}),
    }


def run_sentence(runs: dict[str, Any]) -> str:
    """What the longest run means, said so that nobody reads chance as carelessness."""
    if runs["chance"] is None:
        return "Too few verdicts to say whether a run of identical ones is unusual."
    how = (
        "hardly ever, so it is worth a look at these cases"
        if runs["chance"] < ODD
        else f"in {runs['chance']:.0%} of orders, so it says nothing"
    )
    return (
        f"The longest run of identical verdicts in a shift is {runs['longest']}; with the same verdicts in shuffled "
        f"order one at least as long comes {how}."
    )


def _shifts(shifted: Sequence[InShift]) -> list[list[bool]]:
    found: dict[int, list[bool]] = {}
    for one in shifted:
        found.setdefault(one.shift, []).append(one.work.flagged)
    return list(found.values())


def _sentence(found: dict[str, Any]) -> str:
    if found["p"] is None:
        return "Too few verdicts in long enough shifts to say whether the pace changes."
    if found["p"] >= 0.05:
        return "Pace does not change along a shift by more than chance."
    way = "quicker" if found["factor_per_ten"] < 1 else "slower"
    return (
        f"Verdicts get {way} along a shift: seconds change by a factor of {found['factor_per_ten']:.2f} with every ten "
        "verdicts, on the same kinds of case."
    )
