"""Model cards."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_payments import AT, FEATURES, QUICK

from data.errors import InputError
from engine.measuring.review_capacity import Capacity
from engine.model import Model, TrainedModel, TrainingData, save, train
from engine.model.card import card, write_card
from engine.model.search import search

PNG = b"\x89PNG"


def test_a_card_is_written_as_data_page_and_pictures(
    saved: tuple[Path, Model], history: TrainingData, tmp_path: Path
) -> None:
    before = np.random.get_state()[1].copy()

    write_card(
        tmp_path,
        saved[1],
        history.features,
        subgroups=[{"age band": "<25", "alert rate": 0.021}],
        standing={
            "gates": [{"name": "golden set no worse", "passed": False, "sentence": "4 of 9 right"}],
            "holdout": {
                "share": 0.05,
                "by": "customer",
                "rows": 900,
                "frauds": 12,
                "generations": [
                    {"model_id": "m_1", "average_precision": {"value": 0.5, "low": 0.4, "high": 0.6}}
                ],
            },
            "average_precision": {"value": 0.45, "low": 0.3, "high": 0.6},
            "naive": {"rows": 1200, "frauds": 30, "champion": 0.6, "challenger": 0.55},
        },
        phrases={"amount_minor": "amount of this payment"},
    )

    stored = json.loads((tmp_path / "card.json").read_bytes())
    assert stored["model_id"] == saved[1].model_id
    assert stored["importance_rows"] == 1000
    assert sorted(stored["importance"]) == sorted(saved[1].names)
    page = (tmp_path / "card.html").read_text()
    assert "amount of this payment" in page
    assert "&lt;25" in page and "<25" not in page
    assert "<td>FAILED</td><td>golden set no worse</td>" in page
    assert "5% of all customer values, never learned from" in page and "0.500 [0.400, 0.600]" in page
    assert (
        "0.450 [0.300, 0.600] on labels that no score" in page
        and "all 1,200 labels that are believed, 0.550" in page
    )
    assert "estimates for all payments" in page
    assert page.count("data:image/png;base64,") == 3
    for name in ("beeswarm.png", "dependence.png", "calibration.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_the_most_important_feature_comes_first(saved: tuple[Path, Model], history: TrainingData) -> None:
    sizes = list(card(saved[1], history.features.slice(0, 200))["importance"].values())

    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_a_model_that_was_never_saved_has_no_card(trained: TrainedModel, history: TrainingData) -> None:
    with pytest.raises(InputError, match="only a saved model can have a card"):
        card(trained.model(), history.features)


def test_a_card_needs_rows(saved: tuple[Path, Model], history: TrainingData) -> None:
    with pytest.raises(InputError, match="a card needs rows to explain"):
        card(saved[1], history.features.slice(0, 0))


def test_a_card_shows_what_a_team_would_find_how_calibrated_it_is_and_what_was_tried(
    history: TrainingData, tmp_path: Path
) -> None:
    found = search(history, QUICK, feature_set=FEATURES, go_on=lambda done: done < 3)
    capacity = Capacity(20, history.features["amount_minor"].to_numpy())
    made = train(history, found.settings, feature_set=FEATURES, capacity=capacity)
    model = save(tmp_path, replace(made, search=found.to_json()), created_at=AT)

    write_card(tmp_path / "card", model, history.features.slice(0, 50))

    stored = json.loads((tmp_path / "card" / "card.json").read_bytes())
    page = (tmp_path / "card" / "card.html").read_text()
    spent = stored["performance"]["at_capacity"]
    assert spent["recall"]["low"] < spent["recall"]["value"] < spent["recall"]["high"]
    assert all(b["low"] <= b["observed"] <= b["high"] for b in stored["performance"]["calibration_curve"])
    assert "share of fraudulent money found at 20 reviews a day" in page
    assert "calibration slope" in page
    assert "3 settings were tried" in page and "0 (as given)" in page
    assert stored["search"]["chosen"] == found.chosen
