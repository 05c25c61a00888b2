"""Measures of how well a score finds fraud."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from data.errors import InputError
from engine.measuring import metrics

SEEDS = st.integers(0, 10_000)


def drawn(seed: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, score with many ties, weight)"""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.1).astype(int)
    y[0], y[1] = 0, 1
    return y, np.round(rng.normal(size=rows) + y, int(rng.integers(0, 4))), rng.random(rows) + 0.01


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_ranking_measures_equal_scikit_learn_with_ties_and_weights(seed: int) -> None:
    y, score, weight = drawn(seed)

    assert metrics.auc(y, score) == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert metrics.average_precision(y, score) == pytest.approx(average_precision_score(y, score), abs=1e-12)
    assert metrics.auc(y, score, weight) == pytest.approx(
        roc_auc_score(y, score, sample_weight=weight), abs=1e-12
    )
    assert metrics.average_precision(y, score, weight) == pytest.approx(
        average_precision_score(y, score, sample_weight=weight), abs=1e-12
    )


def test_probability_measures_equal_scikit_learn() -> None:
    y, score, weight = drawn(1)
    p = 1 / (1 + np.exp(-score))

    assert metrics.brier(y, p, weight) == pytest.approx(brier_score_loss(y, p, sample_weight=weight))
    assert metrics.log_loss(y, p, weight) == pytest.approx(log_loss(y, p, sample_weight=weight))


def test_without_one_of_the_classes_there_is_no_figure() -> None:
    score = np.arange(5.0)

    assert math.isnan(metrics.auc(np.zeros(5), score))
    assert math.isnan(metrics.auc(np.ones(5), score))
    assert math.isnan(metrics.average_precision(np.zeros(5), score))
    assert math.isnan(metrics.auc(np.empty(0), np.empty(0)))


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="1 scores are not numbers"):
        metrics.auc(np.array([0, 1]), np.array([0.1, np.nan]))
    with pytest.raises(InputError, match="do not match"):
        metrics.auc(np.array([0, 1]), np.array([0.1]))


def test_card_precision_takes_the_highest_score_of_each_card_and_drops_detected_ones() -> None:
    day = np.array([0, 0, 0, 0, 1, 1, 1])
    card = np.array([1, 1, 2, 3, 1, 2, 3])
    score = np.array([0.1, 0.9, 0.8, 0.2, 0.9, 0.3, 0.4])
    y = np.array([1, 0, 0, 1, 1, 1, 0])

    # Day 0: cards 1 and 2 on top, 1 compromised. Day 1: card 1 is blocked, so 3 and 2 are on top, 2 compromised.
    assert metrics.card_precision_by_day(day, card, y, score, k=2) == [0.5, 0.5]
    assert metrics.card_precision_at_k(day, card, y, score, k=2) == 0.5
    assert math.isnan(metrics.card_precision_at_k(day[:0], card[:0], y[:0], score[:0]))


def test_card_precision_divides_by_k_even_on_a_quiet_day() -> None:
    one = np.array([0])

    assert metrics.card_precision_by_day(one, one, np.array([1]), np.array([0.5]), k=100) == [0.01]
    with pytest.raises(InputError, match="at least one card, not 0"):
        metrics.card_precision_by_day(one, one, one, one, k=0)


def test_precision_and_recall_count_rows_and_value_detection_counts_money() -> None:
    flagged = np.array([False, True, False, True, False])

    assert metrics.precision_recall(np.array([0, 1, 1, 0, 0]), flagged) == (0.5, 0.5)
    assert metrics.value_detection_rate(
        np.array([0, 1, 1, 0, 0]), flagged, np.array([9.0, 30, 10, 5, 5])
    ) == pytest.approx(0.75)


def test_figures_that_do_not_exist_are_not_numbers() -> None:
    none = np.zeros(3, dtype=bool)

    precision, recall = metrics.precision_recall(np.zeros(3), none)

    assert math.isnan(precision) and math.isnan(recall)
    assert math.isnan(metrics.value_detection_rate(np.zeros(3), none, np.ones(3)))
