"""Do the parts of the consistency report rest on the right verdicts of the ledger?"""

from datetime import timedelta

import pytest
from conftest import START

from casework.cases import dispositions
from casework.people.permissions import Person, Role
from casework.people.signin import add_user
from casework.quality import consistency_parts as parts
from casework.quality import ledger_verdicts as of_ledger
from casework.quality import looking
from casework.quality.scorecards.reviews import reviews
from casework.review import reviewers
from casework.review.reviewers import Reviewer
from data.errors import InputError, NotFoundError


def pair(house, first: str, second: str, **options) -> None:
    house.case(**options)
    house.judge("analyst-1", first)
    house.judge("analyst-2", second)


def given(house):
    return of_ledger.given(house.ledger, house.now, house.policy.labels.maturity)


@pytest.fixture
def worked(house_with):
    """Three payments judged twice by chance, in two weeks; one four-eyes pair that chance did not draw."""
    house = house_with(second_review=1.0)
    pair(house, "confirmed_fraud", "legitimate")
    pair(house, "legitimate", "legitimate")
    house.later(days=7)
    pair(house, "confirmed_fraud", "confirmed_fraud")
    house.policy = house_with().policy
    pair(house, "legitimate", "legitimate", amount_minor=house.policy.four_eyes_amount_minor)
    return house


def test_slices_rest_on_random_overlap_alone(worked) -> None:
    weeks = parts.sliced(given(worked), "week")["groups"]
    assert [(row["value"], row["n_items"], row["raw"]["value"]) for row in weeks] == [
        ("2026-W10", 2, 0.5),
        ("2026-W11", 1, 1.0),
    ]
    by = {fact: parts.sliced(given(worked), fact) for fact in of_ledger.FACTS}
    values = {fact: [row["value"] for row in found["groups"]] for fact, found in by.items()}
    assert values["reason"] == ["uncertain"]
    assert "new_device" in values["rule"]
    assert (values["guideline"], values["arm"]) == (["g1"], ["score_shown"])
    with pytest.raises(InputError, match="agreement is not broken down by 'mood'"):
        parts.sliced(given(worked), "mood")


def test_the_trend_has_weeks_and_the_picture_of_skew_for_the_policys_reviewer(worked) -> None:
    found = parts.trend(given(worked), worked.policy.reviewer)
    assert [week["week"] for week in found["weeks"]] == ["2026-W10", "2026-W11"]
    assert (found["skew"]["recall"], found["skew"]["measured"]) == (worked.policy.reviewer.recall, False)


def test_truth_is_that_of_matured_audits_and_never_of_what_people_let_pass(house_with) -> None:
    house = house_with()
    house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    house.case()
    house.judge("analyst-1", "legitimate")
    late = house.now + house.policy.labels.maturity + timedelta(days=1)
    for at, expected in ((house.now, [None, None]), (late, [False, None])):
        found = of_ledger.given(house.ledger, at, house.policy.labels.maturity)
        assert [one.fraud for one in found] == expected


def test_silence_says_nothing_of_a_payment_that_was_stopped(house_with) -> None:
    house = house_with()
    for outcome, paid in (("decline", ""), ("decline", "released"), ("approve", ""), ("approve", "reversed")):
        seq = house.audit().transaction_seq
        house.judge("analyst-1", "confirmed_fraud")
        with house.ledger.writing() as w:
            w.execute("UPDATE decisions SET outcome = ? WHERE transaction_seq = ?", [outcome, seq])
            if paid:
                dispositions.record(w, seq, paid, "by hand", "lead-1", house.policy, house.now)
    late, maturity = house.later(days=400), house.policy.labels.maturity
    expected = [None, False, False, None]
    assert [one.fraud for one in of_ledger.given(house.ledger, late, maturity)] == expected
    assert [one.fraud for one in reviews(house.ledger, START, late, maturity)] == expected


def test_a_voided_verdict_enters_no_report(worked) -> None:
    before = given(worked)
    with worked.ledger.writing() as w:
        w.insert(
            "voided_verdicts",
            [{"verdict_id": before[0].verdict_id, "transaction_seq": before[0].transaction_seq,
              "voided_by": "lead-1", "reason": "test", "voided_at": worked.now}],
        )  # fmt: skip
    after = given(worked)
    assert len(after) == len(before) - 1


def test_a_second_serving_is_compared_with_the_same_persons_first_word(worked) -> None:
    with worked.ledger.writing() as w:
        w.execute("UPDATE verdicts SET task_kind = 're_serve', transaction_seq = 1 WHERE transaction_seq = 3")
    found = parts.second_looks(given(worked), with_people=True)
    assert (found["n_looks"], found["same"]["value"]) == (2, 0.5)
    assert found["by_reviewer"]["analyst-2"]["positive_only_later"] == 1


