"""Does "what would have changed the outcome" ask the engine, find the smallest change, and say when there is none?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from engine.decision import Outcome
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.what_if.counterfactual import MOST_PAIRED, Answer, Row, Searched, search

A, R, D = Outcome.APPROVE, Outcome.REVIEW, Outcome.DECLINE
FILE = """
version: 1
features:
  - {name: amount_minor, measure: value, of: amount}
  - {name: count_1h, entity: customer, measure: count, window: 1h}
  - {name: count_1d, entity: customer, measure: count, window: 1d}
  - {name: mean_30d, entity: customer, measure: mean, window: 30d}
  - {name: merchant_count_1d, entity: merchant, measure: count, window: 1d, actionable: false}
  - {name: frauds_30d, entity: customer, measure: fraud_count, window: 30d}
  - {name: night, measure: local_night}
  - {name: ratio, derived: amount_minor / mean_30d}
"""
ROW: Row = {
    "amount_minor": 40_000, "count_1h": 3, "count_1d": 5, "mean_30d": 4_000.0, "merchant_count_1d": 100,
    "frauds_30d": 2, "night": True, "ratio": 10.0,
}  # fmt: skip


class Columns(NamedTuple):
    """What the features file is read against."""

    entities: dict[str, str] = {"customer": "c", "merchant": "m"}  # noqa: RUF012
    attributes: dict[str, str] = {}  # noqa: RUF012
    time_zone: str = "UTC"


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    return load_features(FILE, "features.yaml", Columns())


def engine(decide: Callable[[Any], Outcome], asked: list[Row] | None = None) -> Callable[..., list[Answer]]:
    """A stand-in for the engine: `decide` gives the outcome of one row."""

    def ask(rows: Sequence[Row]) -> list[Answer]:
        if asked is not None:
            asked.extend(rows)
        return [Answer(decide(row), 0.1 * float(decide(row))) for row in rows]

    return ask


def told(found: Searched) -> list[tuple[Outcome, dict[str, float]]]:
    return [(each.answer.outcome, {c.name: c.value for c in each.changes}) for each in found.found]


def test_the_smallest_change_of_one_input_is_found_to_the_cent(features: FeatureSet) -> None:
    found = search(ROW, features, engine(lambda row: R if row["amount_minor"] >= 25_000 else A))
    (outcome, changes), *others = told(found)
    assert (outcome, others) == (A, [])
    assert 24_700 < changes["amount_minor"] < 25_000


def test_both_other_outcomes_are_looked_for(features: FeatureSet) -> None:
    found = search(ROW, features, engine(lambda row: Outcome(sum(row["count_1h"] >= n for n in (3, 5)))))
    assert told(found) == [(A, {"count_1h": 2.0}), (D, {"count_1h": 5.0})]


def test_two_inputs_are_changed_only_where_one_does_not_do(features: FeatureSet) -> None:
    def either(row: Any) -> Outcome:
        return R if row["count_1h"] >= 2 or row["amount_minor"] >= 20_000 else A

    def by_points(row: Any) -> list[Answer]:
        asking = {
            name
            for name, on in (("count", row["count_1h"] >= 2), ("amount", row["amount_minor"] >= 20_000))
            if on
        }
        return [Answer(either(row), None, frozenset(asking))]

    found = search(ROW, features, lambda rows: [by_points(row)[0] for row in rows])
    ((outcome, changes),) = told(found)
    assert outcome is A
    assert changes["count_1h"] == 1
    assert 19_500 < changes["amount_minor"] < 20_000
    assert set(found.paired) == {"count_1h", "amount_minor"}


def test_what_is_derived_follows_what_it_is_worked_out_from(features: FeatureSet) -> None:
    found = search(ROW, features, engine(lambda row: R if row["ratio"] >= 5 else A))
    assert {name for _, changes in told(found) for name in changes} <= {"amount_minor", "mean_30d"}


def test_nothing_found_is_said_with_how_much_was_tried(features: FeatureSet) -> None:
    asked: list[Row] = []
    found = search(ROW, features, engine(lambda row: R, asked))
    assert found.found == ()
    assert found.tried == len(asked) > 50
    assert found.inputs == ("amount_minor", "count_1h", "count_1d", "mean_30d")


def test_who_when_known_fraud_and_what_the_file_sets_aside_are_left_as_they_were(
    features: FeatureSet,
) -> None:
    asked: list[Row] = []
    search(ROW, features, engine(lambda row: R, asked))
    for name in ("merchant_count_1d", "frauds_30d", "night"):
        assert {row[name] for row in asked} == {ROW[name]}


def test_an_hour_never_holds_more_than_its_day(features: FeatureSet) -> None:
    asked: list[Row] = []
    search(ROW, features, engine(lambda row: R, asked))
    assert {row["count_1h"] for row in asked} == {0, 1, 2, 3, 4, 5}
    assert min(row["count_1d"] for row in asked) == 3  # type: ignore[type-var]


def test_counts_stay_whole_and_a_missing_input_stays_missing(features: FeatureSet) -> None:
    asked: list[Row] = []
    found = search({**ROW, "mean_30d": None, "ratio": None}, features, engine(lambda row: R, asked))
    assert "mean_30d" not in found.inputs
    assert all(isinstance(row["count_1d"], int) and row["ratio"] is None for row in asked)


def test_the_search_is_bounded_however_much_each_input_moves(features: FeatureSet) -> None:
    def restless(row: Any) -> Outcome:
        return R

    moving = lambda rows: [Answer(restless(row), hash(tuple(row.values())) % 997 / 997) for row in rows]  # noqa: E731
    found = search(ROW, features, moving)
    assert len(found.paired) <= MOST_PAIRED
    assert found.tried < 2_000
