"""How do champion and challenger fare on later payments that neither learned from, in outcomes, costs and segments?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.gates import gates
from casework.quality.subgroups import wilson
from engine.model.compare import (
    APPROVE,
    DECLINE,
    Comparison,
    Contender,
    at_capacity,
    compare,
    cost_saved,
    recall_difference,
)
from engine.model.dataset import TrainingData
from engine.model.scoring import Model
from engine.policy import Policy

FLIPS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows that models are held against. `champion_rows` are the same with the champion's own features; `groups` marks
    the rows of each value of an attribute, `segment` names the policy's segment of each row; `reviews` is how many of
    them people could look at; `customer` numbers whose each is: the payments of one are drawn together, since they rise
    and fall together. Without it each stands for itself."""

    rows: TrainingData
    champion_rows: TrainingData
    amount_minor: np.ndarray
    groups: Mapping[str, np.ndarray]
    segment: np.ndarray
    reviews: int
    customer: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Champion and challenger on the judged rows; `comparison` is None where nothing can be compared."""

    probability: np.ndarray
    challenger: Contender
    champion_probability: np.ndarray | None = None
    champion: Contender | None = None
    comparison: Comparison | None = None
    segments: tuple[gates.Segment, ...] = ()


def scores(model: Model, rows: TrainingData) -> tuple[np.ndarray, np.ndarray]:
    """(margin, probability) of each row."""
    return model.score_matrix(model.encoders.matrix(rows.features))


def decided(model: Model, rows: TrainingData, judged: Judged, policy: Policy) -> tuple[np.ndarray, Contender]:
    """(probability, outcomes) at the thresholds that follow for this model from policy and capacity."""
    margin, probability = scores(model, rows)
    made = at_capacity(margin, probability, judged.amount_minor, policy, judged.reviews, judged.segment)
    return probability, made


def compared(
    champion: Model | None, challenger: Model, judged: Judged, policy: Policy, seed: int
) -> Compared:
    """Both models on the same rows, each at its own thresholds, by paired bootstrap."""
    probability, two = decided(challenger, judged.rows, judged, policy)
    if champion is None or judged.rows.frauds == 0:
        return Compared(probability, two)
    before, one = decided(champion, judged.champion_rows, judged, policy)
    comparison = compare(
        one,
        two,
        y=judged.rows.y,
        amount_minor=judged.amount_minor,
        policy=policy,
        seed=seed,
        weight=judged.rows.weight,
        groups=judged.customer,
        segment=judged.segment,
    )
    return Compared(probability, two, before, one, comparison, _by_group(one, two, judged, policy, seed))


def _by_group(
    one: Contender, two: Contender, judged: Judged, policy: Policy, seed: int
) -> tuple[gates.Segment, ...]:
    """Groups of customers by attribute, and the policy's own segments; what is in one segment only is said once."""
    y, weight = judged.rows.y, judged.rows.weight
    parts = dict(judged.groups)
    names = sorted(set(judged.segment.tolist()))
    if len(names) > 1:
        parts |= {f"segment {name}": judged.segment == name for name in names}
    found = []
    for name, mask in parts.items():
        frauds = int((mask & (y == 1)).sum())
        if frauds:
            recall = recall_difference(
                one, two, y=y, within=mask, seed=seed, weight=weight, groups=judged.customer
            )
            saved = cost_saved(
                one, two, y=y, amount_minor=judged.amount_minor, policy=policy, within=mask, seed=seed,
                weight=weight, groups=judged.customer, segment=judged.segment,
            )  # fmt: skip
            found.append(gates.Segment(name, frauds, recall, saved))
    return tuple(found)


def golden(champion: Model | None, challenger: Model, judged: Judged, policy: Policy) -> gates.Golden | None:
    """How many golden payments each gets right: a fraud that is not approved, a good payment that is. Nobody runs out
    of reviews here: golden payments were not drawn as the day's payments are."""
    if champion is None or not len(judged.rows):
        return None
    fraud = judged.rows.y == 1
    right = []
    for model, rows in ((champion, judged.champion_rows), (challenger, judged.rows)):
        _, made = decided(model, rows, judged, policy)
        right.append(np.where(fraud, made.outcome != APPROVE, made.outcome == APPROVE))
    lost = int((right[0] & ~right[1]).sum())
    return gates.Golden(len(fraud), int(right[0].sum()), int(right[1].sum()), lost)


def flips(judged: Judged, found: Compared) -> list[dict[str, Any]]:
    """The flips with the largest change of probability, largest first, with both outcomes."""
    if found.comparison is None or found.champion is None or found.champion_probability is None:
        return []
    flipped, rows = found.comparison.flips, judged.rows
    change = np.abs(found.probability - found.champion_probability)[flipped]
    words = ("approve", "review", "decline")
    return [
        {
            "seq": int(rows.seq[i]),
            "champion": float(found.champion_probability[i]),
            "challenger": float(found.probability[i]),
            "champion_outcome": words[found.champion.outcome[i]],
            "challenger_outcome": words[found.challenger.outcome[i]],
            "fraud": bool(rows.y[i]),
        }
        for i in flipped[np.argsort(-change, kind="stable")][:FLIPS_SHOWN]
    ]


def subgroups(judged: Judged, found: Compared) -> list[dict[str, Any]]:
    """Rates of each group at the challenger's own thresholds, as texts for the card."""
    fraud, outcome = judged.rows.y == 1, found.challenger.outcome
    rows = []
    for name, mask in judged.groups.items():
        good, bad = mask & ~fraud, mask & fraud
        rows.append(
            {
                "group": name,
                "payments": f"{int(mask.sum()):,}",
                "frauds": f"{int(bad.sum()):,}",
                "frauds not approved": _share(bad & (outcome != APPROVE), bad),
                "good payments looked at or declined": _share(good & (outcome != APPROVE), good),
                "good payments declined": _share(good & (outcome == DECLINE), good),
            }
        )
    return rows


def _share(part: np.ndarray, whole: np.ndarray) -> str:
    found = wilson(int(part.sum()), int(whole.sum()))
    if found["value"] is None:
        return "none there"
    return f"{found['value']:.1%} [{found['low']:.1%}, {found['high']:.1%}]"


def amounts(context: pa.Table, seq: np.ndarray) -> np.ndarray:
    """Amounts in minor units, NaN where a payment has none."""
    at = np.searchsorted(context["seq"].to_numpy(), seq)
    return np.asarray(context["amount_minor"].cast(pa.float64()).to_numpy()[at])


def groups(context: pa.Table, seq: np.ndarray) -> dict[str, np.ndarray]:
    """For each value of the attributes in `context` (all columns but the first two), which rows have it."""
    at = np.searchsorted(context["seq"].to_numpy(), seq)
    found: dict[str, np.ndarray] = {}
    for name in context.column_names[2:]:
        values = np.array(context[name].to_pylist(), dtype=object)[at]
        for value in sorted({str(v) for v in values if v is not None}):
            found[f"{name} {value}"] = values == value
    return found


def between(table: pa.Table, start: Any, end: Any) -> Any:
    """Which rows of a feature table occurred in [start, end); without a start, before the end."""
    at = table["occurred_at"].cast(pa.timestamp("us", "UTC"))
    before = pc.less(at, pa.scalar(end, pa.timestamp("us", "UTC")))
    if start is None:
        return before
    return pc.and_(before, pc.greater_equal(at, pa.scalar(start, pa.timestamp("us", "UTC"))))
