"""Which settings would have ranked this institution's own later frauds better than the defaults do?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import InputError
from engine.measuring import metrics
from engine.model.boosting import xgb
from engine.model.dataset import ModelFeatures, TrainingData, fit_encoders, training_matrix
from engine.model.train import checked_params, fit_trees, margins, split_at

if TYPE_CHECKING:
    import optuna

FOLDS = 3
MOST_ROWS = 300_000
MOST_TRIALS = 200
MIN_FRAUDS = 10
GoOn = Callable[[int], bool]


@dataclass(frozen=True)
class Fold:
    """Learn from rows `learn`, rank rows `judge`, which came later; both are positions in seq order."""

    learn: np.ndarray
    judge: np.ndarray


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, and the average precision they reached on each fold."""

    settings: Mapping[str, Any]
    average_precision: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.average_precision))


@dataclass(frozen=True)
class Search:
    """What a search found. Trial 0 is the settings as they were, so `chosen` is never worse than them on the folds;
    the figures of the chosen trial are flattering all the same, being the best of many."""

    trials: Sequence[Trial]
    chosen: int
    folds: Sequence[Mapping[str, Any]]
    seed: int

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the chosen trial, for `train`."""
        return self.trials[self.chosen].settings

    def to_json(self) -> dict[str, Any]:
        """For the model's record: every trial, and which one was chosen."""
        return {
            "method": "tree-structured Parzen estimator, mean average precision over time-ordered folds",
            "library": f"optuna {version('optuna')}",
            "seed": self.seed,
            "folds": [dict(f) for f in self.folds],
            "trials": [
                {"settings": dict(t.settings), "average_precision": list(t.average_precision)}
                for t in self.trials
            ],
            "chosen": self.chosen,
            "average_precision_before": self.trials[0].mean,
            "average_precision_chosen": self.trials[self.chosen].mean,
        }


def search(
    data: TrainingData,
    params: Mapping[str, Any] | None,
    *,
    feature_set: ModelFeatures,
    go_on: GoOn,
    gap_us: int = 0,
    seed: int = 1,
    nthread: int = 1,
) -> Search:
    """Try settings until `go_on(trials done)` says no, or 200 were tried; the first are `params` themselves.

    It is asked after every round of every tree, so that a budget is overrun by no more than a round; a trial that is
    stopped so is forgotten. Only the first is always finished: without it there would be no answer.
    Only the earlier part of the data is used (of it, the latest 300,000 rows), so that the figures `train` measures on
    the later part stay honest. Each fold learns from the past and is judged on what came next, leaving out rows within
    `gap_us` (the label delay) before it, whose labels nobody could have had. The same data, seed and number of trials
    give the same answer. Raises InputError where no fold has frauds on both sides.
    """
    import optuna  # a tenth of a second, and only training children need it

    settings = checked_params(params)
    known = data.part(0, split_at(data, settings["calibration_share"]))
    known = known.part(max(0, len(known) - MOST_ROWS), len(known))
    folds = time_folds(known, gap_us)
    ready = [_prepared(known, fold, feature_set, seed) for fold in folds]
    trials: list[Trial] = []

    def objective(trial: optuna.Trial) -> float:
        tried = {**settings, **(suggested(trial) if trials else {})}
        watch = _Budget((lambda: go_on(len(trials))) if trials else lambda: True)
        judged = _judged(ready, tried, watch, seed, nthread)
        if judged:
            trials.append(Trial(tried, judged))
        if watch.spent or not go_on(len(trials)):
            trial.study.stop()
        return trials[-1].mean  # of a trial given up nobody asks any more

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        study.optimize(objective, n_trials=MOST_TRIALS)
    finally:
        optuna.logging.set_verbosity(verbosity)
    chosen = max(range(len(trials)), key=lambda i: trials[i].mean)
    return Search(trials, chosen, [_described(known, fold) for fold in folds], seed)


class _Budget(xgb.callback.TrainingCallback):  # type: ignore[misc]  # XGBoost tells no types
    """Stops the training of trees as soon as there is nothing left to spend."""

    def __init__(self, go_on: Callable[[], bool]) -> None:
        super().__init__()
        self.go_on = go_on
        self.spent = False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self.spent = self.spent or not self.go_on()
        return self.spent


def _judged(
    folds: Sequence[_Prepared], settings: Mapping[str, Any], watch: _Budget, seed: int, nthread: int
) -> tuple[float, ...]:
    """Average precision on each fold; nothing where the budget was spent before the last one was done."""
    found: list[float] = []
    for fold in folds:
        found.append(fold.judged(settings, seed, nthread, watch))
        if watch.spent:
            return ()
    return tuple(found)


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """One point of the space that is searched: wide enough for any table, all of it safe for rare fraud."""
    return {
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "eta": trial.suggest_float("eta", 0.02, 0.3, log=True),
        "rounds": trial.suggest_int("rounds", 40, 600, log=True),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 20.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30.0, log=True),
        "gamma": trial.suggest_float("gamma", 0.0, 3.0),
    }


def time_folds(data: TrainingData, gap_us: int = 0) -> list[Fold]:
    """Up to three folds: the later half of the rows in equal stretches, each judged by what lies before it and its gap.

    Folds with fewer than 10 frauds on either side, or without good payments, say nothing and are left out.
    """
    edges = np.linspace(len(data) // 2, len(data), FOLDS + 1).astype(int).tolist()
    found = []
    for first, last in pairwise(edges):
        known_by = data.occurred_us[first:last].min(initial=np.iinfo(np.int64).max) - gap_us
        fold = Fold(np.flatnonzero(data.occurred_us[:first] <= known_by), np.arange(first, last))
        if _tells(data, fold.learn) and _tells(data, fold.judge):
            found.append(fold)
    if not found:
        raise InputError(
            f"{data.frauds:,} frauds among {len(data):,} labels are too few to search settings on",
            where="labels",
            allowed=f"{MIN_FRAUDS} frauds on both sides of a cut in time",
            hint="Train without --tune; the defaults suit rare fraud.",
        )
    return found


def _tells(data: TrainingData, rows: np.ndarray) -> bool:
    return MIN_FRAUDS <= int(data.y[rows].sum()) < len(rows)


@dataclass(frozen=True)
class _Prepared:
    """A fold as matrices, which no setting that is searched changes."""

    learn: TrainingData
    judge: TrainingData
    learn_matrix: np.ndarray
    judge_matrix: np.ndarray

    def judged(self, settings: Mapping[str, Any], seed: int, nthread: int, watch: _Budget) -> float:
        """Average precision on what came next; of fewer trees than asked for once the budget is spent."""
        rows = (self.learn_matrix, self.learn.y, self.learn.weight)
        booster = fit_trees(*rows, settings, seed=seed, nthread=nthread, callbacks=[watch])
        return metrics.average_precision(self.judge.y, margins(booster, self.judge_matrix), self.judge.weight)


def _prepared(data: TrainingData, fold: Fold, features: ModelFeatures, seed: int) -> _Prepared:
    learn, judge = data.take(fold.learn), data.take(fold.judge)
    encoders = fit_encoders(learn, features)
    return _Prepared(learn, judge, training_matrix(learn, encoders, seed), encoders.matrix(judge.features))


def _described(data: TrainingData, fold: Fold) -> dict[str, Any]:
    learn, judge = data.take(fold.learn), data.take(fold.judge)
    return {
        "learned_rows": len(learn),
        "learned_frauds": learn.frauds,
        "judged_rows": len(judge),
        "judged_frauds": judge.frauds,
        "judged_first_seq": int(judge.seq[0]),
        "judged_last_seq": int(judge.seq[-1]),
    }
