"""How named values become numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from model_payments import FEATURES, labelled, payments

from data.errors import InputError
from engine.model import NamedFeatures, TrainingData, train
from engine.model.dataset import fit_encoders, training_matrix


def test_labels_meet_their_transactions_by_seq_and_rows_come_out_in_that_order() -> None:
    table, _ = payments(5)
    shuffled = table.take(pa.array([4, 0, 3, 1, 2]))
    labels = pa.table({"seq": [5, 2, 99], "value": [1, 0, 1], "weight": [0.5, 1.0, 1.0]})

    data = TrainingData.join(shuffled, labels)

    assert data.seq.tolist() == [2, 5]
    assert data.y.tolist() == [0, 1]
    assert data.weight.tolist() == [1.0, 0.5]
    assert data.features["amount_minor"].to_pylist() == [
        table["amount_minor"][1].as_py(),
        table["amount_minor"][4].as_py(),
    ]


def test_two_labels_for_one_transaction_are_refused() -> None:
    table, _ = payments(2)
    labels = pa.table({"seq": [1, 1], "value": [1, 0], "weight": [1.0, 1.0]})

    with pytest.raises(InputError, match="a transaction has two labels"):
        TrainingData.join(table, labels)


def test_a_row_and_a_table_give_the_same_numbers(history: TrainingData) -> None:
    encoders = fit_encoders(history, FEATURES)
    some = history.features.slice(0, 200)

    from_rows = encoders.rows(some.to_pylist())

    np.testing.assert_array_equal(from_rows, encoders.matrix(some))
    assert np.isnan(from_rows[:, 1]).any()
    assert set(np.unique(from_rows[:, 2])) == {0.0, 1.0}


def test_rare_and_unknown_levels_share_the_code_for_other_and_missing_has_none(history: TrainingData) -> None:
    channel = fit_encoders(history, FEATURES).categories["channel"]

    assert set(channel.codes) == {"ecom", "pos", "app"}
    assert channel.code("rare") == channel.code("never seen") == channel.other
    assert np.isnan(channel.code(None))


def test_codes_rise_with_the_share_of_fraud(history: TrainingData) -> None:
    channel = fit_encoders(history, FEATURES).categories["channel"]
    values = np.array(history.features["channel"].to_pylist())
    share = {level: history.y[values == level].mean() for level in channel.codes}

    assert sorted(share, key=share.__getitem__) == sorted(channel.codes, key=channel.codes.__getitem__)
    assert len({*channel.codes.values(), channel.other}) == 4


def test_other_is_trained_even_where_no_level_is_rare() -> None:
    table, fraud = payments(4000)
    common = pa.array(np.where(np.arange(4000) % 2, "one", "two"))
    data = labelled(table.set_column(table.column_names.index("channel"), "channel", common), fraud)
    encoders = fit_encoders(data, FEATURES)

    matrix = training_matrix(data, encoders, seed=1)

    pooled = matrix[:, 3] == encoders.categories["channel"].other
    assert 0.005 < pooled.mean() < 0.02


def test_a_column_without_any_value_is_missing_everywhere() -> None:
    table, fraud = payments(300)
    data = labelled(table.append_column("empty", pa.nulls(300)), fraud)

    matrix = fit_encoders(data, NamedFeatures(("empty",))).matrix(data.features)

    assert np.isnan(matrix).all()


def test_a_row_without_one_of_the_inputs_is_refused_by_name(history: TrainingData) -> None:
    encoders = fit_encoders(history, FEATURES)

    with pytest.raises(InputError, match="a row lacks the model's feature 'night'"):
        encoders.rows([{"amount_minor": 1, "device_seconds": None, "channel": "pos"}])


def test_numbers_too_large_for_the_trees_train_score_and_explain_as_the_largest_they_hold() -> None:
    table, fraud = payments(2000)
    device = np.array(table["device_seconds"].to_pylist(), dtype=np.float64)
    device[::5], device[1::7], device[2::9] = 1e60, -1.7e308, 3.5e38
    at = table.column_names.index("device_seconds")
    table = table.set_column(at, "device_seconds", pa.array(device, from_pandas=True))

    model = train(labelled(table, fraud), {"rounds": 10}, feature_set=FEATURES).model()
    matrix, rows = model.encoders.matrix(table), table.slice(0, 50).to_pylist()

    np.testing.assert_array_equal(model.encoders.rows(rows), matrix[:50])
    assert not np.isinf(matrix).any()
    assert matrix[0, 1] == matrix[2, 1] == np.finfo(np.float32).max == -matrix[1, 1]
    margins, _ = model.score_rows(rows)
    assert margins.tolist() == model.score_matrix(matrix)[0][:50].tolist()
    for explained, margin in zip(model.explain(rows), margins, strict=True):
        assert explained.base + sum(explained.contributions.values()) == pytest.approx(margin, abs=1e-9)
    assert model.novelty(rows[0]) == model.novelty(rows[3]) == 0.0


@pytest.mark.parametrize(("value", "kind"), [(0, "legitimate"), (1, "fraud")])
def test_labels_of_one_kind_only_are_refused_with_a_hint(value: int, kind: str) -> None:
    table, _ = payments(50)
    data = labelled(table, np.full(50, value))

    with pytest.raises(InputError, match=f"all 50 labels are {kind}, so there is nothing to tell apart"):
        train(data, feature_set=FEATURES)
