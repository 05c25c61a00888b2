"""What a search for better settings promises."""

from __future__ import annotations

import json

import numpy as np
import pytest
from model_payments import FEATURES, HOUR_US, labelled, payments

from data.canonical import canonical_json
from data.errors import InputError
from engine.model import DEFAULTS, TrainingData, train
from engine.model.search import Search, search, time_folds

SMALL = {"rounds": 10}


@pytest.fixture(scope="module")
def found(history: TrainingData) -> Search:
    return search(history, SMALL, feature_set=FEATURES, go_on=lambda done: done < 5)


def test_the_settings_as_they_were_are_tried_first_and_can_win(found: Search) -> None:
    assert found.trials[0].settings == {**DEFAULTS, **SMALL}
    assert found.trials[found.chosen].mean == max(t.mean for t in found.trials)
    assert found.trials[found.chosen].mean >= found.trials[0].mean


def test_it_stops_when_the_budget_is_spent(history: TrainingData, found: Search) -> None:
    only = search(history, SMALL, feature_set=FEATURES, go_on=lambda done: False)

    assert len(found.trials) == 5
    assert len(only.trials) == 1
    assert only.settings == {**DEFAULTS, **SMALL}


def test_a_trial_is_given_up_as_soon_as_the_budget_is_spent(history: TrainingData, found: Search) -> None:
    asked: list[int] = []

    def go_on(done: int) -> bool:
        asked.append(done)
        return done < 2 or asked.count(2) < 4

    cut = search(history, SMALL, feature_set=FEATURES, go_on=go_on)

    assert cut.trials == found.trials[:2]
    assert asked.count(0) == 0, "the settings as they were are always tried to the end"
    assert asked.count(1) > 20, "it is asked after every round"
    assert asked.count(2) == 4


def test_the_same_number_of_trials_gives_the_same_answer(history: TrainingData, found: Search) -> None:
    again = search(history, SMALL, feature_set=FEATURES, go_on=lambda done: done < 5, nthread=2)

    assert again.to_json() == found.to_json()


def test_every_setting_tried_can_be_trained_with(found: Search) -> None:
    for trial in found.trials:
        assert trial.settings.keys() == DEFAULTS.keys()
        assert 2 <= trial.settings["max_depth"] <= 8
        assert trial.settings["base_score"] == DEFAULTS["base_score"]
    assert json.loads(canonical_json(found.to_json()))["chosen"] == found.chosen


def test_folds_learn_from_what_was_known_before_they_judge(history: TrainingData) -> None:
    gap = 48 * HOUR_US

    for fold in time_folds(history, gap):
        learn, judge = history.take(fold.learn), history.take(fold.judge)
        assert learn.seq[0] == history.seq[0]
        assert learn.occurred_us.max() == judge.occurred_us.min() - gap


def test_a_row_that_happened_after_the_judged_ones_is_not_learned_from(history: TrainingData) -> None:
    moved = history.occurred_us.copy()
    moved[100] = history.occurred_us[-1]
    ahead = TrainingData(history.features, history.y, history.weight, history.seq, moved)

    for fold, usual in zip(time_folds(ahead), time_folds(history), strict=True):
        assert set(usual.learn) - set(fold.learn) == {100}


def test_the_latest_part_is_left_for_measuring(history: TrainingData, found: Search) -> None:
    measured = train(history, found.settings, feature_set=FEATURES).label_summary["later"]

    assert max(fold["judged_last_seq"] for fold in found.folds) < measured["first_seq"]


def test_too_few_frauds_are_refused_with_a_hint() -> None:
    table, fraud = payments(300)
    fraud[:] = 0
    fraud[::100] = 1

    with pytest.raises(InputError, match=r"too few to search settings on.*10 frauds.*Train without --tune"):
        search(labelled(table, fraud), SMALL, feature_set=FEATURES, go_on=lambda done: True)


def test_better_settings_are_found_where_the_given_ones_are_poor(history: TrainingData) -> None:
    poor = {"rounds": 1, "max_depth": 1, "eta": 0.02}

    found = search(history, poor, feature_set=FEATURES, go_on=lambda done: done < 4)

    assert found.chosen > 0
    assert np.mean(found.trials[found.chosen].average_precision) > found.trials[0].mean
