"""Does the power calculator promise the intervals that such reviews would give, and the costs that they have?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import review_design as made

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha
from casework.quality.agreement.intervals import MIN_ITEMS
from casework.quality.subgroups import wilson
from casework.review.measuring import accuracy, calculator, power
from casework.review.measuring.calculator import Shares, Work
from casework.review.measuring.volumes import Evidence, Volumes
from data.errors import InputError

NOTHING = Evidence(0, 0, 0, 0, 0, 0, 0, 0, 0)
VOLUMES = Volumes(8.0, 3500.0, 90.0, 120.0, 4, 35.0, power.Pairs(0.19, 0.25), 0.01, 0.5, 0.14, 0.8, ())
SHARES = Shares(0.25, 0.2, 0.01, 0.03, 0.02, 0.5, 0.1)


@pytest.mark.parametrize("coefficient", ["alpha", "ac1"])
@pytest.mark.parametrize("pairs", [power.Pairs(0.19, 0.25), power.Pairs(0.4, 0.2), power.Pairs(0.08, 0.1)])
def test_the_width_of_an_agreement_is_that_of_simulated_reviews(coefficient: str, pairs: power.Pairs) -> None:
    items, rng = 400, np.random.default_rng(3)
    both, differ = pairs.both, pairs.differ
    drawn = rng.multinomial(items, [both, differ, 1 - both - differ], size=4000)
    patterns = np.array([[2, 0], [1, 1], [0, 2]], dtype=float)
    statistic = krippendorff_alpha if coefficient == "alpha" else gwet_ac1
    found = statistic(patterns, drawn.astype(float))
    expected = power.agreement_half_width(pairs, items, coefficient=coefficient)
    assert expected == pytest.approx(power.Z * np.nanstd(found), rel=0.06)


@pytest.mark.parametrize(("right", "n"), [(3, 10), (20, 40), (0, 25), (7, 7)])
def test_the_width_of_a_share_is_that_of_its_wilson_interval(right: int, n: int) -> None:
    interval = wilson(right, n)
    half = power.share_half_width(right / n, n)
    centre = (right / n + power.Z**2 / (2 * n)) / (1 + power.Z**2 / n)
    assert centre - half == pytest.approx(interval["low"], abs=1e-9)
    assert centre + half == pytest.approx(interval["high"], abs=1e-9)


def test_a_corrected_rate_is_as_wide_as_simulated_ones_and_wider_than_a_plain_one() -> None:
    rate, n, recall, frauds, accused, honest = 0.05, 2000, 0.6, 120, 0.1, 200
    rng = np.random.default_rng(5)
    confirmed = rng.binomial(n, rate * recall + (1 - rate) * accused, 20_000) / n
    sees, errs = rng.binomial(frauds, recall, 20_000) / frauds, rng.binomial(honest, accused, 20_000) / honest
    estimates = (confirmed - errs) / (sees - errs)
    expected = power.corrected_rate_half_width(rate, n, recall, frauds, accused, honest)
    assert expected == pytest.approx(power.Z * estimates.std(), rel=0.1)
    assert expected > 3 * power.share_half_width(rate, n)


def test_verdicts_that_say_nothing_give_no_rate() -> None:
    assert power.corrected_rate_half_width(0.01, 1000, 0.3, 50, 0.3, 50) == float("inf")


def test_a_figure_is_shown_by_the_same_rule_as_on_the_page_of_agreement() -> None:
    assert power.agreement_needs(power.Pairs(0.3, 0.3), positives=False) == MIN_ITEMS
    assert power.agreement_needs(power.Pairs(0.3, 0.05), positives=False) == 200  # 10 in dispute
    assert power.agreement_needs(power.Pairs(0.05, 0.1), positives=True) == pytest.approx(
        400
    )  # 40 with fraud said
    assert power.weeks_until(100, 40, 20) == 3
    assert power.weeks_until(100, 140, 0) == 0
    assert power.weeks_until(100, 40, 0) is None


def test_reviews_a_week_follow_from_the_shares_and_the_volumes() -> None:
    asked = calculator.work(SHARES, VOLUMES)
    assert (asked.audit, asked.second, asked.third) == (35.0, 31.25, 6.25)
    fresh = 90 + 35 + 31.25 + 6.25
    assert asked.golden == pytest.approx(0.03 * fresh / 0.95)
    assert asked.golden / (fresh + asked.golden + asked.re_serve) == pytest.approx(0.03)


def test_no_more_is_served_again_than_was_drawn_for_it() -> None:
    few = calculator.work(replace(SHARES, re_serve=0.2, again=0.01), VOLUMES)
    assert few.re_serve == pytest.approx(0.01 * (90 + 35 + 31.25 + 6.25))


def test_every_figure_says_when_it_can_be_shown_and_has_no_width_before() -> None:
    asked = calculator.work(SHARES, VOLUMES)
    soon = {row["name"]: row for row in calculator.figures(SHARES, asked, VOLUMES, NOTHING, 2)}
    later = {row["name"]: row for row in calculator.figures(SHARES, asked, VOLUMES, NOTHING, 104)}
    assert len(soon) == 7
    for name, row in soon.items():
        assert (row["half_width"] is None) is (row["after"] < row["needed"]), name
        assert later[name]["half_width"] is not None
        assert row["weeks_until"] > 0
    assert soon["ac1"]["weeks_until"] == 4  # 100 at 31.25 a week
    assert later["recall"]["half_width"] < 0.2


def test_what_is_there_already_shortens_the_wait() -> None:
    asked = calculator.work(SHARES, VOLUMES)
    have = replace(NOTHING, double=90)
    [row] = [r for r in calculator.figures(SHARES, asked, VOLUMES, have, 12) if r["name"] == "ac1"]
    assert (row["weeks_until"], row["have"], row["after"]) == (1, 90, 465)


def test_a_share_of_nothing_never_shows_a_figure() -> None:
    none = calculator.figures(SHARES, Work(0, 0, 0, 0, 0), VOLUMES, NOTHING, 50)
    assert {row["weeks_until"] for row in none} == {None}
    assert {row["half_width"] for row in none} == {None}


def test_the_report_measures_the_ledger_and_names_what_it_assumes(house_with) -> None:
    house = house_with(second_review=1.0)
    made.employ(house)
    house.many_cases(7)
    for who in ("analyst-1", "analyst-2"):
        for _ in range(7):
            house.judge(who, "legitimate")
    house.later(days=7)
    found = calculator.report(house.ledger, house.policy, house.now, {"second_review": 0.5}, 10)
    assert found["volumes"]["cases"] == pytest.approx(7, rel=0.01)
    assert found["volumes"]["analysts"] == 2
    assert found["volumes"]["seconds"] == 30
    assert (found["shares"]["second_review"], found["in_force"]["second_review"]) == (0.5, 1.0)
    assert found["cost"]["reviews_a_week"] < found["cost"]["in_force_reviews_a_week"]
    assert {row["name"]: row["have"] for row in found["figures"]}["ac1"] == 7
    assert any("few second reviews on record" in said for said in found["assumed"])


def test_error_rates_are_the_policys_until_enough_truths_are_known_to_measure_them(house) -> None:
    made.employ(house)
    for _ in range(accuracy.LEAST_KNOWN - 1):
        house.audit()
        house.judge("analyst-1", "legitimate")
    house.later(days=40)
    few = calculator.report(house.ledger, house.policy, house.now, {})
    assert few["volumes"]["false_positive_rate"] == house.policy.reviewer.false_positive_rate
    assert few["measured"] == []
    house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    house.later(days=40)
    found = calculator.report(house.ledger, house.policy, house.now, {})
    assert found["volumes"]["false_positive_rate"] == pytest.approx(1 / 30)
    assert found["volumes"]["recall"] == house.policy.reviewer.recall
    interval = (
        "false positive rate 3% [1%, 17%], measured on 30 honest ones among golden cases and audited payments"
    )
    assert found["measured"] == [interval]
    assert "only 0 frauds among golden cases and audited payments known" in "; ".join(found["assumed"])


@pytest.mark.parametrize("wanted", [{"second_review": 1.5}, {"golden": 0.6, "re_serve": 0.6}])
def test_impossible_shares_are_refused(house, wanted: dict[str, float]) -> None:
    with pytest.raises(InputError):
        calculator.report(house.ledger, house.policy, house.now, wanted)


def test_a_report_looks_at_most_two_years_ahead(house) -> None:
    house.later(seconds=timedelta(days=1).total_seconds())
    with pytest.raises(InputError, match="200 weeks"):
        calculator.report(house.ledger, house.policy, house.now, {}, 200)
