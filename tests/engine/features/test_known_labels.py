"""Does a fraud count as learned from the moment it was known, up to the edge of what is looked back over?"""

from __future__ import annotations

import pytest

from data.outcome_order import ORDER
from engine.features.known_labels import KnownLabels, LabelRow

OLDEST, SINCE, NOW = 1_000, 5_000, 9_000


def learned(time: int, known: int, *, revised: bool, is_fraud: bool = True) -> int:
    """How many frauds are learned in [SINCE, NOW) of one transaction at `time`, reported at `known`."""
    labels = KnownLabels(delay_us=100)
    row = LabelRow(0, known, known, is_fraud)
    labels.observe(1, time, row)
    if revised:
        labels.revise(1, time, [row])
    return labels.frauds_learned(SINCE, NOW, OLDEST)


@pytest.mark.parametrize("revised", [False, True])
@pytest.mark.parametrize(
    ("time", "known", "found"),
    [
        (OLDEST, SINCE, 1),
        (OLDEST - 1, SINCE, 0),
        (OLDEST, SINCE - 1, 0),
        (OLDEST, NOW - 1, 1),
        (OLDEST, NOW, 0),
        (SINCE, SINCE, 1),
    ],
)
def test_a_fraud_is_learned_at_its_edges_and_not_beyond(
    time: int, known: int, found: int, revised: bool
) -> None:
    assert learned(time, known, revised=revised) == found
    assert learned(time, known, revised=revised, is_fraud=False) == 0


def test_of_several_rows_the_one_in_force_counts() -> None:
    labels = KnownLabels(delay_us=100)
    first, second = LabelRow(0, SINCE, SINCE, True), LabelRow(1, SINCE + 10, SINCE + 10, False)
    labels.observe(1, OLDEST, first)
    labels.revise(1, OLDEST, [first])
    labels.observe(1, OLDEST, second)
    assert labels.frauds_learned(SINCE, SINCE + 9, OLDEST) == 1
    assert labels.frauds_learned(SINCE, SINCE + 10, OLDEST) == 0


def test_features_and_labels_agree_on_what_replaces_what() -> None:
    """Rows are compared field by field here, and column by column in SQL."""
    assert [name.replace("_us", "_at") for name in LabelRow._fields] == list(ORDER)
