"""Why a margin is what it is."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xgboost as xgb

from engine.model import TrainedModel, TrainingData
from engine.model.explain import ExplanationError, contributions


def test_reasons_sum_to_the_margin(trained: TrainedModel, history: TrainingData) -> None:
    model = trained.model()
    rows = history.features.slice(0, 500).to_pylist()

    margins, _ = model.score_rows(rows)

    for explanation, margin in zip(model.explain(rows), margins, strict=True):
        assert explanation.base + sum(explanation.contributions.values()) == pytest.approx(margin, abs=1e-9)
        assert list(explanation.contributions) == list(model.names)


def test_reasons_are_those_of_the_shap_library(trained: TrainedModel, history: TrainingData) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what shap's own imports say is not about us
        import shap

        matrix = trained.encoders.matrix(history.features.slice(0, 300))
        explainer = shap.TreeExplainer(trained.booster)
        theirs = explainer.shap_values(matrix)
    margin = trained.model().score_matrix(matrix)[0]

    base, ours = contributions(trained.booster, matrix, margin)

    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    np.testing.assert_allclose(base, float(np.ravel(explainer.expected_value)[0]), atol=1e-4)


def test_reasons_that_do_not_add_up_are_refused(trained: TrainedModel, history: TrainingData) -> None:
    matrix = trained.encoders.matrix(history.features.slice(0, 3))
    margin = trained.model().score_matrix(matrix)[0]

    with pytest.raises(ExplanationError, match="the reasons of row 1 sum to"):
        contributions(trained.booster, matrix, margin + np.array([0.0, 0.5, 0.0]))


def test_a_feature_no_tree_uses_explains_nothing() -> None:
    rng = np.random.default_rng(0)
    matrix = np.column_stack([rng.normal(size=500), np.ones(500)]).astype(np.float32)
    booster = xgb.train(
        {"objective": "binary:logistic", "base_score": 0.5, "max_depth": 2},
        xgb.DMatrix(matrix, label=matrix[:, 0] > 1),
        10,
    )
    margin = booster.inplace_predict(matrix, predict_type="margin").astype(np.float64)

    _, values = contributions(booster, matrix, margin)

    assert np.all(values[:, 1] == 0)
    assert np.any(values[:, 0] != 0)
