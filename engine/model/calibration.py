"""How does a margin become a probability without ever changing the order of two transactions?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.errors import InputError

FOLDS = 5
MIN_FRAUDS = 20
STEEPNESS = (0.05, 20.0)
SHIFT_BOUNDS = (-30.0, 30.0)
MOST_STEPS = 100
SHRINKS = tuple(0.5**i for i in range(20))


@dataclass(frozen=True)
class Calibrator:
    """logit(probability) = shift + high * log(1 + e^margin) - low * log(1 + e^-margin).

    This is beta calibration (Kull, Silva Filho, Flach 2017) of s = sigmoid(margin). With low = high it is
    Platt scaling, with both 1 a shift alone. `low` and `high` are the slopes far below and far above zero;
    both are positive, so the map is strictly monotone.
    """

    kind: str
    low: float
    high: float
    shift: float

    def __post_init__(self) -> None:
        if not (self.low > 0 and self.high > 0 and np.isfinite(self.shift)):
            raise InputError(
                "a calibrator must rise strictly", where="calibrator", allowed="low > 0, high > 0"
            )

    def probability(self, margin: np.ndarray) -> np.ndarray:
        """Probability of fraud in (0, 1) for margins in log-odds, any shape, computed in float64."""
        m = np.asarray(margin, dtype=np.float64)
        z = self.shift + self.high * np.logaddexp(0.0, m) - self.low * np.logaddexp(0.0, -m)
        return 1.0 / (1.0 + np.exp(-z))

    def to_json(self) -> dict[str, str | float]:
        return {"kind": self.kind, "low": self.low, "high": self.high, "shift": self.shift}

    @classmethod
    def from_json(cls, stored: Mapping) -> Calibrator:
        return cls(str(stored["kind"]), float(stored["low"]), float(stored["high"]), float(stored["shift"]))


@dataclass(frozen=True)
class Calibration:
    """The chosen calibrator, its out-of-fold probabilities (for honest figures), and the held-out weighted
    log-loss of every candidate."""

    calibrator: Calibrator
    held_out: np.ndarray
    log_loss: Mapping[str, float]


def calibrate(margin: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Calibration:
    """Choose Platt or beta by weighted log-loss over five held-out folds, then fit the choice on everything.

    Beta must win, not draw: it has one parameter more. With fewer than 20 frauds (or 20 others) only the
    level is moved, since a slope learned from a handful of frauds is noise.
    """
    if not len(y):
        raise InputError(
            "there is nothing to calibrate on", where="labels", allowed="at least one labelled row"
        )
    few = min(int(y.sum()), int(len(y) - y.sum())) < MIN_FRAUDS
    kinds = ("shift",) if few else ("platt", "beta")
    held_out = {kind: _cross_fitted(kind, margin, y, weight) for kind in kinds}
    losses = {kind: _log_loss(p, y, weight) for kind, p in held_out.items()}
    best = "beta" if not few and losses["beta"] < losses["platt"] - 1e-5 else kinds[0]
    return Calibration(fit(best, margin, y, weight), held_out[best], losses)


def fit(kind: str, margin: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Calibrator:
    """Fit one kind by weighted log-loss, a convex problem with one answer. Targets are smoothed as in Platt (1999),
    so that separable data keep finite slopes."""
    m = np.asarray(margin, dtype=np.float64)
    above, below = np.logaddexp(0.0, m), -np.logaddexp(0.0, -m)
    ones = np.ones_like(m)
    columns = np.stack({"shift": [ones], "platt": [m, ones], "beta": [below, above, ones]}[kind])
    offset = m if kind == "shift" else np.zeros_like(m)
    frauds, others = float(weight[y == 1].sum()), float(weight[y == 0].sum())
    target = np.where(y == 1, (frauds + 1) / (frauds + 2), 1 / (others + 2))
    slopes = len(columns) - 1
    bounds = np.array([STEEPNESS] * slopes + [SHIFT_BOUNDS])
    start = np.append(np.ones(slopes), 0.0)
    found = minimised(columns, offset, target, weight / weight.sum(), bounds, start).tolist()
    low = found[0] if slopes else 1.0
    high = found[1] if slopes == 2 else low
    return Calibrator(kind, low, high, found[-1])


def minimised(
    columns: np.ndarray,
    offset: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    bounds: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """Coefficients of `columns`, one each, of least weighted log-loss within `bounds`, from `start`.

    Projected Newton steps (Bertsekas 1982): parameters held by a bound sit out.

    A solver from a library would do, but for three parameters its threads cost a hundred times the arithmetic.
    """
    low, high = bounds.T
    theta = start

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        z = (at[:, None] * columns).sum(axis=0) + offset
        return float((weight * (np.logaddexp(0.0, z) - target * z)).sum()), z

    value, z = loss(theta)
    for _ in range(MOST_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(z, -700, 700)))
        slope = (weight * (p - target) * columns).sum(axis=1)
        held = ((theta <= low) & (slope > 0)) | ((theta >= high) & (slope < 0))
        if held.all() or np.abs(slope[~held]).max() < 1e-12:
            break
        free = columns[~held]
        curve = (weight * p * (1 - p) * free[:, None] * free[None]).sum(axis=2)
        step = np.zeros_like(theta)
        step[~held] = np.linalg.solve(curve + 1e-12 * np.eye(len(free)), slope[~held])
        for shrink in SHRINKS:
            trial = np.clip(theta - shrink * step, low, high)
            reached, z_there = loss(trial)
            if reached < value:
                break
        else:
            break  # no step helps any more: this is the minimum as far as float64 can tell
        theta, value, z = trial, reached, z_there
    return theta


def _cross_fitted(kind: str, margin: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Each row's probability by a calibrator that did not see it. Folds interleave within each class, so
    every fold has its share of the rare one."""
    fold = np.empty(len(y), dtype=np.int64)
    for value in (0, 1):
        rows = np.flatnonzero(y == value)
        fold[rows] = np.arange(len(rows)) % FOLDS
    out = np.empty(len(y))
    for k in range(FOLDS):
        held, rest = fold == k, fold != k
        seen = rest if rest.any() else held
        if held.any():
            out[held] = fit(kind, margin[seen], y[seen], weight[seen]).probability(margin[held])
    return out


def _log_loss(p: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return float(-(weight * np.where(y == 1, np.log(p), np.log1p(-p))).sum() / weight.sum())
