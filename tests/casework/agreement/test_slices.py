"""Do the slices of agreement compare the right people on the right items?"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from casework.quality.agreement.breakdown import Placed, breakdown, facts_of, in_weeks
from casework.quality.agreement.fixed_mix import at_fixed_mix, cuts
from casework.quality.agreement.skew import skew
from casework.quality.agreement.steadiness import TwoLooks, steadiness
from casework.quality.agreement.table import Rating

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
FRAUD = {"positive": "fraud"}


def placed(item: str, reviewer: str, verdict: str, arm: str = "", **facts: str) -> Placed:
    return Placed(Rating(item, reviewer, verdict, arm), {name: (value,) for name, value in facts.items()})


def test_each_queue_has_its_own_agreement_and_the_largest_comes_first() -> None:
    given = [placed(f"a{i}", who, "fraud", queue="small") for i in range(2) for who in "xy"]
    given += [
        placed(f"b{i}", who, "fraud" if who == "x" else "ok", queue="large") for i in range(3) for who in "xy"
    ]
    found = breakdown(given, "queue", **FRAUD)["groups"]
    assert [(row["value"], row["n_items"], row["raw"]["value"]) for row in found] == [
        ("large", 3, 0.0),
        ("small", 2, 1.0),
    ]
    assert found[0]["raw"]["state"] == "insufficient data"


def test_an_item_that_two_rules_hit_counts_for_both() -> None:
    given = [Placed(Rating("1", who, "ok"), {"rule": ("r1", "r2")}) for who in "xy"]
    assert {row["value"] for row in breakdown(given, "rule", **FRAUD)["groups"]} == {"r1", "r2"}


def test_people_are_compared_only_under_the_same_guideline_and_in_the_same_arm() -> None:
    by_guideline = [placed("1", "x", "ok", guideline="v1"), placed("1", "y", "ok", guideline="v2")]
    assert breakdown(by_guideline, "guideline", **FRAUD) == {
        "fact": "guideline", "groups": [], "n_values": 2, "without_overlap": 2, "left_out": 0
    }  # fmt: skip
    by_arm = [placed("1", "x", "ok", "shown", queue="q"), placed("1", "y", "ok", "blind", queue="q")]
    assert breakdown(by_arm, "queue", **FRAUD)["groups"] == []


def test_an_item_belongs_to_the_week_of_its_first_verdict() -> None:
    given = [
        Placed(Rating("1", "x", "ok"), given_at=MONDAY + timedelta(days=6)),
        Placed(Rating("1", "y", "ok"), given_at=MONDAY + timedelta(days=8)),
    ]
    weeks = in_weeks(given)
    assert facts_of(weeks) == ["week"]
    (row,) = breakdown(weeks, "week", **FRAUD)["groups"]
    assert (row["value"], row["n_items"]) == ("2026-W10", 1)


def two_weeks(shares: tuple[float, float], n: int = 3000) -> list[Placed]:
    """Two people of the same skill, in weeks with different shares of fraud; the score tells fraud from the rest."""
    rng = np.random.default_rng(5)
    found = []
    for week, share in enumerate(shares):
        fraud = rng.random(n) < share
        score = np.where(fraud, 0.7, 0.2) + rng.normal(0, 0.05, n)
        for who in "xy":
            said = np.where(fraud, rng.random(n) < 0.8, rng.random(n) < 0.05)
            found += [
                Placed(
                    Rating(f"{week}-{i}", who, "fraud" if said[i] else "ok"),
                    given_at=MONDAY + timedelta(weeks=week),
                    score=float(score[i]),
                )
                for i in range(n)
            ]
    return in_weeks(found)


def test_at_a_fixed_mix_alpha_stays_where_only_the_share_of_fraud_changed() -> None:
    trend = at_fixed_mix(two_weeks((0.7, 0.1)), **FRAUD)
    assert trend is not None
    first, second = trend["weeks"]
    assert first["observed"]["alpha"]["value"] - second["observed"]["alpha"]["value"] > 0.03
    assert abs(first["fixed_mix"]["alpha"]["value"] - second["fixed_mix"]["alpha"]["value"]) < 0.03
    fixed = second["fixed_mix"]["alpha"]
    assert fixed["low"] < fixed["value"] < fixed["high"]
    assert sum(band["share"] for band in trend["bands"]) == pytest.approx(1)


def test_without_scores_there_is_no_fixed_mix() -> None:
    given = [Placed(Rating("1", who, "ok"), given_at=MONDAY) for who in "xy"]
    assert at_fixed_mix(in_weeks(given), **FRAUD) is None
    assert list(cuts(np.array([0.3, 0.3, 0.3]))) == []


def test_a_band_that_no_item_of_a_week_is_in_is_named() -> None:
    given = [p for p in two_weeks((0.5, 0.5), 60) if not (p.facts["week"] == ("2026-W11",) and p.score > 0.5)]
    trend = at_fixed_mix(given, **FRAUD)
    assert trend is not None
    assert trend["weeks"][0]["missing_bands"] == []
    assert trend["weeks"][1]["missing_bands"] != []


def test_a_second_look_that_says_the_same_is_steady() -> None:
    looks = [
        TwoLooks(str(i), "x", "fraud" if i < 4 else "ok", "fraud" if i < 3 else "ok", 20.0) for i in range(10)
    ]
    found = steadiness(looks, **FRAUD)
    assert (found["n_looks"], found["same"]["value"]) == (10, 0.9)
    assert (found["positive_only_at_first"], found["positive_only_later"]) == (1, 0)
    assert found["positive_specific"] == pytest.approx(6 / 7)
    assert found["cohen_kappa"]["value"] == pytest.approx((0.9 - 0.54) / 0.46)
    assert found["median_days_between"] == 20.0
    assert found["by_reviewer"].keys() == {"x"}
    assert "by_reviewer" not in steadiness(looks, **FRAUD, with_people=False)


def test_without_second_looks_steadiness_has_no_value() -> None:
    found = steadiness([], **FRAUD)
    assert (found["n_looks"], found["same"]["value"], found["cohen_kappa"]["state"]) == (0, None, "undefined")


def test_the_picture_of_skew_gives_the_computed_values() -> None:
    found = skew(0.80, 0.05, (0.01, 0.5))
    assert [round(p["alpha"], 3) for p in found["points"]] == [0.103, 0.575]
    assert [round(p["ac1"], 3) for p in found["points"]] == [0.891, 0.594]
    assert found["sentence"] == (
        "The same two analysts: alpha falls from 0.58 at 50% fraud to 0.10 at 1.0% though nobody changed"
    )
