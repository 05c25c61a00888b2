"""How much did each feature move this margin, exactly?"""

from __future__ import annotations

import numpy as np

from data.errors import SecondLookError
from engine.model.boosting import xgb

TOLERANCE = 1e-5


class ExplanationError(SecondLookError):
    """SHAP values do not add up to the margin they explain."""


def contributions(
    booster: xgb.Booster, matrix: np.ndarray, margin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exact path-dependent tree SHAP (Lundberg et al. 2020): base (rows,) and values (rows, inputs) in
    log-odds.

    Raises ExplanationError where base + sum of values is further than 1e-5 (relative for margins beyond 1,
    as they are float32) from the margin. What rounding is left within that goes into the base, so that
    stored reasons add up.
    """
    found = booster.predict(xgb.DMatrix(matrix, nthread=1), pred_contribs=True).astype(np.float64)
    gap = np.abs(found.sum(axis=1) - margin)
    worst = int(np.argmax(gap / np.maximum(1.0, np.abs(margin))))
    if gap[worst] > TOLERANCE * max(1.0, abs(float(margin[worst]))):
        raise ExplanationError(
            f"the reasons of row {worst} sum to {found[worst].sum():.8f}, its margin is {margin[worst]:.8f}",
            hint="The model file and the XGBoost version may not belong together",
        )
    values = found[:, :-1]
    return margin - values.sum(axis=1), values
