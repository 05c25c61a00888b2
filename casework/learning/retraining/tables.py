"""What was known of the transactions, which of them are learned from, and which are kept to judge on?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.gates import judging
from casework.learning.gates.judging import Judged
from casework.learning.labels import snapshot
from casework.learning.labels.snapshot import LabelledSnapshot
from casework.learning.retraining.inputs import Inputs
from data.errors import InputError
from data.snapshot_reading import opened
from data.storage.rows import aware
from engine.features.batch import batch_features
from engine.model.dataset import TrainingData
from engine.policy import Policy
from engine.rules.sql import identifier

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
class Tables:
    """What was known of the transactions: features, those as the champion declares them, each one's segment of the
    policy and its customer as a number (by seq, as the features), and the attributes that groups are made of."""

    features: pa.Table
    champion: pa.Table
    segment: np.ndarray
    customer: np.ndarray
    context: pa.Table
    periods: Periods


def known(inputs: Inputs) -> Tables:
    """Features of every payment of the snapshot, and what goes with them."""
    taken, policy = inputs.snapshot, inputs.snapshot.policy
    limits = policy.retrain
    with opened(taken.data) as con:
        table = batch_features(con, taken.features())
        champion = _champion_table(con, inputs, table)
        context = snapshot.context(con, [policy.protected_attribute, "channel"])
        customer = _customers(con, limits.holdout_by or next(iter(taken.mapping.entities), ""))
        con.register("feature_rows", table)
        at = "CAST(epoch_us(occurred_at) AS BIGINT)"
        named = con.execute(
            f"SELECT {taken.segments.sql(at)} AS name FROM feature_rows ORDER BY seq"
        ).fetchnumpy()
    since = aware(pc.min(table["occurred_at"]).as_py()) if table.num_rows else None
    periods = Periods.before(taken.as_of, policy.labels.maturity, limits.judge, limits.embargo, since)
    return Tables(table, champion, np.asarray(named["name"], dtype=object), customer, context, periods)


def _customers(con: Any, entity: str) -> np.ndarray:
    """A number for each value of the entity, by seq; a payment without one stands for itself."""
    whose = f"coalesce(CAST({identifier(entity)} AS VARCHAR), transaction_id)" if entity else "transaction_id"
    found = con.execute(f"SELECT {whose} AS whose FROM transactions ORDER BY seq").to_arrow_table()
    return np.asarray(found["whose"].combine_chunks().dictionary_encode().indices.to_numpy())


def _champion_table(con: Any, inputs: Inputs, table: pa.Table) -> pa.Table:
    """The features the champion reads: the same table, or its own file's where the features have changed since."""
    champion = inputs.champion
    if champion is None or set(champion.names) <= set(table.column_names):
        return table
    text = champion.manifest["notes"]["features_yaml"].encode()
    return batch_features(con, inputs.snapshot.features(text))


def learned(of: Tables, taken: LabelledSnapshot) -> TrainingData:
    """Matured labels before the judged period and its embargo; golden cases are exam questions, and not taught."""
    labels = taken.labels
    exam = pc.or_(pc.is_in(labels["seq"], taken.golden["seq"]), pc.equal(labels["source"], GOLDEN))
    taught = labels.filter(pc.invert(exam))
    until = of.periods.train_until
    found = TrainingData.join(of.features.filter(judging.between(of.features, None, until)), taught)
    if not len(found):
        raise InputError(
            f"no transaction before {until:%Y-%m-%d} has a label",
            where="labels",
            hint="Import outcomes, or shorten labels.maturity in policy.yaml.",
        )
    return found


def judged(inputs: Inputs, of: Tables, policy: Policy) -> Judged:
    """The period after, with labels that the champion's score on a screen cannot have coloured."""
    periods, said = of.periods, policy.retrain
    labels = inputs.snapshot.labels
    good = labels.filter(pc.is_in(labels["source"], pa.array(JUDGED_SOURCES)))
    days = (periods.judge_until - periods.judge_from) / _DAY
    reviews = round(policy.capacity.reviews_per_day * days * (1.0 - said.holdout))
    return _rows(of, good, periods.judge_from, periods.judge_until, reviews)


def believed(inputs: Inputs, of: Tables) -> Judged:
    """The same period with every label that is believed, whoever it comes from: what a plain comparison would use."""
    return _rows(of, inputs.snapshot.labels, of.periods.judge_from, of.periods.judge_until, 0)


def _rows(of: Tables, labels: pa.Table, start: datetime | None, end: datetime, reviews: int) -> Judged:
    """Labelled rows of a period as models are held against them."""
    table = of.features
    rows = TrainingData.join(table.filter(judging.between(table, start, end)), labels)
    own = rows
    if of.champion is not table:
        own = TrainingData.join(of.champion.filter(judging.between(of.champion, start, end)), labels)
    place = np.searchsorted(of.context["seq"].to_numpy(), rows.seq)
    return Judged(
        rows,
        own,
        judging.amounts(of.context, rows.seq),
        judging.groups(of.context, rows.seq),
        of.segment[place],
        reviews,
        of.customer[place],
    )


def exam(inputs: Inputs, of: Tables) -> Judged | None:
    """Golden cases that the champion has not learned from either, as models are held against them; None without any
    golden case."""
    golden = inputs.snapshot.golden
    if not golden.num_rows:
        return None
    golden = golden.filter(pc.invert(pc.is_in(golden["seq"], _taught_before(inputs, of))))
    return _rows(of, golden, None, datetime.max.replace(tzinfo=UTC), golden.num_rows)


def _taught_before(inputs: Inputs, of: Tables) -> pa.Array:
    """The payments that the champion learned from, by seq: a past payment may have become golden since. Where its
    snapshot is gone, all from before its training ended; where not even that is known, all."""
    none = pa.array([], pa.int64())
    if inputs.champion is None:
        return none
    rows, until = of.champion, inputs.champion.manifest.get("notes", {}).get("train_until")
    if until:
        rows = rows.filter(judging.between(rows, None, datetime.fromisoformat(until)))
    seq, labels = rows["seq"].combine_chunks().cast(pa.int64()), inputs.labels_before
    if labels is None:
        return seq
    exam = none if inputs.golden_before is None else inputs.golden_before["seq"].combine_chunks()
    asked = pc.or_(pc.is_in(labels["seq"], exam), pc.equal(labels["source"], GOLDEN))
    return seq.filter(pc.is_in(seq, labels.filter(pc.invert(asked))["seq"].combine_chunks()))


def panel(inputs: Inputs, of: Tables) -> Judged:
    """The hold-out, with as many reviews as fall on it."""
    policy, held = inputs.snapshot.policy, inputs.snapshot.held_out
    good = held.filter(pc.is_in(held["source"], pa.array(JUDGED_SOURCES)))[-MOST_HELD_OUT:]
    found = _rows(of, good, None, of.periods.judge_until, 0)
    days = len(np.unique(found.rows.occurred_us // 86_400_000_000))
    return replace(found, reviews=round(policy.capacity.reviews_per_day * days * policy.retrain.holdout))
