"""Are swapped labels found and named, and is it seen when generations go back and forth?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from casework.learning.gates import generations, judging, label_turns
from casework.learning.gates.judging import Judged
from casework.learning.gates.label_turns import Scored, area_with_interval, turned
from engine.model.dataset import TrainingData
from engine.policy import Policy, load_policy

DAY_US = 86_400_000_000
MONDAY = 20_479  # 2026-01-26, in days since 1970
ROWS = 400


def scored(swapped_week: int | None = None, source: str = "single_verdict") -> Scored:
    """Four weeks of verdicts that mostly agree with the champion; those of one week may be swapped."""
    rng = np.random.default_rng(3)
    margin = rng.normal(0, 1.5, ROWS)
    fraud = rng.random(ROWS) < 1 / (1 + np.exp(-margin))
    week = np.arange(ROWS) % 4
    if swapped_week is not None:
        fraud = np.where(week == swapped_week, ~fraud, fraud)
    return Scored(margin, fraud, np.full(ROWS, source, dtype=object), (MONDAY + 7 * week + 2) * DAY_US)


def test_a_week_of_swapped_labels_is_found_and_named() -> None:
    (found,) = turned(scored(swapped_week=2))
    assert (found.week, found.source) == ("2026-02-09", "verdicts of reviewers")
    assert found.area.high < 0.5
    assert "look turned over" in found.sentence


def test_labels_that_agree_with_the_champion_raise_no_suspicion() -> None:
    assert turned(scored()) == ()
    assert turned(replace(scored(), fraud=np.zeros(ROWS, dtype=bool))) == ()


def test_a_few_labels_below_chance_among_many_weeks_are_not_enough() -> None:
    """Five against five with an area of 0 has no spread for DeLong; among ten weeks chance does that often enough."""
    week, late = np.repeat(np.arange(10), 10), np.arange(100) % 10 >= 5
    margin = np.where(late, -1.0, 1.0) * np.where(week == 0, 1, -1)
    few = Scored(margin, late, np.full(100, "single_verdict", dtype=object), (MONDAY + 7 * week) * DAY_US)
    assert turned(few) == ()
    assert len(turned(replace(few, occurred_us=np.zeros(100), fraud=margin < 0))) == 1


def test_outcomes_and_verdicts_are_held_apart() -> None:
    (found,) = turned(scored(swapped_week=0, source="outcome"))
    assert found.source == "outcomes and silence"


def test_the_area_is_that_of_another_library_with_ties_and_its_interval_covers_it() -> None:
    rng = np.random.default_rng(1)
    score, y = rng.integers(0, 20, 500).astype(float), rng.random(500) < 0.2
    score += 3 * y
    found = area_with_interval(score[y], score[~y])
    assert found.value == pytest.approx(roc_auc_score(y, score))
    assert found.low < found.value < found.high


def test_what_turned_between_two_snapshots_is_counted() -> None:
    before = pa.table({"seq": [1, 2, 3, 4], "value": [True, False, False, True]})
    now = pa.table({"seq": [2, 3, 4, 5], "value": [True, False, False, True]})
    assert label_turns.changed(before, now) == {"both": 3, "to_fraud": 1, "to_legitimate": 1}


@dataclass(frozen=True)
class FixedModel:
    """A model that says of each row what it was told to say."""

    model_id: str
    margin: np.ndarray

    @property
    def encoders(self) -> FixedModel:
        return self

    def matrix(self, features: Any) -> np.ndarray:
        return np.zeros((len(self.margin), 0))

    def score_matrix(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.margin, 1 / (1 + np.exp(-self.margin))


@pytest.fixture(scope="module")
def policy() -> Policy:
    path = Path(__file__).resolve().parents[2] / "rules" / "policy.yaml"
    return load_policy(path.read_bytes(), "policy.yaml")


def panel() -> Judged:
    y = (np.arange(ROWS) % 10 == 0).astype(int)
    rows = TrainingData(pa.table({"seq": np.arange(ROWS)}), y, np.ones(ROWS), np.arange(ROWS), np.zeros(ROWS))
    amount = np.full(ROWS, 20_000.0)
    return Judged(rows, rows, amount, {}, np.full(ROWS, "default", dtype=object), ROWS)


def model(name: str, flagged: range) -> FixedModel:
    margin = np.full(ROWS, -9.0)
    margin[list(flagged)] = 1.0
    return FixedModel(name, margin)


FIRST, SECOND = model("m_1", range(0, 60)), model("m_2", range(60, 120))


def asked(challenger: FixedModel, policy: Policy, **cause: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"turned": (), "changed": None, **cause}
    found = generations.oscillation([FIRST, SECOND], challenger, panel(), policy, **told)  # type: ignore[list-item, arg-type]
    assert found is not None
    return found


def test_a_challenger_that_takes_everything_back_raises_the_alarm_with_the_cause(policy: Policy) -> None:
    found = asked(
        model("m_3", range(0, 60)), policy, changed={"both": 900, "to_fraud": 300, "to_legitimate": 0}
    )
    assert (found["flips"], found["flipped_back"], found["alarm"]) == (120, 120, True)
    assert (
        "of 120 payments whose outcome the champion changed, this challenger changes 120 back"
        in found["sentence"]
    )
    assert "Cause: of 900 payments with a label then and now, 300 turned to fraud" in found["sentence"]


def test_swapped_labels_are_the_first_cause_that_is_named(policy: Policy) -> None:
    turns = turned(scored(swapped_week=2))
    found = asked(model("m_3", range(0, 60)), policy, turned=turns)
    assert (
        "Cause: labels from verdicts of reviewers of the week from 2026-02-09 look turned over"
        in found["sentence"]
    )


def test_a_challenger_that_goes_on_where_the_champion_went_raises_none(policy: Policy) -> None:
    onward = asked(model("m_3", range(60, 140)), policy)
    assert (onward["flipped_back"], onward["alarm"], onward["sentence"]) == (0, False, "")


def test_half_of_the_flips_going_back_is_what_chance_does(policy: Policy) -> None:
    flagged = [*range(0, 30), *range(60, 90)]
    margin = np.full(ROWS, -9.0)
    margin[flagged] = 1.0
    half = asked(FixedModel("m_3", margin), policy)
    assert (half["flipped_back"], half["alarm"]) == (60, False)


def test_golden_cases_are_counted_right_by_what_each_model_would_answer(policy: Policy) -> None:
    exam = panel()  # 40 frauds at 0, 10, 20, ...
    knows, half = model("m_1", range(0, 400, 10)), model("m_2", range(0, 200, 10))
    found = judging.golden(knows, half, exam, policy)  # type: ignore[arg-type]
    assert found is not None
    assert (found.tasks, found.champion_right, found.challenger_right, found.lost) == (400, 400, 380, 20)
    assert judging.golden(None, half, exam, policy) is None  # type: ignore[arg-type]


def test_every_generation_is_measured_on_the_same_payments(policy: Policy) -> None:
    found = generations.measured([FIRST, SECOND], model("m_3", range(0, 400, 10)), panel(), policy, 1)  # type: ignore[list-item, arg-type]
    assert found is not None
    assert [row["model_id"] for row in found["generations"]] == ["m_1", "m_2", "m_3"]
    assert found["generations"][2]["average_precision"]["value"] == pytest.approx(1.0)
    assert found["generations"][2]["recall"]["n"] == 40
