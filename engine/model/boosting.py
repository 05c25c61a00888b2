"""Which part of XGBoost is loaded?

Its core. Where scikit-learn is installed, importing XGBoost imports that too, for estimators that nothing here uses,
and pandas with it: a second of processor time and 130 MB at each start. It is prepared for scikit-learn's absence.
Its threads wait asleep: on a busy machine, spinning took seven times the processor time of the training itself.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when XGBoost brings its OpenMP with it
_HIDDEN = "sklearn" not in sys.modules
if _HIDDEN:
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # Python's way to say that it cannot be imported
try:
    import xgboost as xgb
finally:
    if _HIDDEN:
        del sys.modules["sklearn"]  # whoever needs it later finds it

__all__ = ["xgb"]
