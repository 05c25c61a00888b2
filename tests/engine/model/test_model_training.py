"""What training promises about a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from model_payments import FEATURES, HOUR_US, QUICK, labelled, payments

from data.errors import ConfigError
from engine.measuring.metrics import average_precision
from engine.model import DEFAULTS, TrainedModel, TrainingData, train
from engine.model.margins import margins


def scores(model: TrainedModel, data: TrainingData) -> tuple[np.ndarray, np.ndarray]:
    scorer = model.model()
    return scorer.score_matrix(scorer.encoders.matrix(data.features))


def test_the_same_data_and_seed_give_the_same_model_whatever_the_threads(
    history: TrainingData, trained: TrainedModel
) -> None:
    again = train(history, QUICK, feature_set=FEATURES, nthread=2)

    assert bytes(again.booster.save_raw("ubj")) == bytes(trained.booster.save_raw("ubj"))
    assert again.calibrator == trained.calibrator
    assert again.novelty == trained.novelty


def test_it_finds_fraud_that_comes_later(trained: TrainedModel) -> None:
    later = labelled(*payments(4000, seed=9))

    margin, probability = scores(trained, later)

    assert average_precision(later.y, margin) > 3 * later.y.mean()
    assert abs(probability.mean() - later.y.mean()) < 0.01


def test_the_figures_come_from_the_later_part_only(trained: TrainedModel, history: TrainingData) -> None:
    labels = trained.label_summary

    assert labels["earlier"]["rows"] + labels["later"]["rows"] == len(history)
    assert labels["earlier"]["last_seq"] < labels["later"]["first_seq"]
    assert trained.metrics["rows"] == labels["later"]["rows"] == 1500
    found = trained.metrics["average_precision"]
    assert found["low"] < found["value"] < found["high"]


def test_figures_are_those_of_a_model_that_learned_only_from_labels_known_at_the_cut(
    history: TrainingData,
) -> None:
    gap = 20 * 24 * HOUR_US
    kept, dropped = 4500 + 15 - 480, 4500  # a row an hour; one in a hundred later rows may lie before the cut
    told = history.y.copy()
    told[kept:dropped] = 1 - told[kept:dropped]  # labels that nobody had when the later part began
    wrong = replace(history, y=told)
    how = {"params": {**QUICK, "refit": False}, "feature_set": FEATURES}

    careful, misled = train(history, gap_us=gap, **how), train(wrong, gap_us=gap, **how)

    assert bytes(careful.booster.save_raw("ubj")) == bytes(misled.booster.save_raw("ubj"))
    assert careful.metrics == misled.metrics
    assert careful.label_summary["earlier"]["rows"] == kept
    assert careful.metrics["measured_on"].endswith("and had 20 days left out, whose labels nobody had yet")
    assert train(history, **how).label_summary["earlier"]["rows"] == dropped


def test_a_past_shorter_than_the_label_delay_is_learned_from_whole(history: TrainingData) -> None:
    short = train(history, QUICK, feature_set=FEATURES, gap_us=10**4 * 24 * HOUR_US)

    assert short.label_summary["earlier"]["rows"] == 4500
    assert short.metrics["measured_on"] == "the later part, by a model that learned from the earlier part"


def test_a_label_of_small_weight_teaches_little() -> None:
    table, fraud = payments(4000)
    wrong = np.where(np.arange(4000) % 3 == 0, 1 - fraud, fraud)
    doubted = labelled(table, wrong, np.where(wrong == fraud, 1.0, 0.01))
    believed = labelled(table, wrong)
    later = labelled(*payments(3000, seed=5))

    careful, credulous = (
        scores(train(data, QUICK, feature_set=FEATURES), later)[1] for data in (doubted, believed)
    )

    assert careful.mean() < 0.1 < 0.25 < credulous.mean()


def test_one_row_scores_bit_for_bit_as_it_does_among_thousands(
    trained: TrainedModel, history: TrainingData
) -> None:
    scorer = trained.model()
    together = scores(trained, history)

    for i, row in enumerate(history.features.slice(0, 100).to_pylist()):
        margin, probability = scorer.score_rows([row])
        assert (margin[0], probability[0]) == (together[0][i], together[1][i])


def test_asking_for_all_at_once_says_what_asking_for_each_says(
    trained: TrainedModel, history: TrainingData
) -> None:
    model = trained.model()
    rows = history.features.slice(0, 300).to_pylist()
    rows += [
        {**rows[0], "amount_minor": 10**9, "channel": "phone"},
        {**rows[1], "device_seconds": 1e300, "night": None},
    ]
    margins = [float(model.score_rows([row])[0][0]) for row in rows]

    for some in (rows, rows[-3:]):
        asked = model.ask(some)
        assert asked[0] == margins[-len(some) :]
        assert asked[1] == model.score_rows(some)[1].tolist()
        assert asked[2] == [model.novelty(row) for row in some]
    assert model.explain(rows[:5], margins[:5]) == model.explain(rows[:5])


def test_the_trees_are_asked_as_by_the_library_itself(trained: TrainedModel, history: TrainingData) -> None:
    matrix = trained.encoders.matrix(history.features.slice(0, 700))
    theirs = trained.booster.inplace_predict(matrix, predict_type="margin")

    for rows in (1, 3, 64, 700):
        assert margins(trained.booster, matrix[:rows]).tolist() == theirs[:rows].tolist()


def test_no_rows_give_no_scores(trained: TrainedModel) -> None:
    margin, probability = trained.model().score_rows([])

    assert margin.shape == probability.shape == (0,)
    assert trained.model().explain([]) == []


def test_what_the_trap_in_the_library_defaults_needs_is_set() -> None:
    assert DEFAULTS["base_score"] == 0.5
    assert DEFAULTS["max_bin"] == 2048
    assert "scale_pos_weight" not in DEFAULTS


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"scale_pos_weight": 99}, "'scale_pos_weight' is not a model parameter.*lowers average precision"),
        ({"objective": "reg:squarederror"}, "'objective' cannot be changed.*binary:logistic"),
        ({"calibration_share": 0.9}, "calibration_share is out of range.*0.05 to 0.5"),
        ({"rounds": 0}, "rounds is out of range.*1 to 5000"),
    ],
)
def test_parameters_that_would_spoil_the_model_are_refused(
    history: TrainingData, params: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        train(history, params, feature_set=FEATURES)


def test_a_payment_like_any_other_is_not_novel_and_a_strange_one_is(
    trained: TrainedModel, history: TrainingData
) -> None:
    model = trained.model()
    usual = {"amount_minor": 3000, "device_seconds": None, "night": False, "channel": "pos"}
    strange = {"amount_minor": 10**9, "device_seconds": 1e12, "night": None, "channel": "phone"}

    assert model.novelty(usual) == 0.0
    assert model.novelty(strange) == 1.0
    assert np.mean([model.novelty(r) > 0.99 for r in history.features.slice(0, 2000).to_pylist()]) < 0.01
