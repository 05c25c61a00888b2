"""Do the coefficients give the published values?"""

from collections.abc import Callable

import numpy as np
import pytest

from casework.quality.agreement.coefficients import (
    brennan_prediger,
    fleiss_kappa,
    gwet_ac1,
    interval,
    krippendorff_alpha,
    nominal,
    ordinal,
    ratio,
    raw,
)
from casework.quality.agreement.pairs import cohen_kappa, conger_kappa
from casework.quality.agreement.standard_errors import ac1_standard_error, alpha_standard_error
from casework.quality.agreement.table import Rating, Ratings, tabulate

TOLERANCE = 5e-5
KRIPPENDORFF_4_BY_12 = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
# Gwet prints the same table with the lone rating of the last subject under the third rater; only Conger's
# kappa, which looks at who said what, can tell.
GWET_4_BY_12 = KRIPPENDORFF_4_BY_12.replace("5 . 3", "5 . .").replace("2 2 5 1 .\n1 2 3", "2 2 5 1 3\n1 2 3")
FLEISS_10_BY_5 = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ],
    dtype=float,
)


def table(text: str, gap: str = " ") -> Ratings:
    """Observers by units, '.' where nobody rated."""
    lines = [line.split() if gap else list(line) for line in text.strip().splitlines()]
    return tabulate(
        Rating(str(unit), f"observer-{who}", value)
        for who, line in enumerate(lines)
        for unit, value in enumerate(line)
        if value != "."
    )


def cross_table(cells: list[list[int]]) -> Ratings:
    """Two raters from the counts of their joint verdicts."""
    units = [(a, b) for a, row in enumerate(cells) for b, count in enumerate(row) for _ in range(count)]
    ratings = [
        (str(i), who, "ab"[v]) for i, pair in enumerate(units) for who, v in zip("xy", pair, strict=True)
    ]
    return tabulate([Rating(*rating) for rating in ratings], categories="ab")


def once(statistic: Callable, counts: np.ndarray, *more: object, **options: object) -> float:
    return float(statistic(counts, np.ones((1, len(counts))), *more, **options)[0])


def test_krippendorffs_binary_example() -> None:
    counts = table("0100000010\n1110010000", gap="").counts
    assert once(krippendorff_alpha, counts) == pytest.approx(0.0952, abs=TOLERANCE)


def test_krippendorffs_ben_and_gerry() -> None:
    counts = table("aabbdcccedda\nbabbbccceddd", gap="").counts
    assert once(krippendorff_alpha, counts) == pytest.approx(0.6920, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("level", "published"),
    [
        (nominal, 0.7434),
        (ordinal, 0.8154),
        (interval([1, 2, 3, 4, 5]), 0.8491),
        (ratio([1, 2, 3, 4, 5]), 0.7974),
    ],
    ids=["nominal", "ordinal", "interval", "ratio"],
)
def test_krippendorffs_four_observers_with_missing_values(level: Callable, published: float) -> None:
    counts = table(KRIPPENDORFF_4_BY_12).counts
    assert once(krippendorff_alpha, counts, level) == pytest.approx(published, abs=TOLERANCE)


def test_gwets_four_raters_with_missing_values() -> None:
    found = table(GWET_4_BY_12)
    counts = found.counts
    assert once(gwet_ac1, counts) == pytest.approx(0.77544, abs=TOLERANCE)
    assert once(gwet_ac1, counts, shares_from="paired_items") == pytest.approx(0.77515, abs=TOLERANCE)
    assert once(krippendorff_alpha, counts) == pytest.approx(0.74342, abs=TOLERANCE)
    assert once(fleiss_kappa, counts) == pytest.approx(0.76117, abs=TOLERANCE)
    assert once(brennan_prediger, counts) == pytest.approx(0.77273, abs=TOLERANCE)
    assert once(conger_kappa, found.rows, len(found.categories)) == pytest.approx(0.76282, abs=TOLERANCE)


def test_gwets_standard_errors() -> None:
    counts = table(GWET_4_BY_12).counts
    assert ac1_standard_error(counts) == pytest.approx(0.14295, abs=TOLERANCE)
    assert alpha_standard_error(counts) == pytest.approx(0.14557, abs=TOLERANCE)


def test_fleiss_fourteen_psychiatrists() -> None:
    assert once(fleiss_kappa, FLEISS_10_BY_5) == pytest.approx(0.2099, abs=TOLERANCE)
    assert once(brennan_prediger, FLEISS_10_BY_5) == pytest.approx(0.2225, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("cells", "agreed", "kappa", "ac1"),
    [
        ([[40, 9], [6, 45]], 0.85, 0.6995, 0.7007),
        ([[80, 10], [5, 5]], 0.85, 0.3182, 0.8080),
        ([[45, 15], [25, 15]], 0.60, 0.1304, None),
        ([[25, 35], [5, 35]], 0.60, 0.2593, None),
        ([[118, 5], [2, 0]], 0.944, -0.0234, 0.9408),
    ],
)
def test_the_paradoxes_of_kappa(
    cells: list[list[int]], agreed: float, kappa: float, ac1: float | None
) -> None:
    found = cross_table(cells)
    assert once(raw, found.counts) == pytest.approx(agreed, abs=TOLERANCE)
    assert once(cohen_kappa, found.rows, 2) == pytest.approx(kappa, abs=TOLERANCE)
    if ac1 is not None:
        assert once(gwet_ac1, found.counts) == pytest.approx(ac1, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "share", "expected"),
    [
        (0.80, 0.95, 0.50, (0.792, 0.575, 0.594, 0.756)),
        (0.80, 0.95, 0.01, (0.903, 0.103, 0.891, 0.154)),
        (0.50, 0.85, 0.10, (0.721, 0.073, 0.600, 0.245)),
    ],
)
def test_what_skew_does(
    sensitivity: float, specificity: float, share: float, expected: tuple[float, float, float, float]
) -> None:
    from casework.quality.agreement.coefficients import specific

    patterns = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    both = share * sensitivity**2 + (1 - share) * (1 - specificity) ** 2
    neither = share * (1 - sensitivity) ** 2 + (1 - share) * specificity**2
    weights = np.array([[both, 1 - both - neither, neither]]) * 1e7
    found = (
        raw(patterns, weights)[0],
        krippendorff_alpha(patterns, weights)[0],
        gwet_ac1(patterns, weights)[0],
        specific(patterns, weights, 0)[0],
    )
    assert found == pytest.approx(expected, abs=6e-4)
