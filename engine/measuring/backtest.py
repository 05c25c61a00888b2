"""How would a model trained on one stretch of time have done on a later one, knowing only what was known by
then?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data.errors import InputError
from engine.features.feature_set import FeatureSet
from engine.measuring import metrics
from engine.measuring.intervals import Interval, bootstrap, ranking_intervals
from engine.measuring.labelled_history import History, Window, as_microseconds, load_history
from engine.measuring.review_capacity import AtCapacity, at_capacity
from engine.model.reliability import Reliability, reliability
from engine.model.train import TrainedModel, train

DAY_US = 86_400_000_000
CARDS = 100


@dataclass(frozen=True)
class Protocol:
    """Which rows are learned from, and which are judged.

    Labels become known `delay` after a payment at the earliest. `entity` is the one whose known compromise
    takes it out of the test ("" keeps everybody), counting frauds since `compromised_since` (None: since
    training starts). `cards` is the k of card precision, `reviews_per_day` the capacity at which precision,
    recall and value detection are reported.
    """

    train: Window
    test: Window
    delay: timedelta = timedelta(days=7)
    entity: str = ""
    cards: int = CARDS
    reviews_per_day: int = 100
    compromised_since: datetime | None = None

    def __post_init__(self) -> None:
        if self.delay < timedelta(0):
            raise InputError("a label delay cannot be negative", where="delay", allowed="0d or more")
        if self.test.start < self.train.end:
            raise InputError(
                f"the test starts at {self.test.start} before training ends at {self.train.end}",
                where="windows",
                hint="Leave at least the label delay between them",
            )
        if self.cards < 1 or self.reviews_per_day < 1:
            raise InputError("cards and reviews a day must be counts from 1", where="protocol")

    @property
    def delay_us(self) -> int:
        return self.delay // timedelta(microseconds=1)


@dataclass(frozen=True)
class TestScores:
    """The judged rows, aligned: for comparing two models on the same data."""

    seq: np.ndarray
    day: np.ndarray
    y: np.ndarray
    margin: np.ndarray
    probability: np.ndarray
    amount_minor: np.ndarray
    entity: np.ndarray


@dataclass(frozen=True)
class Backtest:
    """What a backtest found. Counts are transactions; `removed` are test rows of entities already known
    compromised, `unmatured` training rows whose label could not be known when the test began."""

    protocol: Protocol
    train_rows: int
    train_frauds: int
    test_rows: int
    test_frauds: int
    removed: int
    unmatured: int
    silent: int
    auc: Interval
    average_precision: Interval
    card_precision: Interval | None
    card_precision_by_day: tuple[float, ...]
    at_capacity: AtCapacity
    reliability: Reliability
    scores: TestScores
    trained: TrainedModel

    def to_json(self) -> dict[str, Any]:
        """The figures without the rows; what does not exist is null."""
        p = self.protocol
        return {
            "train": {
                "from": p.train.start.isoformat(),
                "to": p.train.end.isoformat(),
                "rows": self.train_rows,
                "frauds": self.train_frauds,
                "unmatured": self.unmatured,
            },
            "test": {
                "from": p.test.start.isoformat(),
                "to": p.test.end.isoformat(),
                "rows": self.test_rows,
                "frauds": self.test_frauds,
                "removed": self.removed,
                "without_outcome": self.silent,
            },
            "label_delay_days": p.delay / timedelta(days=1),
            "entity": p.entity,
            "auc": self.auc.to_json(),
            "average_precision": self.average_precision.to_json(),
            f"card_precision_at_{p.cards}": self.card_precision.to_json() if self.card_precision else None,
            "card_precision_by_day": list(self.card_precision_by_day),
            "at_capacity": self.at_capacity.to_json(),
            **self.reliability.to_json(),
            "params": dict(self.trained.params),
            "features": list(self.trained.encoders.names),
        }


def backtest(
    source: Any,
    feature_set: FeatureSet,
    protocol: Protocol,
    *,
    params: Mapping[str, Any] | None = None,
    seed: int = 1,
    nthread: int = 1,
) -> Backtest:
    """Train and judge once. `source` is a Ledger, or a DuckDB connection with `transactions` and
    `outcomes`."""
    history = load_history(source, feature_set, [protocol.train, protocol.test], entity=protocol.entity)
    return run(history, feature_set, protocol, params=params, seed=seed, nthread=nthread)


def run(
    history: History,
    feature_set: FeatureSet,
    protocol: Protocol,
    *,
    params: Mapping[str, Any] | None = None,
    seed: int = 1,
    nthread: int = 1,
) -> Backtest:
    """The same over a history already loaded, so that many protocols share the work of computing features."""
    learned, unmatured, y_then = _training_rows(history, protocol)
    judged, removed = _test_rows(history, protocol)
    y, reported = history.labels()
    if not y[judged].any():
        raise InputError(
            f"none of the {len(judged):,} test transactions is known to be fraud, so there is nothing to find",
            where=f"{protocol.test.start.isoformat()} to {protocol.test.end.isoformat()}",
            hint="Choose a test window whose outcomes have come in",
        )
    trained = train(
        history.training(learned, y_then),
        params,
        feature_set=feature_set,
        gap_us=protocol.delay_us,
        seed=seed,
        nthread=nthread,
    )
    scores = _score(history, trained, judged, y, protocol)
    counts: dict[str, Any] = {
        "train_rows": len(learned),
        "train_frauds": int(y_then[learned].sum()),
        "test_rows": len(judged),
        "test_frauds": int(y[judged].sum()),
        "removed": removed,
        "unmatured": unmatured,
        "silent": int((~reported[judged]).sum()),
    }
    return Backtest(
        protocol=protocol, scores=scores, trained=trained, **counts, **_measure(scores, protocol, seed)
    )


def _training_rows(history: History, protocol: Protocol) -> tuple[np.ndarray, int, np.ndarray]:
    """Rows whose label could be known when the test began, how many could not, and labels as known then."""
    rows, now = history.rows(protocol.train), protocol.test.start_us
    matured = history.occurred_us[rows] + protocol.delay_us <= now
    y, _ = history.labels(known_by_us=now)
    return rows[matured], int((~matured).sum()), y


def _test_rows(history: History, protocol: Protocol) -> tuple[np.ndarray, int]:
    """Test rows, without those of an entity known to be compromised before their day began (Fraud Detection
    Handbook: its card is blocked by then, so finding it again is no merit)."""
    rows = history.rows(protocol.test)
    since = as_microseconds(protocol.compromised_since or protocol.train.start)
    compromised = history.compromised_us(since, protocol.delay_us)
    day_start = protocol.test.start_us + _day(history.occurred_us[rows], protocol) * DAY_US
    kept = compromised[rows] >= day_start
    return rows[kept], int((~kept).sum())


def _day(occurred_us: np.ndarray, protocol: Protocol) -> np.ndarray:
    """Whole days since the test began."""
    return (occurred_us - protocol.test.start_us) // DAY_US


def _score(
    history: History, trained: TrainedModel, rows: np.ndarray, y: np.ndarray, protocol: Protocol
) -> TestScores:
    model = trained.model()
    margin, probability = model.score_matrix(model.encoders.matrix(history.features.take(rows)))
    return TestScores(
        seq=history.seq[rows],
        day=_day(history.occurred_us[rows], protocol),
        y=y[rows],
        margin=margin,
        probability=probability,
        amount_minor=history.amount_minor[rows],
        entity=history.entity[rows] if len(history.entity) else np.empty(0, dtype=np.int64),
    )


def _measure(s: TestScores, protocol: Protocol, seed: int) -> dict[str, Any]:
    groups = s.entity if len(s.entity) else None
    area, precision = ranking_intervals(s.y, s.margin, seed, groups=groups)
    by_day: list[float] = []
    if groups is not None:
        named = s.entity >= 0
        by_day = metrics.card_precision_by_day(
            s.day[named], s.entity[named], s.y[named], s.margin[named], protocol.cards
        )
    return {
        "auc": area,
        "average_precision": precision,
        "card_precision": _over_days(by_day, seed) if by_day else None,
        "card_precision_by_day": tuple(by_day),
        "at_capacity": at_capacity(
            s.y, s.margin, s.day, s.amount_minor, protocol.reviews_per_day, seed, groups=groups
        ),
        "reliability": reliability(s.y, s.probability),
    }


def _over_days(values: list[float], seed: int) -> Interval:
    """Mean over days, its interval by drawing days: with few of them it is wide, as it should be."""
    v = np.array(values)
    return bootstrap(lambda w: (w * v).sum(axis=-1) / w.sum(axis=-1), np.ones(len(v)), seed)
