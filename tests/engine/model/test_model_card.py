"""Model cards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from engine.model import Model, TrainedModel, TrainingData
from engine.model.card import card, write_card

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
        phrases={"amount_minor": "amount of this payment"},
    )

    stored = json.loads((tmp_path / "card.json").read_bytes())
    assert stored["model_id"] == saved[1].model_id
    assert stored["importance_rows"] == 1000
    assert sorted(stored["importance"]) == sorted(saved[1].names)
    page = (tmp_path / "card.html").read_text()
    assert "amount of this payment" in page
    assert "&lt;25" in page and "<25" not in page
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
