"""How do the models in a row fare on payments that none of them learned from, and do decisions go back and forth?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from casework.learning.gates.gates import LabelTurn
from casework.learning.gates.held_against import SomeTurned
from casework.learning.gates.judging import Judged, decided
from casework.quality.subgroups import wilson
from engine.measuring.intervals import ranking_intervals
from engine.model.compare import APPROVE
from engine.model.scoring import Model
from engine.policy import Policy

FEWEST_FLIPS = 20
"""Changed outcomes below which it cannot be said whether they change back more often than by chance."""


def measured(
    lineage: Sequence[Model], challenger: Model, panel: Judged, policy: Policy, seed: int
) -> dict[str, Any] | None:
    """Each generation's figures on the hold-out, oldest first and the challenger last; None where it says nothing.

    `lineage` are champions that read the same features. The payments are the same for all, so the figures compare.
    """
    y, weight = panel.rows.y, panel.rows.weight
    if not 0 < panel.rows.frauds < len(panel.rows):
        return None
    rows = []
    for model in (*lineage, challenger):
        probability, made = decided(model, panel.rows, panel, policy)
        flagged = made.outcome != APPROVE
        rows.append(
            {
                "model_id": model.model_id,
                "average_precision": ranking_intervals(
                    y, probability, seed, weight=weight, groups=panel.customer
                )[1].to_json(),
                "recall": wilson(int((flagged & (y == 1)).sum()), panel.rows.frauds),
                "flagged": int(flagged.sum()),
            }
        )
    return {
        "share": policy.retrain.holdout,
        "by": policy.retrain.holdout_by,
        "rows": len(panel.rows),
        "frauds": panel.rows.frauds,
        "generations": rows,
    }


def oscillation(
    lineage: Sequence[Model],
    challenger: Model,
    panel: Judged,
    policy: Policy,
    *,
    turned: Sequence[LabelTurn],
    changed: Mapping[str, int] | None,
) -> dict[str, Any] | None:
    """Of the payments whose outcome the champion changed, how many this challenger changes back, and whether that is
    more than models that merely differ by chance near a cut-off would (one half); None before the third generation."""
    if len(lineage) < 2 or not len(panel.rows):
        return None
    flagged = [
        decided(model, panel.rows, panel, policy)[1].outcome != APPROVE for model in (*lineage, challenger)
    ]
    flipped = flagged[-2] != flagged[-3]
    back = int((flipped & (flagged[-1] == flagged[-3])).sum())
    share = wilson(back, int(flipped.sum()))
    changes = np.sum([a != b for a, b in pairwise(flagged)], axis=0)
    alarm = share["n"] >= FEWEST_FLIPS and share["low"] > 0.5
    return {
        "payments": len(panel.rows),
        "flips": share["n"],
        "flipped_back": back,
        "share": share,
        "changed_twice_or_more": int((changes >= 2).sum()),
        "generations": len(flagged),
        "alarm": bool(alarm),
        "sentence": _sentence(share, back, turned, changed) if alarm else "",
    }


def labels_alarm(turned: Sequence[LabelTurn]) -> dict[str, Any] | None:
    """The suspicion that labels were swapped, as an alarm; None without one."""
    if not turned:
        return None
    sentence = "; ".join(turn.sentence for turn in turned)
    return {"alarm": True, "sentence": f"{sentence[:1].upper()}{sentence[1:]}."}


def people_alarm(some: SomeTurned | None) -> dict[str, Any] | None:
    """The suspicion that some reviewers swap their answers, as an alarm; None without one."""
    return {"alarm": True, "sentence": some.sentence} if some else None


def _sentence(
    share: Mapping[str, Any], back: int, turned: Sequence[LabelTurn], changed: Mapping[str, int] | None
) -> str:
    return (
        f"Generations go back and forth: of {share['n']} payments whose outcome the champion changed, this challenger "
        f"changes {back} back ({share['value']:.0%} [{share['low']:.0%}, {share['high']:.0%}]; chance near a cut-off "
        f"gives half). {_cause(turned, changed)}"
    )


def _cause(turned: Sequence[LabelTurn], changed: Mapping[str, int] | None) -> str:
    if turned:
        return "Cause: " + "; ".join(turn.sentence for turn in turned) + "."
    moved = changed["to_fraud"] + changed["to_legitimate"] if changed else 0
    if changed and moved:
        return (
            f"Cause: of {changed['both']:,} payments with a label then and now, {changed['to_fraud']:,} turned to "
            f"fraud and {changed['to_legitimate']:,} to legitimate since the champion learned."
        )
    return "No cause shows in the labels: look at the settings of training and at what has changed in the features."
