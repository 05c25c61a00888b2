"""What does a challenger learn from a snapshot, and how does it fare against the champion on later time?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.learning import gates, snapshot
from casework.learning.snapshot import LabelledSnapshot
from data.errors import InputError
from data.rows import aware
from data.snapshot_reading import opened
from engine.features.batch import batch_features
from engine.features.feature_set import FeatureSet
from engine.intervals import Interval, ranking_intervals
from engine.model import registry
from engine.model.card import PAGE_FILE, write_card
from engine.model.compare import Comparison, Contender, at_capacity, compare, recall_difference
from engine.model.dataset import TrainingData
from engine.model.scoring import Model
from engine.model.search import GoOn, search
from engine.model.train import TrainedModel, train
from engine.policy import Policy
from engine.review_capacity import Capacity

JUDGED_SOURCES = ("outcome", "matured_silence", "golden", snapshot.BLIND_VERDICT)
FLIPS_SHOWN = 20
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Periods:
    """Training ends at `train_until`; the judged period runs from `judge_from` to `judge_until` (all UTC).

    The gap between them is an embargo, so that a label feature cannot carry a training label into judging.
    """

    train_until: datetime
    judge_from: datetime
    judge_until: datetime

    @classmethod
    def before(
        cls,
        as_of: datetime,
        maturity: timedelta,
        judged: timedelta,
        embargo: timedelta,
        since: datetime | None = None,
    ) -> Periods:
        """The latest judged period whose labels have matured as of a moment.

        Where the record begins so late (`since`) that less than half of it would be left to train on, judging and
        embargo take half of it together.
        """
        until = as_of - maturity
        if since is not None and until > since and (judged + embargo) * 2 > until - since:
            share = (until - since) / 2 / (judged + embargo)
            judged, embargo = judged * share, embargo * share
        return cls(until - judged - embargo, until - judged, until)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a training run needs. `champion` is the model to beat, None for the first one. `go_on` says after each
    trial whether the search for settings may make another; None trains with the policy's settings."""

    snapshot: LabelledSnapshot
    champion: Model | None
    models: Path
    agreement: Interval | None
    agreement_items: int
    nthread: int = 1
    seed: int = 1
    go_on: GoOn | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The later transactions both models are held against, as each model needs them, and their segments."""

    rows: TrainingData
    champion_rows: TrainingData
    amount_minor: np.ndarray
    segments: Mapping[str, np.ndarray]
    days: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger, the gates' answers, and what was found out on the way (JSON)."""

    model: Model
    gates: list[gates.Gate]
    record: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        return all(g.passed for g in self.gates)


def run(inputs: Inputs, *, at: datetime) -> Trained:
    """Train on matured labels, judge on the period after, ask the gates, keep the model on disk.

    InputError where the labels do not suffice even to train.
    """
    policy, taken = inputs.snapshot.policy, inputs.snapshot
    limits = policy.retrain
    features = taken.features()
    with opened(taken.data) as con:
        table = batch_features(con, features)
        champion_table = _champion_table(con, inputs, table)
        context = snapshot.context(con, [policy.protected_attribute, "channel"])
    since = aware(pc.min(table["occurred_at"]).as_py()) if table.num_rows else None
    periods = Periods.before(taken.as_of, policy.labels.maturity, limits.judge, limits.embargo, since)
    learned = _learned(table, taken.labels, periods)
    trained = _trained(inputs, learned, features, _amounts(context, learned.seq))
    model = registry.save(
        inputs.models,
        trained,
        created_at=at,
        snapshot=taken.manifest,
        notes={"features_yaml": taken.features_text, "train_until": periods.train_until.isoformat()},
    )
    _describe(inputs.models / model.model_id, model, table, features)
    judged = _judged(table, champion_table, context, taken.labels, periods)
    found = _compared(inputs, model, judged, policy)
    evidence = _evidence(inputs, model, learned, judged, found)
    verdict = gates.judge(evidence, gates.GateLimits(limits.min_new_labels, limits.min_frauds))
    return Trained(model, verdict, _record(inputs, evidence, judged, found))