def test_a_blind_verdict_and_what_was_said_after_the_reveal_are_both_in_the_report(worked) -> None:
    (one, *_) = given(worked)
    with worked.ledger.writing() as w:
        w.insert(
            "revisions",
            [{"verdict_id": one.verdict_id, "task_id": "t", "case_id": "", "transaction_seq": 1,
              "reviewer": one.reviewer, "was": one.value, "value": "legitimate", "confidence": "", "note": "",
              "seconds": 3.0, "given_at": worked.now}],
        )  # fmt: skip
    found = parts.display(worked.ledger, given(worked))
    assert (found["after_reveal"]["n"], found["after_reveal"]["changed"]["value"]) == (1, 1.0)
    assert found["threshold"] == 0.3


def test_disputes_are_told_against_each_other_the_model_and_the_outcome(worked) -> None:
    found = parts.disputes(worked.ledger, given(worked))
    assert (found["tree"]["n"], found["tree"]["disputed"]) == (3, 1)
    assert found["tree"]["state"] == "insufficient data"
    assert found["with_the_model"]["same"]["n"] == 8
    assert parts.disputes(worked.ledger, given(worked), against="outcome")["tree"]["n"] == 0
    with pytest.raises(InputError, match="verdicts are not set against 'fate'"):
        parts.disputes(worked.ledger, given(worked), against="fate")


def person(user_id: str, role: str) -> Person:
    return Person(user_id, Role(role))


def test_looking_at_somebody_elses_figures_is_an_event_that_he_or_she_can_read(worked) -> None:
    assert parts.pace_of(given(worked), "analyst-1", worked.now)["seconds"]["n"] == 4
    analyst, lead = person("analyst-1", "analyst"), person("lead-1", "team_lead")
    with worked.ledger.writing() as w:
        for name in ("analyst-1", "analyst-2"):
            add_user(w, name, "analyst", "a long password", by="admin", at=worked.now)
    looking.look(worked.ledger, analyst, "analyst-1", "pace", worked.now)
    assert looking.looks_at(worked.ledger, "analyst-1") == []
    looking.look(worked.ledger, lead, "analyst-1", "pace", worked.now)
    (seen,) = looking.looks_at(worked.ledger, "analyst-1")
    assert (seen["seen_by"], seen["what"]) == ("lead-1", "pace")
    for who, whom in (
        (analyst, "analyst-2"),
        (person("auditor-1", "auditor"), "analyst-1"),
        (lead, "nobody"),
    ):
        with pytest.raises(NotFoundError, match="there are no figures of such a person for you"):
            looking.look(worked.ledger, who, whom, "pace", worked.now)


def test_a_lead_of_one_team_does_not_see_the_figures_of_another(worked) -> None:
    teams = {"analyst-1": ("north",), "analyst-2": ("south",), "analyst-3": (), "lead-1": ("north",)}
    with worked.ledger.writing() as w:
        for name, of in teams.items():
            role = "team_lead" if name == "lead-1" else "analyst"
            add_user(w, name, role, "a long password", by="admin", at=worked.now)
            reviewers.write(w, Reviewer(name, teams=of), "admin", worked.now)
    assert looking.led_by(worked.ledger, person("lead-1", "team_lead")) == ["analyst-1", "analyst-3"]
    assert looking.led_by(worked.ledger, person("lead-2", "team_lead")) == [
        "analyst-1",
        "analyst-2",
        "analyst-3",
    ]


def test_an_empty_ledger_has_every_part_and_says_that_it_is_empty(house) -> None:
    nothing = given(house)
    assert parts.sliced(nothing, "queue")["groups"] == []
    assert parts.trend(nothing, house.policy.reviewer)["weeks"] == []
    assert parts.second_looks(nothing)["n_looks"] == 0
    assert {one["state"] for one in parts.display(house.ledger, nothing)["effects"]} == {"insufficient data"}
    assert parts.disputes(house.ledger, nothing)["tree"]["n"] == 0
    assert parts.pace(nothing)["n"] == 0


def test_displays_are_compared_only_where_chance_chose_the_arm(house_with) -> None:
    house = house_with()
    house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    house.case()
    house.judge("analyst-1", "confirmed_fraud")
    found = given(house)
    assert [(one.kind, one.arm_was_drawn) for one in found] == [("audit", False), ("primary", True)]
    effects = parts.display(house.ledger, given(house))["effects"]
    assert {one["contrast"] for one in effects} == {"screen"}
    said = next(one for one in effects if one["measure"] == "said_fraud")
    assert (said["without"]["n"], said["with"]["n"]) == (0, 1)


def test_a_tree_against_the_model_does_not_find_the_cut_again(worked) -> None:
    rows = given(worked)
    assert parts._facts(worked.ledger, rows, "each_other")["tx-1"]["score"] == 0.3
    assert parts._facts(worked.ledger, rows, "model")["tx-1"]["score"] is None
