"""How is a model trained so that it ranks rare fraud well and its probabilities hold later in time?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from data.errors import ConfigError, InputError
from engine.features.feature_set import DAY_US
from engine.measuring.drift import Profile, profile
from engine.measuring.intervals import ranking_intervals
from engine.measuring.review_capacity import Capacity, at_capacity, days_of
from engine.model.boosting import xgb
from engine.model.calibration import Calibration, Calibrator, calibrate
from engine.model.dataset import Encoders, ModelFeatures, TrainingData, fit_encoders, training_matrix
from engine.model.novelty import Novelty, fit_novelty
from engine.model.reliability import reliability
from engine.model.scoring import Model

# base_score and max_bin are not XGBoost's own defaults: estimated base_score and 256 bins cost 0.02 to 0.1
# average precision on rare fraud, because frauds are too few to be worth a bin edge of their own. The weight a leaf
# needs is counted in p (1 - p), of which a rare fraud that the trees already suspect has little: 1 is too much. The
# rest was chosen on the four validation folds of the Fraud Detection Handbook, never on its test folds.
DEFAULTS: Mapping[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "base_score": 0.5,
    "max_bin": 2048,
    "max_depth": 4,
    "eta": 0.05,
    "rounds": 200,
    "min_child_weight": 0.5,
    "subsample": 1.0,
    "colsample_bytree": 0.7,
    "reg_lambda": 1.0,
    "reg_alpha": 0.0,
    "gamma": 0.0,
    "calibration_share": 0.25,
    "refit": True,
}
OWN = ("rounds", "calibration_share", "refit")  # ours, not XGBoost's
LATECOMERS = 0.01
"""The share of the later part that may have happened before it began, so that one late payment costs no weeks."""
FIXED = ("objective", "tree_method")  # the margin must be log-odds, and training deterministic


@dataclass(frozen=True)
class TrainedModel:
    """A model and what training found out about it, ready for the registry.

    `metrics` are measured on the later part by a model that learned from the earlier part only, with
    probabilities from calibrators that did not see the row. `label_summary` says what it learned from, `search` how
    its settings were found (empty where they were given).
    """

    booster: xgb.Booster
    encoders: Encoders
    calibrator: Calibrator
    novelty: Novelty
    reference: Profile
    params: Mapping[str, Any]
    seed: int
    metrics: Mapping[str, Any]
    label_summary: Mapping[str, Any]
    search: Mapping[str, Any] = field(default_factory=dict)

    def model(self, model_id: str = "unsaved", manifest: Mapping[str, Any] | None = None) -> Model:
        """The scoring part, under an id."""
        return Model(model_id, self.booster, self.encoders, self.calibrator, self.novelty, manifest or {})


def train(
    data: TrainingData,
    params: Mapping[str, Any] | None = None,
    *,
    feature_set: ModelFeatures,
    capacity: Capacity | None = None,
    gap_us: int = 0,
    seed: int = 1,
    nthread: int = 1,
) -> TrainedModel:
    """Fit on the earlier part, calibrate and measure on the later part (a quarter of the rows, by seq),
    then refit the trees on everything with the same settings (`refit: false` keeps the first ones).

    Of the earlier part the last `gap_us` (the label delay) are left out: nobody had their labels when the later part
    began. A past that is too short for that is learned from whole, and `measured_on` says which it was.
    The calibrator stays the one fitted on the later part, since only there are the margins those of unseen rows. With
    `capacity` (aligned with the rows) it is also measured there what a team of that size would find. The same data,
    parameters and seed give the same model bit for bit, whatever `nthread`. Raises InputError for labels without both
    classes, ConfigError for a parameter that is not one of DEFAULTS.
    """
    settings = checked_params(params)
    _refuse_unusable(data)
    split = split_at(data, settings["calibration_share"])
    later = data.part(split, len(data))
    earlier, known = _earlier(data, split, gap_us)
    booster, encoders = fit(earlier, feature_set, settings, seed, nthread)
    margin = margins(booster, encoders.matrix(later.features))
    calibration = calibrate(margin, later.y, later.weight)
    figures = _figures(later, margin, calibration, seed) | {
        "measured_on": _measured_on(gap_us if known else 0)
    }
    if capacity is not None:
        figures["at_capacity"] = _at_capacity(later, margin, capacity.part(split, len(data)), seed)
    if settings["refit"]:
        booster, encoders = fit(data, feature_set, settings, seed, nthread)
    booster.set_param({"nthread": 1})  # for one row, waking a second thread costs more than it saves
    matrix = encoders.matrix(data.features)
    return TrainedModel(
        booster=booster,
        encoders=encoders,
        calibrator=calibration.calibrator,
        novelty=fit_novelty(data.features, encoders, matrix, feature_set.growing),
        reference=profile(data.features, encoders.names, feature_set.categorical),
        params=settings,
        seed=seed,
        metrics=figures,
        label_summary=_label_summary(data, earlier, later),
    )


def checked_params(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """DEFAULTS with `params` over them; what is unknown or would break calibration is refused."""
    given = dict(params or {})
    unknown = sorted(given.keys() - DEFAULTS.keys())
    if unknown:
        allowed = ", ".join(n for n in DEFAULTS if n not in FIXED)
        raise ConfigError(
            f"'{unknown[0]}' is not a model parameter",
            where="model",
            allowed=allowed,
            hint="scale_pos_weight is left out on purpose: it lowers average precision"
            if "scale_pos_weight" in unknown
            else "",
        )
    settings = {**DEFAULTS, **given}
    for name in FIXED:
        if settings[name] != DEFAULTS[name]:
            raise ConfigError(f"'{name}' cannot be changed", where="model", allowed=str(DEFAULTS[name]))
    if not 0.05 <= float(settings["calibration_share"]) <= 0.5:
        raise ConfigError("calibration_share is out of range", where="model", allowed="0.05 to 0.5")
    if not 1 <= int(settings["rounds"]) <= 5000:
        raise ConfigError("rounds is out of range", where="model", allowed="1 to 5000")
    return settings


def fit_trees(
    matrix: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    settings: Mapping[str, Any],
    *,
    seed: int,
    nthread: int,
    callbacks: Sequence[xgb.callback.TrainingCallback] = (),
) -> xgb.Booster:
    """Boosted trees on a float32 matrix with NaN for missing; rows in seq order, which training depends
    on. `callbacks` are told of every round."""
    given = {k: v for k, v in settings.items() if k not in OWN}
    rows = xgb.QuantileDMatrix(
        matrix, label=y, weight=weight, max_bin=int(settings["max_bin"]), nthread=nthread
    )
    given |= {"seed": seed, "nthread": nthread, "verbosity": 1}
    return xgb.train(given, rows, num_boost_round=int(settings["rounds"]), callbacks=list(callbacks))


def fit(
    data: TrainingData, features: ModelFeatures, settings: Mapping[str, Any], seed: int, nthread: int
) -> tuple[xgb.Booster, Encoders]:
    """Encoders and trees from all rows of `data`, without calibration; settings as `checked_params` gives them."""
    encoders = fit_encoders(data, features)
    matrix = training_matrix(data, encoders, seed)
    return fit_trees(matrix, data.y, data.weight, settings, seed=seed, nthread=nthread), encoders


def margins(booster: xgb.Booster, matrix: np.ndarray) -> np.ndarray:
    """Log-odds of each row before calibration, float64."""
    return booster.inplace_predict(matrix, predict_type="margin").astype(np.float64)


def split_at(data: TrainingData, share: float) -> int:
    """Where the later part starts; each part keeps at least one row."""
    return max(1, min(len(data) - 1, round(len(data) * (1.0 - share))))


def _earlier(data: TrainingData, split: int, gap_us: int) -> tuple[TrainingData, bool]:
    """The rows before the later part whose labels were known when it began, and whether they suffice; else all."""
    first = np.quantile(data.occurred_us[split:], LATECOMERS, method="lower")
    learned = np.flatnonzero(data.occurred_us[:split] <= first - gap_us)
    enough = gap_us > 0 and 0 < int(data.y[learned].sum()) < len(learned)
    return (data.take(learned) if enough else data.part(0, split)), enough


def _measured_on(gap_us: int) -> str:
    told = "the later part, by a model that learned from the earlier part"
    if not gap_us:
        return told
    return f"{told} and had {gap_us / DAY_US:g} days left out, whose labels nobody had yet"


def _refuse_unusable(data: TrainingData) -> None:
    if len(data) < 2:
        raise InputError(f"{len(data)} labelled transactions are too few to train on", where="labels")
    if np.any(np.diff(data.seq) <= 0):
        raise InputError("training rows are not in seq order", where="labels", allowed="rising seq")
    if not np.all(data.weight > 0) or not np.isin(data.y, (0, 1)).all():
        raise InputError("labels must be 0 or 1 with a positive weight", where="labels")
    if data.frauds in (0, len(data)):
        only = "fraud" if data.frauds else "legitimate"
        raise InputError(
            f"all {len(data):,} labels are {only}, so there is nothing to tell apart",
            where="labels",
            allowed="labels of both kinds",
            hint="Import outcomes, or widen the training window",
        )


def _figures(later: TrainingData, margin: np.ndarray, calibration: Calibration, seed: int) -> dict[str, Any]:
    y, w, p = later.y, later.weight, calibration.held_out
    area, precision = ranking_intervals(y, margin, seed, weight=w)
    return {
        "rows": len(later),
        "frauds": later.frauds,
        "auc": area.to_json(),
        "average_precision": precision.to_json(),
        "log_loss_by_calibrator": dict(calibration.log_loss),
        **reliability(y, p, w).to_json(),
    }


def _at_capacity(later: TrainingData, margin: np.ndarray, capacity: Capacity, seed: int) -> dict[str, Any]:
    days, amounts, reviews = days_of(later.occurred_us), capacity.amount_minor, capacity.reviews_per_day
    return at_capacity(later.y, margin, days, amounts, reviews, seed, weight=later.weight).to_json()


def _label_summary(data: TrainingData, earlier: TrainingData, later: TrainingData) -> dict[str, Any]:
    def part(rows: TrainingData) -> dict[str, Any]:
        return {
            "rows": len(rows),
            "frauds": rows.frauds,
            "weight": float(rows.weight.sum()),
            "fraud_weight": float((rows.weight * rows.y).sum()),
            "first_seq": int(rows.seq[0]),
            "last_seq": int(rows.seq[-1]),
            "from": _time(rows.occurred_us.min()),
            "to": _time(rows.occurred_us.max()),
        }

    return {"all": part(data), "earlier": part(earlier), "later": part(later)}


def _time(us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(us))).isoformat()
