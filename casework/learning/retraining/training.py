"""What does a challenger learn from a snapshot, and how does it fare against the champion on later time?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casework.learning.gates import gates, judging
from casework.learning.retraining import evidence, tables
from casework.learning.retraining.code_version import code_version
from casework.learning.retraining.inputs import Inputs
from engine.features.feature_set import FeatureSet
from engine.measuring.review_capacity import Capacity
from engine.model import registry
from engine.model.card import PAGE_FILE, write_card
from engine.model.dataset import TrainingData
from engine.model.scoring import Model
from engine.model.search import search
from engine.model.train import TrainedModel, train


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger, the gates' answers, and what was found out on the way (JSON)."""

    model: Model
    gates: list[gates.Gate]
    record: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        return all(g.passed for g in self.gates)


def run(inputs: Inputs, *, at: datetime) -> Trained:
    """Train on matured labels, judge on the period after, ask the gates, keep the model on disk.

    InputError where the labels do not suffice even to train.
    """
    taken, policy = inputs.snapshot, inputs.snapshot.policy
    inputs.tell("features")
    features, known = taken.features(), tables.known(inputs)
    learned = tables.learned(known, taken)
    inputs.tell("search" if inputs.go_on else "training")
    trained = _trained(inputs, learned, features, judging.amounts(known.context, learned.seq))
    notes = {
        "features_yaml": taken.features_text,
        "train_until": known.periods.train_until.isoformat(),
        "code_version": code_version(),
    }
    model = registry.save(inputs.models, trained, created_at=at, snapshot=taken.manifest, notes=notes)
    inputs.tell("judging")
    found = evidence.found(inputs, model, known, learned)
    limits = gates.GateLimits(policy.retrain.min_new_labels, policy.retrain.min_frauds)
    verdict = gates.judge(found.evidence, limits)
    record = evidence.record(inputs, model, known, found) | evidence.over_generations(
        inputs, model, known, found
    )
    inputs.tell("model card")
    told = {
        "subgroups": judging.subgroups(found.judged, found.compared),
        "standing": {
            "gates": [gate.as_dict() for gate in verdict],
            "holdout": record["holdout"],
            "average_precision": record["average_precision"],
            "naive": record["naive_average_precision"],
        },
    }
    _describe(inputs.models / model.model_id, model, known.features, features, told)
    inputs.tell("done")
    return Trained(model, verdict, record)


def _trained(
    inputs: Inputs, learned: TrainingData, features: FeatureSet, amount_minor: np.ndarray
) -> TrainedModel:
    """The model, with settings from policy or from a search around them."""
    policy = inputs.snapshot.policy
    how: dict[str, Any] = {
        "feature_set": features,
        "gap_us": features.label_delay_us,
        "seed": inputs.seed,
        "nthread": inputs.nthread,
    }
    capacity = Capacity(policy.capacity.reviews_per_day, amount_minor)
    if inputs.go_on is None:
        return train(learned, policy.model, capacity=capacity, **how)
    found = search(learned, policy.model, go_on=inputs.go_on, **how)
    inputs.tell("training")
    return replace(train(learned, found.settings, capacity=capacity, **how), search=found.to_json())


def _describe(
    folder: Path, model: Model, table: pa.Table, features: FeatureSet, told: Mapping[str, Any]
) -> None:
    """Write the model's card. The same model trained again keeps the one whose digests are on record."""
    if not (folder / PAGE_FILE).exists():
        phrases = {f.name: f.phrase for f in features.features}
        write_card(folder, model, table, phrases=phrases, **told)