def _trained(
    inputs: Inputs, learned: TrainingData, features: FeatureSet, amount_minor: np.ndarray
) -> TrainedModel:
    """The model, with settings from policy or from a search around them."""
    policy = inputs.snapshot.policy
    how: dict[str, Any] = {"feature_set": features, "seed": inputs.seed, "nthread": inputs.nthread}
    capacity = Capacity(policy.capacity.reviews_per_day, amount_minor)
    if inputs.go_on is None:
        return train(learned, policy.model, capacity=capacity, **how)
    found = search(learned, policy.model, go_on=inputs.go_on, gap_us=features.label_delay_us, **how)
    return replace(train(learned, found.settings, capacity=capacity, **how), search=found.to_json())


def _describe(folder: Path, model: Model, table: pa.Table, features: FeatureSet) -> None:
    """Write the model's card. The same model trained again keeps the one whose digests are on record."""
    if not (folder / PAGE_FILE).exists():
        write_card(folder, model, table, phrases={f.name: f.phrase for f in features.features})


def _champion_table(con: Any, inputs: Inputs, table: pa.Table) -> pa.Table:
    """The features the champion reads: the same table, or its own file's where the features have changed since."""
    champion = inputs.champion
    if champion is None or set(champion.names) <= set(table.column_names):
        return table
    text = champion.manifest["notes"]["features_yaml"].encode()
    return batch_features(con, inputs.snapshot.features(text))


def _learned(table: pa.Table, labels: pa.Table, periods: Periods) -> TrainingData:
    learned = TrainingData.join(table.filter(_between(table, None, periods.train_until)), labels)
    if not len(learned):
        raise InputError(
            f"no transaction before {periods.train_until:%Y-%m-%d} has a label",
            where="labels",
            hint="Import outcomes, or shorten labels.maturity in policy.yaml.",
        )
    return learned


def _judged(
    table: pa.Table, champion_table: pa.Table, context: pa.Table, labels: pa.Table, periods: Periods
) -> Judged:
    good = labels.filter(pc.is_in(labels["source"], pa.array(JUDGED_SOURCES)))
    later = _between(table, periods.judge_from, periods.judge_until)
    rows = TrainingData.join(table.filter(later), good)
    champion_rows = rows if champion_table is table else TrainingData.join(champion_table.filter(later), good)
    at = np.searchsorted(context["seq"].to_numpy(), rows.seq)
    days = (periods.judge_until - periods.judge_from) / _DAY
    return Judged(rows, champion_rows, _amounts(context, rows.seq), _segments(context, at), days)


def _amounts(context: pa.Table, seq: np.ndarray) -> np.ndarray:
    """Amounts in minor units, NaN where a payment has none."""
    at = np.searchsorted(context["seq"].to_numpy(), seq)
    return np.asarray(context["amount_minor"].cast(pa.float64()).to_numpy()[at])


def _segments(context: pa.Table, at: np.ndarray) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name in context.column_names[2:]:
        values = np.array(context[name].to_pylist(), dtype=object)[at]
        for value in sorted({str(v) for v in values if v is not None}):
            found[f"{name} {value}"] = values == value
    return found


def _between(table: pa.Table, start: datetime | None, end: datetime) -> Any:
    at = table["occurred_at"].cast(pa.timestamp("us", "UTC"))
    before = pc.less(at, pa.scalar(end, pa.timestamp("us", "UTC")))
    if start is None:
        return before
    return pc.and_(before, pc.greater_equal(at, pa.scalar(start, pa.timestamp("us", "UTC"))))


@dataclass(frozen=True, slots=True)
class Compared:
    """Champion and challenger on the judged rows; `comparison` is None where nothing can be compared."""

    challenger: np.ndarray
    champion: np.ndarray | None = None
    comparison: Comparison | None = None
    segments: tuple[gates.Segment, ...] = ()


