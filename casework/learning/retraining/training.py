"""What does a challenger learn from a snapshot, and how does it fare against the champion on later time?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.gates import gates, generations, judging, label_turns
from casework.learning.gates.judging import Compared, Judged
from casework.learning.labels import snapshot
from casework.learning.labels.snapshot import LabelledSnapshot
from casework.learning.retraining import progress
from casework.learning.retraining.code_version import code_version
from data.errors import InputError
from data.rows import aware
from data.snapshot_reading import opened
from engine.features.batch import batch_features
from engine.features.feature_set import FeatureSet
from engine.intervals import Interval, ranking_intervals
from engine.model import registry
from engine.model.card import PAGE_FILE, write_card
from engine.model.dataset import TrainingData
from engine.model.scoring import Model
from engine.model.search import GoOn, search
from engine.model.train import TrainedModel, train
from engine.policy import Policy
from engine.review_capacity import Capacity

JUDGED_SOURCES = ("outcome", "matured_silence", "golden", snapshot.BLIND_VERDICT)
GOLDEN = "golden"
MOST_HELD_OUT = 20_000
"""Of a long record the latest held-out payments say best how a model does now."""
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
    """Everything a training run needs. `champion` is the model to beat, None for the first one; `lineage` the champions
    in a row, oldest first and the present one last; `models` the folder to save in. `labels_before` are those that the
    champion's snapshot held. `go_on` says after each trial whether the search for settings may make another; None
    trains with the policy's settings. `tell` hears of each stage that begins."""

    snapshot: LabelledSnapshot
    champion: Model | None
    models: Path
    agreement: Interval | None
    agreement_items: int
    nthread: int = 1
    seed: int = 1
    go_on: GoOn | None = None
    tell: progress.Tell = progress.silent
    lineage: tuple[Model, ...] = ()
    labels_before: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger, the gates' answers, and what was found out on the way (JSON)."""

    model: Model
    gates: list[gates.Gate]
    record: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        return all(g.passed for g in self.gates)


@dataclass(frozen=True, slots=True)
class Tables:
    """What was known of the transactions: features, those as the champion declares them, each one's segment of the
    policy (by seq, as the features), and the attributes that groups are made of."""

    features: pa.Table
    champion: pa.Table
    segment: np.ndarray
    context: pa.Table
    periods: Periods


def run(inputs: Inputs, *, at: datetime) -> Trained:
    """Train on matured labels, judge on the period after, ask the gates, keep the model on disk.

    InputError where the labels do not suffice even to train.
    """
    taken, policy = inputs.snapshot, inputs.snapshot.policy
    inputs.tell("features")
    features, tables = taken.features(), _tables(inputs, policy)
    learned = _learned(tables, taken)
    inputs.tell("search" if inputs.go_on else "training")
    trained = _trained(inputs, learned, features, judging.amounts(tables.context, learned.seq))
    notes = {
        "features_yaml": taken.features_text,
        "train_until": tables.periods.train_until.isoformat(),
        "code_version": code_version(),
    }
    model = registry.save(inputs.models, trained, created_at=at, snapshot=taken.manifest, notes=notes)
    inputs.tell("judging")
    judged = _judged(inputs, tables, policy)
    found = judging.compared(inputs.champion, model, judged, policy, inputs.seed)
    evidence = _evidence(inputs, model, tables, learned, judged, found)
    limits = gates.GateLimits(policy.retrain.min_new_labels, policy.retrain.min_frauds)
    verdict = gates.judge(evidence, limits)
    record = _record(inputs, evidence, judged, found) | _over_generations(
        inputs, model, tables, judged, evidence
    )
    inputs.tell("model card")
    told = {
        "subgroups": judging.subgroups(judged, found),
        "standing": {"gates": [gate.as_dict() for gate in verdict], "holdout": record["holdout"]},
    }
    _describe(inputs.models / model.model_id, model, tables.features, features, told)
    inputs.tell("done")
    return Trained(model, verdict, record)


def _tables(inputs: Inputs, policy: Policy) -> Tables:
    taken, limits = inputs.snapshot, policy.retrain
    with opened(taken.data) as con:
        table = batch_features(con, taken.features())
        champion = _champion_table(con, inputs, table)
        context = snapshot.context(con, [policy.protected_attribute, "channel"])
        con.register("feature_rows", table)
        at = "CAST(epoch_us(occurred_at) AS BIGINT)"
        named = con.execute(
            f"SELECT {taken.segments.sql(at)} AS name FROM feature_rows ORDER BY seq"
        ).fetchnumpy()
    since = aware(pc.min(table["occurred_at"]).as_py()) if table.num_rows else None
    periods = Periods.before(taken.as_of, policy.labels.maturity, limits.judge, limits.embargo, since)
    return Tables(table, champion, np.asarray(named["name"], dtype=object), context, periods)


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
    inputs.tell("training")
    return replace(train(learned, found.settings, capacity=capacity, **how), search=found.to_json())


def _describe(
    folder: Path, model: Model, table: pa.Table, features: FeatureSet, told: Mapping[str, Any]
) -> None:
    """Write the model's card. The same model trained again keeps the one whose digests are on record."""
    if not (folder / PAGE_FILE).exists():
        phrases = {f.name: f.phrase for f in features.features}
        write_card(folder, model, table, phrases=phrases, **told)


def _champion_table(con: Any, inputs: Inputs, table: pa.Table) -> pa.Table:
    """The features the champion reads: the same table, or its own file's where the features have changed since."""
    champion = inputs.champion
    if champion is None or set(champion.names) <= set(table.column_names):
        return table
    text = champion.manifest["notes"]["features_yaml"].encode()
    return batch_features(con, inputs.snapshot.features(text))


