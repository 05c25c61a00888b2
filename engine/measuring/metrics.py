"""How well does a score find fraud, in the measures the field uses?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import InputError


@dataclass(frozen=True)
class Ranking:
    """Rows put in order of falling score once, so that any number of re-weighted samples reuse the order.

    The order is cut into cells at `starts`: rows of equal score that hold a fraud, or a whole stretch of rows without
    one. Nothing within a cell changes AUC or average precision, and rare fraud leaves few cells. `fraud_rows` are the
    frauds in order of rank, cut at `fraud_starts` by cell; `fraud_cells` names those cells.
    """

    order: np.ndarray
    starts: np.ndarray
    fraud_rows: np.ndarray
    fraud_starts: np.ndarray
    fraud_cells: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, score: np.ndarray) -> Ranking:
        y, score = np.asarray(y), np.asarray(score, dtype=np.float64)
        if y.shape != score.shape or y.ndim != 1 or not len(y):
            raise InputError(
                f"labels {y.shape} and scores {score.shape} do not match", allowed="one score per label"
            )
        if np.isnan(score).any():
            raise InputError(
                f"{int(np.isnan(score).sum())} scores are not numbers", allowed="scores without NaN"
            )
        order = np.argsort(-score, kind="stable")
        ranked, fraud = score[order], y[order] == 1
        ties = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        holds_fraud = np.add.reduceat(fraud.astype(np.int64), ties) > 0
        starts = ties[np.append(True, holds_fraud[1:] | holds_fraud[:-1])]
        cells = np.searchsorted(starts, np.flatnonzero(fraud), side="right") - 1
        fraud_cells, fraud_starts = np.unique(cells, return_index=True)
        return cls(order, starts, order[fraud], fraud_starts, fraud_cells)

    def counts(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of frauds and of others in each cell, in order of rank; weight is (..., rows)."""
        total = np.add.reduceat(weight[..., self.order], self.starts, axis=-1)
        fraud = np.zeros_like(total)
        if len(self.fraud_rows):
            fraud[..., self.fraud_cells] = np.add.reduceat(
                weight[..., self.fraud_rows], self.fraud_starts, axis=-1
            )
        return fraud, total - fraud

    def auc(self, weight: np.ndarray) -> np.ndarray:
        """Area under the ROC curve for each weight vector; NaN where a class is empty."""
        return _area(*self.counts(weight))

    def average_precision(self, weight: np.ndarray) -> np.ndarray:
        """Sum of precision times the step in recall for each weight vector; NaN without frauds."""
        return _precision(*self.counts(weight))

    def both(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(AUC, average precision) from one count."""
        fraud, other = self.counts(weight)
        return _area(fraud, other), _precision(fraud, other)


def _area(fraud: np.ndarray, other: np.ndarray) -> np.ndarray:
    caught = np.cumsum(fraud, axis=-1)
    area = (other * (caught - fraud / 2)).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return area / (caught[..., -1] * other.sum(axis=-1))


def _precision(fraud: np.ndarray, other: np.ndarray) -> np.ndarray:
    caught = np.cumsum(fraud, axis=-1)
    flagged = caught + np.cumsum(other, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(caught > 0, caught / flagged, 0.0)
        return (precision * fraud).sum(axis=-1) / caught[..., -1]


def auc(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Chance that a fraud scores above a legitimate transaction, ties counting half; NaN where a class is
    empty."""
    return float(Ranking.of(y, score).auc(weights(y, weight))) if len(y) else float("nan")


def average_precision(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Average precision without interpolation, as scikit-learn defines it; NaN without frauds."""
    return float(Ranking.of(y, score).average_precision(weights(y, weight))) if len(y) else float("nan")


def brier(y: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean squared distance of probability from label (Brier 1950)."""
    return float(np.average((np.asarray(probability) - y) ** 2, weights=weights(y, weight)))


def log_loss(y: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean negative log-likelihood in nats, probabilities kept 1e-15 away from 0 and 1."""
    p = np.clip(probability, 1e-15, 1 - 1e-15)
    return float(
        -np.average(np.where(np.asarray(y) == 1, np.log(p), np.log1p(-p)), weights=weights(y, weight))
    )


def value_detection_rate(y: np.ndarray, flagged: np.ndarray, amount: np.ndarray) -> float:
    """Share of the fraudulent amount that was flagged (missing amounts count 0); NaN where no money was
    lost."""
    lost = np.where(np.asarray(y) == 1, np.nan_to_num(np.asarray(amount, dtype=np.float64)), 0.0)
    return float(lost[np.asarray(flagged, dtype=bool)].sum() / lost.sum()) if lost.sum() > 0 else float("nan")


def card_precision_by_day(
    day: np.ndarray, entity: np.ndarray, y: np.ndarray, score: np.ndarray, k: int = 100
) -> list[float]:
    """Card precision at k of each day, in day order (Fraud Detection Handbook, chapter 4).

    Of the k entities with the highest maximum score that day, the share with a fraud that day. An entity
    detected on one day is blocked from then on: it is dropped from later days. Ties go to the smaller
    entity, so that the figure does not depend on row order. The divisor is k even on days with fewer
    entities.
    """
    if k < 1:
        raise InputError(f"card precision needs at least one card, not {k}", where="k", allowed="k >= 1")
    names, codes = np.unique(np.asarray(entity), return_inverse=True)
    detected = np.zeros(len(names), dtype=bool)
    found = []
    for d in np.unique(day):
        rows = np.flatnonzero((day == d) & ~detected[codes])
        top = np.full(len(names), -np.inf)
        np.maximum.at(top, codes[rows], np.asarray(score, dtype=np.float64)[rows])
        fraud = np.zeros(len(names), dtype=bool)
        fraud[codes[rows][np.asarray(y)[rows] == 1]] = True
        present = np.unique(codes[rows])
        chosen = present[np.argsort(-top[present], kind="stable")][:k]
        caught = chosen[fraud[chosen]]
        detected[caught] = True
        found.append(len(caught) / k)
    return found


def card_precision_at_k(
    day: np.ndarray, entity: np.ndarray, y: np.ndarray, score: np.ndarray, k: int = 100
) -> float:
    """Mean over days of `card_precision_by_day`; NaN without days."""
    found = card_precision_by_day(day, entity, y, score, k)
    return float(np.mean(found)) if found else float("nan")


def precision_recall(
    y: np.ndarray, flagged: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, float]:
    """(precision, recall) of a set of flagged rows; NaN where nothing was flagged, or there is no fraud."""
    w = weights(y, weight)
    flag = np.asarray(flagged, dtype=bool)
    fraud, caught, looked = (w * y).sum(), (w * y)[flag].sum(), w[flag].sum()
    return (
        float(caught / looked) if looked > 0 else float("nan"),
        float(caught / fraud) if fraud > 0 else float("nan"),
    )


def weights(y: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The given weights as float64, or ones."""
    return np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
