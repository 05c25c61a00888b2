"""Do the coefficients stay honest where agreement has no value?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha, nominal, ordinal
from casework.quality.agreement.intervals import INSUFFICIENT, UNDEFINED, Evidence, evidence
from casework.quality.agreement.report import consistency
from casework.quality.agreement.table import Rating, patterns, tabulate
from data.errors import InputError


def report(*ratings: tuple[str, str, str], **options: object) -> dict:
    return consistency([Rating(*r) for r in ratings], positive="fraud", **options).as_json()


def test_evidence_counts_items_of_two_or_more_reviewers_and_every_pair_of_them() -> None:
    fraud_and_not = np.array([[3, 0], [2, 1], [0, 2], [1, 0], [0, 4]])
    assert evidence(fraud_and_not, 0) == Evidence(
        n_items=4, n_pairs=3 + 3 + 1 + 6, positive_ratings=5, items_with_positive=2, disagreeing_items=1
    )


def test_one_category_only_is_undefined_and_not_perfect() -> None:
    found = report(*[(str(i), who, "fraud") for i in range(5) for who in ("a", "b")])
    assert found["raw"]["value"] == 1.0
    assert (found["alpha"]["value"], found["alpha"]["state"]) == (None, UNDEFINED)
    assert found["ac1"]["value"] is None
    assert "one and the same category" in found["alpha"]["sentence"]


def test_single_reviews_give_no_agreement_at_all() -> None:
    found = report(("1", "a", "fraud"), ("2", "b", "legitimate"))
    assert found["n_items"] == 0
    assert {found[name]["value"] for name in ("raw", "alpha", "ac1", "positive_specific")} == {None}
    assert found["sentence"] == "No item has two reviewers."


def test_the_same_person_twice_is_not_two_people() -> None:
    found = report(
        ("1", "a", "fraud"), ("1", "a", "legitimate"), ("1", "a", "fraud"), ("2", "a", "legitimate")
    )
    assert found["n_items"] == 0
    assert (found["repeats"], found["repeats_changed"]) == (2, 1)


def test_a_single_review_moves_only_the_coefficients_that_say_so() -> None:
    pairs = [
        (str(i), who, "fraud" if i < 3 or (i == 3 and who == "a") else "ok") for i in range(9) for who in "ab"
    ]
    without, with_single = report(*pairs), report(*pairs, ("10", "a", "fraud"))
    assert without["alpha"]["value"] == with_single["alpha"]["value"]
    assert without["ac1"]["value"] == with_single["ac1"]["value"]
    assert without["ac1_all_items"]["value"] != with_single["ac1_all_items"]["value"]


def test_a_declared_category_that_nobody_used_changes_nothing() -> None:
    pairs = [
        ("1", "a", "fraud"),
        ("1", "b", "ok"),
        ("2", "a", "ok"),
        ("2", "b", "ok"),
        ("3", "a", "fraud"),
        ("3", "b", "fraud"),
    ]
    declared = report(*pairs, categories=["ok", "inconclusive", "fraud"])
    assert declared["ac1"]["value"] == report(*pairs)["ac1"]["value"]
    assert declared["alpha_ordinal"]["value"] == pytest.approx(declared["alpha"]["value"])


def test_a_verdict_outside_the_categories_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        tabulate([Rating("1", "a", "maybe")], categories=["fraud", "ok"])
    assert str(refusal.value) == "the verdict 'maybe' is not a category (allowed: fraud, ok)"


def test_no_ratings_at_all_is_a_state_and_no_crash() -> None:
    found = report()
    assert (found["n_items"], found["state"]) == (0, UNDEFINED)


def test_few_positive_ratings_are_insufficient_however_many_items_there_are() -> None:
    ratings = [(str(i), who, "ok") for i in range(600) for who in "ab"]
    ratings += [(f"x{i}", who, "fraud" if who == "a" or i < 3 else "ok") for i in range(15) for who in "ab"]
    found = report(*ratings)
    assert found["alpha"]["state"] == INSUFFICIENT
    assert found["alpha"]["low"] is None
    assert found["alpha"]["sentence"] == "Insufficient data: 15 items with a positive rating, 40 needed."
    assert found["raw"]["state"] == "enough"


def test_few_items_are_insufficient_however_balanced() -> None:
    found = report(*[(str(i), who, "fraud" if i % 2 else "ok") for i in range(60) for who in "ab"])
    assert found["alpha"]["value"] == 1.0
    assert found["alpha"]["sentence"] == "Insufficient data: 60 items with two reviewers, 100 needed."


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(-1, 3), min_size=3, max_size=3), min_size=2, max_size=12).filter(
        lambda rows: len({v for row in rows if sum(x >= 0 for x in row) > 1 for v in row if v >= 0}) > 1
    )
)
def test_alpha_equals_an_independent_implementation(rows: list[list[int]]) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    ratings = [
        Rating(str(i), str(j), str(v)) for i, row in enumerate(rows) for j, v in enumerate(row) if v >= 0
    ]
    table = tabulate(ratings)
    data = np.array(
        [[v if v >= 0 else np.nan for v in column] for column in zip(*rows, strict=True)], dtype=float
    )
    weights = np.ones((1, len(table.items)))
    for level, word in ((nominal, "nominal"), (ordinal, "ordinal")):
        expected = krippendorff.alpha(reliability_data=data, level_of_measurement=word)
        assert krippendorff_alpha(table.counts, weights, level)[0] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_collapsing_equal_items_changes_no_coefficient(counts: list[tuple[int, int, int]]) -> None:
    rows = np.array(counts, dtype=float)
    collapsed = patterns(rows)
    for statistic in (krippendorff_alpha, gwet_ac1):
        whole = statistic(rows, np.ones((1, len(rows))))
        np.testing.assert_allclose(statistic(collapsed.rows, collapsed.weights), whole, atol=1e-12)
