"""What does the share of fraud alone do to each coefficient, while two analysts stay as good as they are?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha, raw, specific

SHARES = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
# What professional analysts were measured at (docs/consistency.md), where a report has no truth of its own.
USUAL_RECALL, USUAL_FALSE_POSITIVE_RATE = 0.49, 0.14
_BOTH_ONE_NEITHER = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])


def pattern_shares(recall: float, false_positive_rate: float, fraud: float) -> np.ndarray:
    """Shares of items that both, one or neither of two independent analysts call fraud."""
    both = fraud * recall**2 + (1 - fraud) * false_positive_rate**2
    neither = fraud * (1 - recall) ** 2 + (1 - fraud) * (1 - false_positive_rate) ** 2
    return np.array([both, 1 - both - neither, neither])


def skew(
    recall: float = USUAL_RECALL,
    false_positive_rate: float = USUAL_FALSE_POSITIVE_RATE,
    shares: Sequence[float] = SHARES,
) -> dict[str, Any]:
    """Raw and positive agreement, alpha and AC1 of two independent analysts of this skill at each share of fraud, and
    a sentence that says what the picture shows."""
    points = [_point(recall, false_positive_rate, share) for share in shares]
    high = max(points, key=lambda p: p["alpha"])
    rare = points[0]
    sentence = (
        f"The same two analysts: alpha falls from {high['alpha']:.2f} at {high['fraud']:.0%} fraud to "
        f"{rare['alpha']:.2f} at {rare['fraud']:.1%} though nobody changed"
    )
    return {
        "recall": recall,
        "false_positive_rate": false_positive_rate,
        "points": points,
        "sentence": sentence,
    }


def _point(recall: float, false_positive_rate: float, fraud: float) -> dict[str, float]:
    weights = pattern_shares(recall, false_positive_rate, fraud)[None, :] * 1e9
    return {
        "fraud": fraud,
        "raw": float(raw(_BOTH_ONE_NEITHER, weights)[0]),
        "positive_specific": float(specific(_BOTH_ONE_NEITHER, weights, 0)[0]),
        "alpha": float(krippendorff_alpha(_BOTH_ONE_NEITHER, weights)[0]),
        "ac1": float(gwet_ac1(_BOTH_ONE_NEITHER, weights)[0]),
    }
