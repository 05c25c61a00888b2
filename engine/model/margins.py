"""What margin do the trees give each row, without what XGBoost's Python interface does around each question?

`Booster.inplace_predict` looks for a dozen kinds of tables, writes its arguments as JSON and wraps its answer: three
quarters of the time of asking about one row. This calls the same function of XGBoost's C interface with the same
arguments, so that the answers are the same to the last bit (a test holds them equal).
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from engine.model.boosting import xgb

_LIBRARY: Any = getattr(xgb.core, "_LIB", None)
_MARGIN = (
    b'{"type": 1, "training": false, "iteration_begin": 0, "iteration_end": 0, "missing": NaN, '
    b'"strict_shape": false, "cache_id": 0}'
)


def margins(booster: xgb.Booster, matrix: np.ndarray) -> np.ndarray:
    """Margins in log-odds, float32 of shape (rows,), of a float32 matrix (rows, inputs) that is not empty."""
    if matrix.dtype == np.float32 and matrix.flags.c_contiguous and _LIBRARY is not None:
        found = _asked(booster, matrix)
        if found is not None:
            return found
    return np.asarray(booster.inplace_predict(matrix, predict_type="margin"))


def _asked(booster: xgb.Booster, matrix: np.ndarray) -> np.ndarray | None:
    """None where XGBoost refuses: its own interface finds the words for it."""
    rows, columns = matrix.shape
    shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    found = ctypes.POINTER(ctypes.c_float)()
    where = b'{"data": [%d, true], "shape": [%d, %d], "strides": null, "typestr": "<f4", "version": 3}'
    failed = _LIBRARY.XGBoosterPredictFromDense(
        booster.handle,
        where % (matrix.ctypes.data, rows, columns),
        _MARGIN,
        None,
        ctypes.byref(shape),
        ctypes.byref(dimensions),
        ctypes.byref(found),
    )
    if failed or dimensions.value != 1 or shape[0] != rows:
        return None
    # The memory is XGBoost's own, and the next question of this thread writes over it.
    return np.ctypeslib.as_array(found, (rows,)).copy()
