"""What does the model say about these transactions, why, and how unusual are they?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.errors import InputError
from engine.decision import Explanation, FeatureValue
from engine.model.boosting import xgb
from engine.model.calibration import Calibrator
from engine.model.dataset import Encoders, rounded
from engine.model.explain import contributions
from engine.model.margins import margins
from engine.model.novelty import Novelty

Row = Mapping[str, FeatureValue]
Scores = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Model:
    """A trained model that scores. `manifest` is its record as stored; it is empty until the model is saved.

    Scoring is read only and may be called from several threads at once.
    """

    model_id: str
    booster: xgb.Booster
    encoders: Encoders
    calibrator: Calibrator
    novel: Novelty
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The features the model reads, in the order of the matrix columns."""
        return self.encoders.names

    def score_rows(self, rows: Sequence[Row]) -> Scores:
        """(margin, probability), float64 arrays of shape (rows,), from feature dicts that hold at least
        `names`."""
        return self.score_matrix(self.encoders.rows(rows))

    def score_matrix(self, matrix: np.ndarray) -> Scores:
        """The same from a float32 matrix (rows, inputs) as `encoders` makes it."""
        if matrix.ndim != 2 or matrix.shape[1] != len(self.names):
            raise InputError(
                f"a matrix of shape {matrix.shape} does not fit the model",
                where=self.model_id,
                allowed=f"(rows, {len(self.names)})",
            )
        if not len(matrix):
            return np.empty(0), np.empty(0)
        margin = margins(self.booster, matrix).astype(np.float64)
        return margin, self.calibrator.probability(margin)

    def ask(self, rows: Sequence[Row]) -> tuple[list[float], list[float], list[float]]:
        """Margin, probability and novelty of each row, as `score_rows` and `novelty` give them, all at once."""
        exact = self.encoders.exact_rows(rows)
        margin, probability = self.score_matrix(rounded(exact))
        return margin.tolist(), probability.tolist(), self.novel.of_rows(rows, exact, self.names)

    def explain(self, rows: Sequence[Row], margin: Sequence[float] | None = None) -> list[Explanation]:
        """SHAP values of each row in log-odds; they sum with the base to its margin within 1e-5.

        `margin` are the margins of these rows where they are known: the trees need not be asked again.
        """
        matrix = self.encoders.rows(rows)
        return self.explain_matrix(matrix, None if margin is None else np.array(margin, dtype=np.float64))

    def explain_matrix(self, matrix: np.ndarray, margin: np.ndarray | None = None) -> list[Explanation]:
        if not len(matrix):
            return []
        if margin is None:
            margin, _ = self.score_matrix(matrix)
        base, values = contributions(self.booster, matrix, margin)
        return [
            Explanation(float(b), dict(zip(self.names, row.tolist(), strict=True)))
            for b, row in zip(base, values, strict=True)
        ]

    def novelty(self, row: Row) -> float:
        """How unusual a row is, as the share of training rows that were less strange, in [0, 1]."""
        return self.novel.score(row)
