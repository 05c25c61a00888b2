"""What is each group of features, and each setting, worth on the Handbook's validation folds?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.features.feature_set import FeatureSet
from engine.measuring.backtest import Backtest, Protocol, run
from engine.measuring.labelled_history import History


@dataclass(frozen=True)
class Variant:
    """The whole, less some features of the model, or with other settings."""

    name: str
    without: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("everything, default settings"),
    Variant("without the amount against the habit", ("amount_to_habit",)),
    Variant("without the largest amount of the week against the habit", ("customer_max_to_habit_7d",)),
    Variant("without both", ("amount_to_habit", "customer_max_to_habit_7d")),
    Variant("without old frauds told from recent ones", ("terminal_fraud_count_older",)),
    Variant(
        "only the book's label windows (1, 7, 30 days)",
        (
            "terminal_fraud_share_3d",
            "terminal_fraud_share_14d",
            "terminal_fraud_share_21d",
            "terminal_fraud_count_older",
        ),
    ),
    Variant("without the largest amount at the terminal", ("terminal_amount_max_14d",)),
    Variant("all columns for every tree", params={"colsample_bytree": 1.0}),
    Variant("min_child_weight 1", params={"min_child_weight": 1.0}),
    Variant("depth 3, eta 0.1 (the defaults before)", params={"max_depth": 3, "eta": 0.1}),
    Variant("256 bins (XGBoost's own)", params={"max_bin": 256}),
)


def rows(history: History, features: FeatureSet, protocols: Sequence[Protocol]) -> Iterator[str]:
    """Table rows, one a variant: AUC, average precision, card precision, means over the folds."""
    for variant in VARIANTS:
        found = [run(history, fewer(features, variant.without), p, params=variant.params) for p in protocols]
        yield f"| {variant.name} | {means(found)} |"


def fewer(features: FeatureSet, without: Sequence[str]) -> FeatureSet:
    """The same features, some of them kept from the model."""
    kept = tuple(replace(f, model=f.model and f.name not in without) for f in features.features)
    return replace(features, features=kept)


def means(found: Sequence[Backtest]) -> str:
    """AUC, average precision and card precision as cells of a table, means over the folds."""
    cards = [f.card_precision.value for f in found if f.card_precision]
    figures = ([f.auc.value for f in found], [f.average_precision.value for f in found], cards)
    return " | ".join(f"{np.mean(values):.3f}" for values in figures)
