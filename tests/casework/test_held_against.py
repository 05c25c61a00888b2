"""Is a swap seen in what people said although weighing hides it, and are a few who turn their answers told from all?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from casework.learning.gates import generations
from casework.learning.gates.held_against import Against, held_against
from casework.learning.gates.label_turns import area_with_interval
from casework.learning.labels import verdicts_given, voiding
from casework.review import verdicts

MONDAY = datetime(2026, 1, 26, tzinfo=UTC)
PAYMENTS, PEOPLE, WEEKS = 1_200, 8, 3
LABELS = pa.schema([("seq", pa.int64()), ("value", pa.bool_()), ("source", pa.string())])
NO_LABELS = LABELS.empty_table()


class LooksAtMargins:
    """A champion whose margin is what the features say it is."""

    @property
    def encoders(self) -> LooksAtMargins:
        return self

    def matrix(self, features: pa.Table) -> np.ndarray:
        return features["margin"].to_numpy()

    def score_matrix(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return matrix, 1 / (1 + np.exp(-matrix))


@dataclass(frozen=True)
class Record:
    """Payments of three weeks, each looked at by one of eight people who mostly agree with the champion."""

    features: pa.Table
    fraud: np.ndarray
    reviewer: np.ndarray
    week: np.ndarray

    def against(
        self, turned: np.ndarray, labels: pa.Table = NO_LABELS, reason: list[str] | None = None
    ) -> Against:
        """What is found where these verdicts were recorded the wrong way round."""
        said = pa.table(
            {
                "seq": self.features["seq"],
                "value": self.fraud ^ turned,
                "reviewer": pa.array(self.reviewer, pa.int32()),
                "given_at": pc_naive(self.features["occurred_at"]),
            }
        )
        if reason is not None:
            said = said.append_column("reason", pa.array(reason))
        return held_against(LooksAtMargins(), self.features, labels, said)  # type: ignore[arg-type]


def pc_naive(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([at.replace(tzinfo=None) for at in column.to_pylist()], pa.timestamp("us"))


def record() -> Record:
    rng = np.random.default_rng(5)
    margin = rng.normal(0, 1.5, PAYMENTS)
    fraud = rng.random(PAYMENTS) < 1 / (1 + np.exp(-margin))
    week, reviewer = np.arange(PAYMENTS) % WEEKS, rng.integers(1, PEOPLE + 1, PAYMENTS)
    at = [MONDAY + timedelta(days=7 * int(w) + 2) for w in week]
    features = pa.table(
        {
            "seq": np.arange(PAYMENTS) * 2,
            "margin": margin,
            "occurred_at": pa.array(at, pa.timestamp("us", "UTC")),
        }
    )
    return Record(features, fraud, reviewer, week)


def test_a_swapped_week_that_weighing_left_no_label_of_is_found_in_the_words() -> None:
    made = record()
    found = made.against(made.week == 1)
    assert [(turn.week, turn.source) for turn in found.weeks] == [("2026-02-02", "verdicts of reviewers")]
    assert found.weeks[0].frauds + found.weeks[0].legitimate == PAYMENTS // WEEKS


def test_a_new_fraud_that_a_rule_finds_and_the_champion_does_not_is_no_swapped_week() -> None:
    """200 uncertain payments with 15 % fraud and 60 of a rule with 60 %, which score low: AUC below 0.5."""
    rng = np.random.default_rng(2)
    by_rule = np.arange(260) >= 200
    fraud = np.where(by_rule, np.arange(260) % 5 < 3, np.arange(260) % 20 < 3)
    margin = np.where(by_rule, -4.0, 0.0) + rng.normal(0, 0.5, 260) + 0.5 * fraud
    at = pa.array([MONDAY] * 260, pa.timestamp("us", "UTC"))
    features = pa.table({"seq": np.arange(260), "margin": margin, "occurred_at": at})
    made = Record(features, fraud, np.ones(260), np.zeros(260))
    reason = ["rule_asks:new" if rule else "uncertain:" for rule in by_rule]
    right, swapped = np.zeros(260, dtype=bool), np.ones(260, dtype=bool)

    assert area_with_interval(margin[fraud], margin[~fraud]).high < 0.5
    assert made.against(right, reason=reason).weeks == ()
    (turn,) = made.against(swapped, reason=reason).weeks
    assert (turn.frauds, turn.legitimate) == (194, 66)
    assert "with the champion, each against those that came for the same reason (AUC" in turn.sentence


def test_a_few_who_turn_their_answers_are_counted_where_the_week_of_all_looks_sound() -> None:
    made = record()
    found = made.against(np.isin(made.reviewer, (3, 6)))
    assert found.weeks == ()
    assert found.some is not None and len(found.some.areas) == 2
    told = generations.people_alarm(found.some)
    assert told is not None and told["sentence"].startswith(
        "Verdicts of 2 of 8 reviewers since 2026-01-14 look turned over:"
    )


def test_who_looks_at_a_new_fraud_beside_uncertain_payments_has_not_turned_anything() -> None:
    """One person has uncertain payments and a rule's, as above; another has uncertain ones that are ranked well."""
    rng = np.random.default_rng(2)
    place, theirs = np.arange(520), np.arange(520) >= 260
    by_rule = (place >= 160) & ~theirs
    fraud = np.where(by_rule, place % 5 < 3, place % 20 < 3)
    margin = np.where(by_rule, -4.0, 0.0) + rng.normal(0, 0.5, 520) + np.where(theirs, 2.0, 0.5) * fraud
    at = pa.array([MONDAY] * 520, pa.timestamp("us", "UTC"))
    features = pa.table({"seq": place, "margin": margin, "occurred_at": at})
    made = Record(features, fraud, 1 + theirs, np.zeros(520))
    reason = ["rule_asks:new" if rule else "uncertain:" for rule in by_rule]

    assert area_with_interval(margin[~theirs & fraud], margin[~theirs & ~fraud]).high < 0.5
    assert made.against(np.zeros(520, dtype=bool), reason=reason).some is None
    found = made.against(~theirs, reason=reason).some
    assert found is not None and len(found.areas) == 1 and found.areas[0].high < 0.5
    assert "each against those that came for the same reason" in found.sentence


