"""Does a policy that leaves out what may be left out mean what docs/policy.md says of it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import yaml

from engine.policy import (
    Breaker,
    Exploration,
    Labels,
    Policy,
    Promotion,
    Retrain,
    Sampling,
    Thresholds,
    Watch,
    load_policy,
)

DEMO = (Path(__file__).parents[3] / "rules" / "policy.yaml").read_text()
MAY_BE_LEFT_OUT = {
    "": ("breaker", "promotion", "watch", "novelty_at", "queues"),
    "sampling": ("third_review",),
    "labels": ("precedence", "cap", "matures"),
    "retrain": (
        *("judge", "embargo", "max_memory_mb", "new_labels", "drift", "flips", "holdout", "holdout_by"),
    ),
}


@cache
def shortest() -> Policy:
    written: dict[str, dict[str, object]] = yaml.safe_load(DEMO)
    for part, keys in MAY_BE_LEFT_OUT.items():
        for key in keys:
            (written[part] if part else written).pop(key, None)
    return load_policy(yaml.safe_dump(written, sort_keys=False).encode(), "policy.yaml")


def test_what_is_left_out_of_watching_and_trials_is_as_documented() -> None:
    weeks = timedelta(days=7), timedelta(days=28)
    assert shortest().breaker == Breaker(7, 5000, 2.0, 6.0, 0.0001, 0.05) == Breaker()
    assert shortest().promotion == Promotion(14, 20, 10, 0.02) == Promotion()
    assert shortest().watch == Watch(*weeks, 0.5, timedelta(days=7), 0.2) == Watch()
    assert shortest().novelty_at == 1.0


def test_what_is_left_out_of_learning_is_as_documented() -> None:
    retrain = shortest().retrain
    needed = (retrain.every, retrain.min_new_labels, retrain.min_frauds, retrain.promote, retrain.max_seconds)
    gaps = timedelta(days=14), timedelta(days=7)
    assert retrain == Retrain(*needed, *gaps, 4000, 0, False, 5, 0.0, "") == Retrain(*needed)
    labels, sampling = shortest().labels, shortest().sampling
    sources = ("outcome", "golden", "adjudicated", "consensus", "single_verdict", "matured_silence")
    said = Labels(labels.maturity, labels.weights, sources, 1.0, {})
    assert labels == said == Labels(labels.maturity, labels.weights)
    drawn: tuple[float, float, float, Exploration] = (
        sampling.audit,
        sampling.second_review,
        sampling.blind_first,
        sampling.exploration,
    )
    assert sampling == Sampling(*drawn, 0.0) == Sampling(*drawn)


def test_cut_offs_that_follow_from_costs_decline_nothing_by_themselves() -> None:
    assert shortest().thresholds == Thresholds(True, 1.0, 1.0) == Thresholds(solve=True)


@pytest.mark.parametrize(("holding", "somewhere"), [((), False), (("large",), True), (("default",), True)])
def test_one_segment_that_holds_payments_is_enough_to_make_silence_say_nothing(
    holding: tuple[str, ...], somewhere: bool
) -> None:
    segments = {
        name: replace(segment, review_holds_payment=name in holding)
        for name, segment in shortest().segments.items()
    }
    assert replace(shortest(), segments=segments).review_holds_somewhere is somewhere
