"""A model trained once for all tests that only look at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_payments import AT, FEATURES, QUICK, labelled, payments

from engine.model import Model, TrainedModel, TrainingData, save, train


@pytest.fixture(scope="session")
def history() -> TrainingData:
    return labelled(*payments(6000))


@pytest.fixture(scope="session")
def trained(history: TrainingData) -> TrainedModel:
    return train(history, QUICK, feature_set=FEATURES)


@pytest.fixture(scope="session")
def saved(trained: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Model]:
    folder = tmp_path_factory.mktemp("models")
    return folder, save(folder, trained, created_at=AT)