def _compared(inputs: Inputs, model: Model, judged: Judged, policy: Policy) -> Compared:
    margin, probability = _scores(model, judged.rows)
    if inputs.champion is None or judged.rows.frauds == 0:
        return Compared(probability)
    old_margin, old_probability = _scores(inputs.champion, judged.champion_rows)
    reviews = round(policy.capacity.reviews_per_day * judged.days)
    one = at_capacity(old_margin, old_probability, judged.amount_minor, policy, reviews)
    two = at_capacity(margin, probability, judged.amount_minor, policy, reviews)
    y, weight, seed = judged.rows.y, judged.rows.weight, inputs.seed
    comparison = compare(
        one, two, y=y, amount_minor=judged.amount_minor, policy=policy, seed=seed, weight=weight
    )
    return Compared(probability, old_probability, comparison, _by_segment(one, two, judged, seed))


def _by_segment(one: Contender, two: Contender, judged: Judged, seed: int) -> tuple[gates.Segment, ...]:
    y, weight = judged.rows.y, judged.rows.weight
    return tuple(
        gates.Segment(
            name,
            frauds,
            recall_difference(one, two, y=y, within=mask, seed=seed, weight=weight),
        )
        for name, mask in judged.segments.items()
        if (frauds := int((mask & (y == 1)).sum()))
    )


def _scores(model: Model, rows: TrainingData) -> tuple[np.ndarray, np.ndarray]:
    return model.score_matrix(model.encoders.matrix(rows.features))


def _evidence(
    inputs: Inputs, model: Model, learned: TrainingData, judged: Judged, found: Compared
) -> gates.Evidence:
    rows, compared = judged.rows, found.comparison
    both = 0 < rows.frauds < len(rows)
    return gates.Evidence(
        training_labels=len(learned),
        training_frauds=learned.frauds,
        judged_rows=len(rows),
        judged_frauds=rows.frauds,
        difference={
            "average_precision": compared.average_precision_difference,
            "expected_cost_saved": compared.cost_saved,
        }
        if compared
        else {},
        agreement=inputs.agreement,
        agreement_items=inputs.agreement_items,
        segments=found.segments,
        champion_id=inputs.champion.model_id if inputs.champion else "",
        average_precision=ranking_intervals(rows.y, found.challenger, inputs.seed, weight=rows.weight)[1]
        if both
        else None,
        base_rate=float(np.average(rows.y, weights=rows.weight)) if len(rows) else 0.0,
    )


def _record(inputs: Inputs, evidence: gates.Evidence, judged: Judged, found: Compared) -> dict[str, Any]:
    """What a person signing off wants to see: the figures of both models, and a sample of their flips."""
    ap = evidence.average_precision
    return {
        "snapshot": inputs.snapshot.name,
        "labels": inputs.snapshot.manifest["labels"],
        "training_labels": evidence.training_labels,
        "training_frauds": evidence.training_frauds,
        "judged_rows": evidence.judged_rows,
        "judged_frauds": evidence.judged_frauds,
        "average_precision": ap.to_json() if ap else None,
        "comparison": found.comparison.to_json() if found.comparison else None,
        "flips": _flips(judged, found),
    }


def _flips(judged: Judged, found: Compared) -> list[dict[str, Any]]:
    """The flips with the largest change of probability, largest first."""
    if found.comparison is None or found.champion is None:
        return []
    flipped, rows = found.comparison.flips, judged.rows
    order = np.argsort(-np.abs(found.challenger - found.champion)[flipped], kind="stable")
    return [
        {
            "seq": int(rows.seq[i]),
            "champion": float(found.champion[i]),
            "challenger": float(found.challenger[i]),
            "fraud": bool(rows.y[i]),
        }
        for i in flipped[order][:FLIPS_SHOWN]
    ]