def _learned(tables: Tables, taken: LabelledSnapshot) -> TrainingData:
    """Matured labels before the judged period and its embargo; golden cases are exam questions, and not taught."""
    labels = taken.labels
    exam = pc.or_(pc.is_in(labels["seq"], taken.golden["seq"]), pc.equal(labels["source"], GOLDEN))
    taught = labels.filter(pc.invert(exam))
    until = tables.periods.train_until
    learned = TrainingData.join(tables.features.filter(judging.between(tables.features, None, until)), taught)
    if not len(learned):
        raise InputError(
            f"no transaction before {until:%Y-%m-%d} has a label",
            where="labels",
            hint="Import outcomes, or shorten labels.maturity in policy.yaml.",
        )
    return learned


def _judged(inputs: Inputs, tables: Tables, policy: Policy) -> Judged:
    """The period after, with labels that the champion's score on a screen cannot have coloured."""
    periods, said = tables.periods, policy.retrain
    labels = inputs.snapshot.labels
    good = labels.filter(pc.is_in(labels["source"], pa.array(JUDGED_SOURCES)))
    days = (periods.judge_until - periods.judge_from) / _DAY
    reviews = round(policy.capacity.reviews_per_day * days * (1.0 - said.holdout))
    return _rows(tables, good, periods.judge_from, periods.judge_until, reviews)


def _rows(tables: Tables, labels: pa.Table, start: datetime | None, end: datetime, reviews: int) -> Judged:
    """Labelled rows of a period as models are held against them."""
    table = tables.features
    rows = TrainingData.join(table.filter(judging.between(table, start, end)), labels)
    own = rows
    if tables.champion is not table:
        own = TrainingData.join(tables.champion.filter(judging.between(tables.champion, start, end)), labels)
    place = np.searchsorted(tables.context["seq"].to_numpy(), rows.seq)
    return Judged(
        rows,
        own,
        judging.amounts(tables.context, rows.seq),
        judging.groups(tables.context, rows.seq),
        tables.segment[place],
        reviews,
    )


def _golden(inputs: Inputs, model: Model, tables: Tables, policy: Policy) -> gates.Golden | None:
    exam = inputs.snapshot.golden
    if not exam.num_rows:
        return None
    rows = _rows(tables, exam, None, datetime.max.replace(tzinfo=UTC), exam.num_rows)
    return judging.golden(inputs.champion, model, rows, policy)


def _turned(inputs: Inputs, tables: Tables) -> tuple[gates.LabelTurn, ...]:
    """Labels that came after what the champion learned from, held against it."""
    champion, labels = inputs.champion, inputs.snapshot.labels
    learned_until = champion.manifest.get("notes", {}).get("train_until") if champion else None
    if champion is None or not learned_until:
        return ()
    after = datetime.fromisoformat(learned_until)
    rows = TrainingData.join(
        tables.champion.filter(judging.between(tables.champion, after, tables.periods.judge_until)), labels
    )
    if not len(rows):
        return ()
    at = np.searchsorted(labels["seq"].to_numpy(), rows.seq)
    source = np.array(labels["source"].to_pylist(), dtype=object)[at]
    margin, _ = judging.scores(champion, rows)
    return label_turns.turned(label_turns.Scored(margin, rows.y == 1, source, rows.occurred_us))


def _evidence(
    inputs: Inputs, model: Model, tables: Tables, learned: TrainingData, judged: Judged, found: Compared
) -> gates.Evidence:
    rows, compared = judged.rows, found.comparison
    both = 0 < rows.frauds < len(rows)
    differences = (
        {
            "average_precision": compared.average_precision_difference,
            "expected_cost_saved": compared.cost_saved,
        }
        if compared
        else {}
    )
    return gates.Evidence(
        training_labels=len(learned),
        training_frauds=learned.frauds,
        judged_rows=len(rows),
        judged_frauds=rows.frauds,
        difference=differences,
        agreement=inputs.agreement,
        agreement_items=inputs.agreement_items,
        golden=_golden(inputs, model, tables, inputs.snapshot.policy),
        segments=found.segments,
        champion_id=inputs.champion.model_id if inputs.champion else "",
        average_precision=ranking_intervals(rows.y, found.probability, inputs.seed, weight=rows.weight)[1]
        if both
        else None,
        base_rate=float(np.average(rows.y, weights=rows.weight)) if len(rows) else 0.0,
        turned=_turned(inputs, tables),
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
        "flips": judging.flips(judged, found),
        "code_version": code_version(),
    }


def _over_generations(
    inputs: Inputs, model: Model, tables: Tables, judged: Judged, evidence: gates.Evidence
) -> dict[str, Any]:
    """The hold-out's figures of each generation, and the alarms that look at several of them."""
    policy, held = inputs.snapshot.policy, inputs.snapshot.held_out
    good = held.filter(pc.is_in(held["source"], pa.array(JUDGED_SOURCES)))[-MOST_HELD_OUT:]
    panel = _rows(tables, good, None, tables.periods.judge_until, 0)
    days = len(np.unique(panel.rows.occurred_us // 86_400_000_000))
    panel = replace(panel, reviews=round(policy.capacity.reviews_per_day * days * policy.retrain.holdout))
    readable = set(tables.features.column_names)
    lineage = [each for each in inputs.lineage if set(each.names) <= readable]
    changed = None
    if inputs.labels_before is not None:
        changed = label_turns.changed(inputs.labels_before, inputs.snapshot.labels)
    return {
        "holdout": generations.measured(lineage, model, panel, policy, inputs.seed),
        "oscillation": generations.oscillation(
            lineage,
            model,
            panel if len(panel.rows) else judged,
            policy,
            turned=evidence.turned,
            changed=changed,
        ),
        "labels_turned": generations.labels_alarm(evidence.turned),
        "labels_changed": changed,
    }
