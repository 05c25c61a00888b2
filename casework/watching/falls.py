"""Whom do declines and false alarms fall on, and by more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt
from typing import Any

import numpy as np

from casework.quality.subgroups import wilson
from casework.settings.evidence_of_fraud import EXPLORABLE
from casework.watching.performance import DECLINE, LEAST, REVIEW, Record
from engine.measuring.seen_outcomes import wilson_bounds
from engine.measuring.two_samples import corrected
from engine.units import percent

JSON = dict[str, Any]
UNLIKELY = 0.05


def by_subgroup(record: Record, attribute: str) -> JSON:
    """Decline rates and false positive rates by the values of the protected attribute, each against all others
    together, two-sided, corrected for the number of groups.

    A false positive is a good payment that the engine declined or put before a person. Good payments that stayed
    declined are never seen, so those released by chance stand for them, weighed by one over that chance.
    """
    if not attribute or not len(record):
        return {"attribute": attribute, "groups": [], "sentence": "The policy names no protected attribute."}
    declined = (record.outcome == DECLINE) | (record.evidence.route == EXPLORABLE)
    stopped = declined | (record.outcome == REVIEW)
    values = sorted(set(record.value.tolist()))
    rows = [_subgroup(record, value, declined, stopped) for value in values]
    tests = [row[kind]["p_value"] for row in rows for kind in ("decline", "false_positive")]
    q_values = corrected([1.0 if p is None else p for p in tests])
    for n, row in enumerate(rows):
        row["decline"]["q_value"], row["false_positive"]["q_value"] = q_values[2 * n], q_values[2 * n + 1]
    return {"attribute": attribute, "groups": rows, "sentence": _subgroup_sentence(attribute, rows)}


def _subgroup(record: Record, value: str, declined: np.ndarray, stopped: np.ndarray) -> JSON:
    here = record.value == value
    rate = wilson(int(declined[here].sum()), int(here.sum()))
    rate["p_value"] = _two_sided(_effective(declined, here, None), _effective(declined, ~here, None))
    good = record.evidence.truth.settled & (record.evidence.fraud == 0)
    weight = 1.0 / record.evidence.chance
    inside, outside = (_effective(stopped, side & good, weight) for side in (here, ~here))
    wrong = _weighed(*inside)
    naive = wilson(int((stopped & here & good).sum()), int((here & good).sum()))
    wrong |= {"p_value": _two_sided(inside, outside), "naive": naive}
    return {"value": value, "n": int(here.sum()), "decline": rate, "false_positive": wrong}


def _effective(flag: np.ndarray, chosen: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
    """Share and effective number (Kish 1965) of the chosen."""
    w = np.ones(int(chosen.sum())) if weight is None else weight[chosen]
    if not len(w):
        return 0.0, 0.0
    return float((w * flag[chosen]).sum() / w.sum()), float(w.sum() ** 2 / (w**2).sum())


def _weighed(share: float, effective: float) -> JSON:
    """A weighed share with its Wilson interval at the effective number; None where there is none."""
    if effective <= 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    low, high = wilson_bounds(share * effective, effective)
    return {"value": share, "low": low, "high": high, "n": round(effective)}


def _two_sided(a: tuple[float, float], b: tuple[float, float]) -> float | None:
    """p-value of the difference of two shares at their effective numbers (pooled normal); None where one has none."""
    (share_a, n_a), (share_b, n_b) = a, b
    if n_a <= 0 or n_b <= 0:
        return None
    pooled = (share_a * n_a + share_b * n_b) / (n_a + n_b)
    spread = sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    return 1.0 if spread == 0 else float(erfc(abs(share_a - share_b) / spread / sqrt(2)))


def _subgroup_sentence(attribute: str, rows: Sequence[JSON]) -> str:
    odd = [
        f"{row['value']} ({kind.replace('_', ' ')} rate {percent(row[kind]['value'])})"
        for row in rows
        for kind in ("decline", "false_positive")
        if row["n"] >= LEAST and row[kind]["q_value"] <= UNLIKELY and row[kind]["value"] is not None
    ]
    if not odd:
        return (
            f"By {attribute.replace('_', ' ')}, no group differs from the others beyond what chance explains."
        )
    return f"By {attribute.replace('_', ' ')}, these differ from all others together: {'; '.join(odd)}."
