"""Are models compared on payments that neither learned from, drawn by customer, and is it said how many are left?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from casework.learning.gates import judging
from casework.learning.gates.gates import Golden
from casework.learning.gates.judging import Judged
from casework.learning.retraining import evidence
from casework.learning.retraining.inputs import Inputs
from casework.learning.retraining.tables import Periods, Tables
from engine.model.dataset import TrainingData
from engine.policy import Policy, load_policy

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 100
UNTIL = START + timedelta(days=50)


@dataclass(frozen=True)
class FixedModel:
    """A model that says of each payment what it was told to say; it may know until when it was trained."""

    margin: np.ndarray
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def encoders(self) -> FixedModel:
        return self

    def matrix(self, features: pa.Table) -> np.ndarray:
        return features["seq"].to_numpy()

    def score_matrix(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        margin = self.margin[matrix]
        return margin, 1 / (1 + np.exp(-margin))


@dataclass(frozen=True)
class Snapshot:
    """The part of a snapshot that an exam is made of."""

    golden: pa.Table
    policy: Policy


@pytest.fixture(scope="module")
def policy() -> Policy:
    path = Path(__file__).resolve().parents[2] / "rules" / "policy.yaml"
    return load_policy(path.read_bytes(), "policy.yaml")


def labels(seqs: range, source: str = "outcome") -> pa.Table:
    """Every fifth payment is fraud."""
    return pa.table(
        {
            "seq": pa.array(seqs, pa.int64()),
            "value": [seq % 5 == 0 for seq in seqs],
            "weight": [1.0] * len(seqs),
            "source": [source] * len(seqs),
        }
    )


def one_payment_a_day() -> Tables:
    seq = np.arange(DAYS)
    at = pa.array([START + timedelta(days=int(n)) for n in seq], pa.timestamp("us", "UTC"))
    features = pa.table({"seq": seq, "occurred_at": at})
    context = pa.table({"seq": seq, "amount_minor": np.full(DAYS, 20_000)})
    segment = np.full(DAYS, "default", dtype=object)
    return Tables(features, features, segment, seq // 2, context, Periods(UNTIL, UNTIL, UNTIL))


def examined(policy: Policy, champion: FixedModel, **before: Any) -> Golden:
    """The exam of a challenger that knows nothing; every payment is golden."""
    inputs = Inputs(Snapshot(labels(range(DAYS)), policy), champion, Path(), None, 0, **before)  # type: ignore[arg-type]
    found = evidence._golden(inputs, FixedModel(np.full(DAYS, -9.0)), one_payment_a_day())  # type: ignore[arg-type]
    assert found is not None
    return found


def knows(until: datetime | None) -> FixedModel:
    """A champion that knows all it was taught by heart."""
    margin = np.where((np.arange(DAYS) % 5 == 0) & (np.arange(DAYS) < 50), 9.0, -9.0)
    return FixedModel(margin, {"notes": {"train_until": until.isoformat()}} if until else {})


def test_no_model_is_examined_on_what_the_champion_has_learned(policy: Policy) -> None:
    found = examined(policy, knows(UNTIL), labels_before=labels(range(60)))
    assert (found.tasks, found.learned) == (50, 50)
    assert found.champion_right == found.challenger_right == 40


def test_what_was_golden_then_already_the_champion_was_not_taught(policy: Policy) -> None:
    found = examined(
        policy, knows(UNTIL), labels_before=labels(range(50)), golden_before=labels(range(10, 30))
    )
    assert (found.tasks, found.learned) == (70, 30)


def test_where_the_snapshot_is_gone_all_from_before_its_training_ended_is_left_out(policy: Policy) -> None:
    assert examined(policy, knows(UNTIL)).learned == 50
    none_left = examined(policy, knows(None))
    assert (none_left.tasks, none_left.learned) == (0, DAYS)


def test_the_gates_draw_customers_whole(policy: Policy) -> None:
    """Twenty payments of each customer that rise and fall together say no more than one of each."""
    customers, times = 40, 20
    y = np.repeat(np.arange(customers) % 4 == 0, times).astype(int)
    seq = np.arange(customers * times)
    rng = np.random.default_rng(4)
    one, two = (
        FixedModel(np.repeat(rng.normal(2 * (np.arange(customers) % 4 == 0) - 1, 2.5), times)) for _ in "ab"
    )
    rows = TrainingData(pa.table({"seq": seq}), y, np.ones(len(y)), seq, np.zeros(len(y)))
    how = (np.full(len(y), 20_000.0), {"all": y >= 0}, np.full(len(y), "default", dtype=object), 0)
    alone, whole = (
        judging.compared(one, two, Judged(rows, rows, *how, customer), policy, 1)  # type: ignore[arg-type]
        for customer in (None, np.repeat(np.arange(customers), times))
    )
    assert alone.comparison is not None and whole.comparison is not None
    pairs = [
        (alone.comparison.average_precision_difference, whole.comparison.average_precision_difference),
        (alone.comparison.cost_saved, whole.comparison.cost_saved),
        (alone.segments[0].recall_difference, whole.segments[0].recall_difference),
        (alone.segments[0].cost_saved, whole.segments[0].cost_saved),
    ]
    for narrow, wide in pairs:
        assert narrow is not None and wide is not None
        assert narrow.value == wide.value
        assert wide.high - wide.low > 2 * (narrow.high - narrow.low) > 0
