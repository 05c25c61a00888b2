"""Do the figures over the ledger rest on the right verdicts, and say how sure they are?"""

import pytest

from casework.learning.labels import voiding
from casework.quality.consistency import consistency_report, overlap
from casework.quality.subgroups import subgroup_table, wilson
from data.errors import InputError
from engine.decision import Outcome


def pair(house, first: str, second: str, **options) -> None:
    house.case(**options)
    house.judge("analyst-1", first)
    house.judge("analyst-2", second)


def test_the_headline_rests_on_random_second_reviews_alone(house_with) -> None:
    house = house_with(second_review=1.0)
    pair(house, "confirmed_fraud", "legitimate")
    house.judge("lead-1", "legitimate", role="team_lead")
    house.policy = house_with().policy
    pair(house, "legitimate", "legitimate", amount_minor=house.policy.four_eyes_amount_minor)
    house.case()
    house.judge("analyst-1", "legitimate")
    assert {r.item for r in overlap(house.ledger)} == {"tx-1"}
    assert len(overlap(house.ledger, random_only=False)) == 5
    report = consistency_report(house.ledger)
    assert (report["n_items"], report["raw"]["value"], report["state"]) == (1, 0.0, "insufficient data")
    assert report["positive"] == "confirmed_fraud"


def test_an_undone_verdict_does_not_count(house_with) -> None:
    from casework.review import verdicts

    house = house_with(second_review=1.0)
    house.case()
    mine = house.judge("analyst-1", "confirmed_fraud")
    with house.ledger.writing() as w:
        task = verdicts.undo(w, mine.verdict_id, "analyst-1", house.policy, house.now)
    house.say(task, "legitimate")
    house.judge("analyst-2", "legitimate")
    assert [r.verdict for r in overlap(house.ledger)] == ["legitimate", "legitimate"]


def test_the_report_can_be_asked_by_arm_and_period_and_without_people(house_with) -> None:
    house = house_with(second_review=1.0)
    pair(house, "legitimate", "legitimate")
    since = house.later(days=1)
    pair(house, "confirmed_fraud", "legitimate")
    assert consistency_report(house.ledger, since=since)["n_items"] == 1
    assert consistency_report(house.ledger, arm="blind_first")["n_items"] == 0
    assert consistency_report(house.ledger)["by_arm"].keys() == {"score_shown"}
    assert len(consistency_report(house.ledger)["by_pair"]) == 1
    assert consistency_report(house.ledger, with_people=False)["by_pair"] == []


def test_an_empty_ledger_has_a_report_that_says_so(house) -> None:
    report = consistency_report(house.ledger)
    assert (report["n_items"], report["state"], report["sentence"]) == (
        0,
        "undefined",
        "No item has two reviewers.",
    )


def test_subgroups_get_rates_with_wilson_intervals(house) -> None:
    for outcome, band in [(Outcome.APPROVE, "18-29")] * 3 + [
        (Outcome.DECLINE, "18-29"),
        (Outcome.APPROVE, "65+"),
    ]:
        house.decision(outcome, age_band=band)
    house.case(age_band="65+")
    house.judge("analyst-1", "confirmed_fraud")
    table = subgroup_table(house.ledger, "age_band")
    young, old = table["groups"]
    assert (young["value"], young["n"], young["decline"]["value"]) == ("18-29", 4, 0.25)
    assert (old["share_confirmed"]["value"], old["share_confirmed"]["n"]) == (1.0, 1)
    assert old["fraud_share_of_outcomes"] == {"value": None, "low": None, "high": None, "n": 0}
    assert table["sentence"].startswith("Declined most often: 18-29 (25 % of 4); least often: 65+ (0 % of 2)")


def test_a_voided_verdict_confirms_nothing_of_a_subgroup(house) -> None:
    house.case()
    given = house.judge("analyst-1", "confirmed_fraud")
    with house.ledger.writing() as w:
        voiding.void(w, [given.verdict_id], "a broken screen", by="lead-1", at=house.now)
    [group] = subgroup_table(house.ledger, "age_band")["groups"]
    assert group["share_confirmed"]["n"] == 0


def test_an_attribute_that_does_not_exist_is_refused(house) -> None:
    with pytest.raises(InputError, match="there is no attribute 'shoe_size'"):
        subgroup_table(house.ledger, "shoe_size")
    assert subgroup_table(house.ledger, "")["groups"] == []


def test_wilson_matches_the_published_example_and_stays_inside_zero_and_one() -> None:
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert (wilson(81, 263)["low"], wilson(81, 263)["high"]) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (wilson(0, 20)["low"], wilson(0, 20)["high"]) == pytest.approx((0.0, 0.1611), abs=5e-5)