def test_people_who_answer_as_the_champion_expects_raise_no_suspicion() -> None:
    made = record()
    assert made.against(np.zeros(PAYMENTS, dtype=bool)) == Against()
    assert generations.people_alarm(None) is None


def test_where_everybody_contradicts_the_champion_no_person_is_singled_out() -> None:
    made = record()
    found = made.against(np.ones(PAYMENTS, dtype=bool))
    assert len(found.weeks) == WEEKS and found.some is None


def test_outcomes_count_as_labels_and_what_people_are_believed_is_not_read_twice() -> None:
    made = record()
    both = {"seq": made.features["seq"], "value": ~made.fraud}
    outcomes = pa.table({**both, "source": ["outcome"] * PAYMENTS})
    believed = pa.table({**both, "source": ["consensus"] * PAYMENTS})
    straight = np.zeros(PAYMENTS, dtype=bool)
    assert {turn.source for turn in made.against(straight, outcomes).weeks} == {"outcomes and silence"}
    assert made.against(straight, believed) == Against()


def test_only_standing_words_are_read_and_without_names(house) -> None:
    said = {}
    for who, value in (("analyst-1", "confirmed_fraud"), ("analyst-2", "legitimate"), ("analyst-3", "inconclusive"),
                       ("analyst-1", "legitimate"), ("analyst-2", "confirmed_fraud")):  # fmt: skip
        case = house.case()
        said[case.transaction_seq] = house.judge(who, value)
    _, _, _, undone, void = said.values()
    with house.ledger.writing() as w:
        verdicts.undo(w, undone.verdict_id, "analyst-1", house.policy, house.now)
        voiding.void(w, [void.verdict_id], "wrong screen", by="lead-1", at=house.now)
    rows = verdicts_given.given(house.ledger, house.now).to_pylist()
    assert [(row["seq"], row["value"]) for row in rows] == list(
        zip(list(said)[:2], (True, False), strict=True)
    )
    assert {row["reviewer"] for row in rows} == {1, 2}
    assert verdicts_given.given(house.ledger, house.now).schema == verdicts_given.none_given().schema
