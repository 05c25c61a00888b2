"""What do the Handbook's test folds look like as a calibration curve and a precision-recall curve?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from engine.measuring.backtest import Backtest
from engine.model.card_pictures import calibration_picture
from engine.model.reliability import Reliability, reliability

matplotlib.use("Agg")
import matplotlib.pyplot as plt

INK = "#1f5fa8"


def pooled(folds: Sequence[Backtest]) -> Reliability:
    """Calibration of all folds together: each probability is that of its own fold's model."""
    y, p = (np.concatenate([getattr(f.scores, part) for f in folds]) for part in ("y", "probability"))
    return reliability(y, p)


def calibration(path: Path, folds: Sequence[Backtest]) -> None:
    """Write the calibration curve of all folds together as a PNG."""
    path.write_bytes(calibration_picture([b.to_json() for b in pooled(folds).bins]))


def precision_recall(path: Path, folds: Mapping[str, Sequence[Backtest]], ceiling: Sequence[float]) -> None:
    """Write the precision-recall curve of every fold of each named run; `ceiling` is drawn as its recall."""
    figure, axes = plt.subplots(figsize=(6.0, 4.2))
    for colour, (name, found) in zip((INK, "#c2571a"), folds.items(), strict=False):
        for number, fold in enumerate(found):
            recall, precision = curve(fold.scores.y, fold.scores.margin)
            axes.plot(
                recall, precision, color=colour, alpha=0.55, linewidth=1.1, label=None if number else name
            )
    axes.axvline(float(ceiling[0]), color="#777777", linewidth=1, linestyle="--")
    axes.text(
        float(ceiling[0]) - 0.01,
        0.03,
        "knowable after a week's delay",
        ha="right",
        color="#555555",
        fontsize=8,
    )
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left")
    how: dict[str, Any] = {"dpi": 110, "bbox_inches": "tight", "metadata": {"Software": ""}}
    figure.savefig(path, **how)
    plt.close(figure)


def curve(y: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision) at every cut-off, the highest first; equal scores are cut together."""
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    caught = np.cumsum(y[order])[last]
    return caught / y.sum(), caught / (last + 1)
