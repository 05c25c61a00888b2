"""When do two rows of features count as the same?"""

from __future__ import annotations

import math
from typing import Any

from engine.features.feature_set import FeatureSet

ROUNDED = ("mean", "std", "fraud_share", "derived")
"""Measures that divide or take roots. All others are equal to the last bit, seconds since something too."""


def same(a: Any, b: Any, measure: str) -> bool:
    if measure in ROUNDED and isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)
    return type(a) is type(b) and a == b


def differing(feature_set: FeatureSet, given: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """(given, wanted) of every feature that is not the same."""
    assert list(given) == list(wanted) == list(feature_set.names)
    pairs = {f.name: (given[f.name], wanted[f.name], f.measure) for f in feature_set.features}
    return {name: pair for name, pair in pairs.items() if not same(*pair)}


def assert_same(feature_set: FeatureSet, given: dict[str, Any], wanted: dict[str, Any], seq: int) -> None:
    different = differing(feature_set, given, wanted)
    assert not different, f"seq {seq}: (given, wanted, measure) {different}"
