"""Do the model's probabilities come true, and how sure is that?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.errors import InputError
from engine.measuring import metrics
from engine.measuring.intervals import Interval
from engine.measuring.seen_outcomes import wilson_bounds
from engine.model.calibration import minimised

BINS = 10
_Z = 1.959963984540054
_STEEP = np.array([[-50.0, 50.0], [-50.0, 50.0]])


@dataclass(frozen=True)
class Bin:
    """Payments of similar probability: the mean of it (`predicted`), and the share that was fraud (`observed`) with its
    95 % Wilson interval. `rows` and `frauds` are counts, the shares are weighted."""

    rows: int
    frauds: int
    predicted: float
    observed: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return dict(vars(self))


@dataclass(frozen=True)
class Reliability:
    """How well probabilities are calibrated.

    `slope` and `intercept` are Cox's (1958) calibration line, logit(observed) = intercept + slope logit(predicted);
    `level` is the intercept where the slope is held at 1: above 0 means that more fraud came than was said. A perfect
    model has 1, 0 and 0. `brier_skill` is one minus the Brier score over that of always saying the fraud share.
    """

    bins: tuple[Bin, ...]
    brier: float
    brier_skill: float
    log_loss: float
    slope: Interval
    intercept: Interval
    level: Interval

    def to_json(self) -> dict[str, Any]:
        return {
            "brier": self.brier,
            "brier_skill": self.brier_skill if np.isfinite(self.brier_skill) else None,
            "log_loss": self.log_loss,
            "calibration_slope": self.slope.to_json(),
            "calibration_intercept": self.intercept.to_json(),
            "calibration_level": self.level.to_json(),
            "calibration_curve": [b.to_json() for b in self.bins],
        }


def reliability(y: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> Reliability:
    """Everything about the calibration of `probability` (in (0, 1)) against labels 0 and 1, arrays of one length.

    The calibration line does not exist (NaN) where a class is empty. Its intervals are Wald's, from the curvature of
    the likelihood.
    """
    y, p = np.asarray(y), np.asarray(probability, dtype=np.float64)
    if not len(y) or not ((p > 0) & (p < 1)).all():
        raise InputError("calibration is measured on probabilities within (0, 1)", where="probability")
    w = metrics.weights(y, weight)
    share = float(np.average(y, weights=w))
    brier = metrics.brier(y, p, w)
    (intercept, slope), (level,) = _line(y, p, w, free=True), _line(y, p, w, free=False)
    return Reliability(
        bins=curve(y, p, w),
        brier=brier,
        brier_skill=1 - brier / (share * (1 - share)) if 0 < share < 1 else float("nan"),
        log_loss=metrics.log_loss(y, p, w),
        slope=slope,
        intercept=intercept,
        level=level,
    )


def curve(y: np.ndarray, p: np.ndarray, w: np.ndarray, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins in order of probability that each expect the same number of frauds.

    Bins of equal width would put nearly every payment of a rare-fraud set into the first, bins of equal size would
    leave the few high probabilities, which decide, to the last. Equal probabilities share a bin.
    """
    order = np.argsort(p, kind="stable")
    expected = np.cumsum((w * p)[order])
    place = np.minimum((expected - (w * p)[order] / 2) / expected[-1] * bins, bins - 1).astype(np.int64)
    first_of_equals = np.searchsorted(p[order], p[order])
    place = place[first_of_equals]
    return tuple(_bin(y, p, w, order[place == b]) for b in np.unique(place))


def _bin(y: np.ndarray, p: np.ndarray, w: np.ndarray, rows: np.ndarray) -> Bin:
    total = float(w[rows].sum())
    observed = float((w * y)[rows].sum() / total)
    effective = total**2 / float((w[rows] ** 2).sum())
    low, high = wilson_bounds(observed * effective, effective)
    return Bin(len(rows), int(y[rows].sum()), float((w * p)[rows].sum() / total), observed, low, high)


def _line(y: np.ndarray, p: np.ndarray, w: np.ndarray, *, free: bool) -> tuple[Interval, ...]:
    """The calibration line's (intercept, slope) where `free`, else its intercept at slope 1."""
    fraud = float((w * y).sum())
    if not 0 < fraud < float(w.sum()):
        none = Interval(float("nan"), float("nan"), float("nan"))
        return (none, none) if free else (none,)
    logit = np.log(p) - np.log1p(-p)
    ones = np.ones_like(logit)
    columns = np.stack([ones, logit] if free else [ones])
    offset = np.zeros_like(logit) if free else logit
    start = np.array([0.0, 1.0] if free else [0.0])
    found = minimised(columns, offset, y.astype(np.float64), w / w.sum(), _STEEP[: len(start)], start)
    z = (found[:, None] * columns).sum(axis=0) + offset
    spread = 1.0 / (1.0 + np.exp(-z))
    information = (w * spread * (1 - spread) * columns[:, None] * columns[None]).sum(axis=2)
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    return tuple(
        Interval(float(v), float(v - _Z * e), float(v + _Z * e)) for v, e in zip(found, error, strict=True)
    )
