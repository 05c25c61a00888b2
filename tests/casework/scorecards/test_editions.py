"""Does a person see his or her own scorecard first, and is every look of others on record?"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from golden_rows import golden_cases, said_row

from casework.quality.scorecards import editions
from casework.quality.scorecards.reviews import reviews
from casework.quality.scorecards.scorecard import LEAST, missed_money, scorecard, share_said_fraud
from data.errors import ConflictError, InputError, NotFoundError
from engine.decision import Outcome

LATER = timedelta(days=200)


@pytest.fixture
def working(house):
    """Two analysts; analyst-1 judged twelve golden frauds (missing three) and twelve golden honest payments."""
    with house.ledger.writing() as w:
        people = [
            {"user_id": f"analyst-{n}", "role": "analyst", "password_hash": "", "created_at": house.now}
            for n in (1, 2)
        ]
        w.insert("users", people)
        seqs = [house._decide(w, amount_minor=1000 * (n + 1)).transaction.seq for n in range(24)]
        golden_cases(w, house, seqs)
        rows = []
        for n, seq in enumerate(seqs):
            fraud = n % 2 == 0
            value = "confirmed_fraud" if (fraud and n > 5) or n == 1 else "legitimate"
            rows.append(said_row(house, n, seq, "analyst-1", value, "golden", "golden"))
        w.insert("verdicts", rows)
    house.later(hours=1)
    return house


def issued(house) -> str:
    assert editions.issue_due(house.ledger, house.policy, house.now) == 1
    [card] = editions.of_reviewer(house.ledger, "analyst-1")
    return card["scorecard_id"]


def test_the_figures_are_those_of_the_golden_cases_with_wilson_intervals(working) -> None:
    card = editions.figures(working.ledger, working.policy, working.now)["analyst-1"]
    recall, wrongly = card["known"]["golden"]["recall"], card["known"]["golden"]["false_positive_rate"]
    assert (recall["said"], recall["n"], recall["value"]) == (9, 12, 0.75)
    assert (recall["low"], recall["high"]) == pytest.approx((0.4677, 0.9111), abs=5e-4)
    assert (wrongly["said"], wrongly["n"]) == (1, 12)
    assert card["known"]["outcome"]["recall"]["state"] == "insufficient data"
    money = card["money"]
    assert money["missed_minor"] == 1000 + 3000 + 5000
    assert money["share"]["low"] < money["share"]["value"] < money["share"]["high"]


def test_too_few_known_payments_are_counted_and_given_no_share() -> None:
    found = share_said_fraud([])
    assert (found["value"], found["state"], found["n"]) == (None, "insufficient data", 0)
    assert missed_money([])["state"] == "insufficient data"


def test_an_audited_payment_is_known_once_its_time_to_be_disputed_is_over(house) -> None:
    task = house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    early = reviews(house.ledger, house.now - LATER, house.now, house.policy.labels.maturity)
    assert [(each.fraud, each.known_from) for each in early] == [(None, "")]
    then = house.later(days=40)
    late = reviews(house.ledger, then - LATER, then, house.policy.labels.maturity)
    assert [(each.fraud, each.known_from) for each in late] == [(False, "outcome")]
    assert task.kind == "audit"


def test_a_reviewed_case_is_never_known_because_its_outcome_follows_from_the_verdict(house) -> None:
    house.case(outcome=Outcome.REVIEW)
    house.judge("analyst-1", "legitimate")
    then = house.later(days=40)
    assert [
        each.fraud for each in reviews(house.ledger, then - LATER, then, house.policy.labels.maturity)
    ] == [None]


def test_nobody_else_reads_it_before_its_reviewer_has(working) -> None:
    name = issued(working)
    [listed] = editions.for_others(working.ledger, working.policy, "lead-1", working.now)
    assert (listed["readable"], listed["flagged"]) == (False, None)
    with pytest.raises(ConflictError, match="its reviewer has not opened this scorecard yet"):
        editions.look_at(working.ledger, working.policy, name, "lead-1", working.now)
    editions.open_own(working.ledger, name, "analyst-1", working.later(minutes=1))
    seen = editions.look_at(working.ledger, working.policy, name, "lead-1", working.later(minutes=1))
    assert seen["figures"]["known"]["golden"]["recall"]["value"] == 0.75
    mine = editions.open_own(working.ledger, name, "analyst-1", working.now)
    assert [look["seen_by"] for look in mine["looks"]] == ["lead-1"]
    kinds = working.kinds()
    assert (kinds.count("scorecard.issued"), kinds.count("scorecard.opened")) == (1, 1)
    assert kinds.count("figures.read") == 2
    [event] = working.ledger.read("SELECT payload FROM events WHERE kind = 'scorecard.issued'")
    assert b"flagged" not in bytes(event["payload"])


def test_after_the_policys_time_others_may_read_it_unopened(working) -> None:
    name = issued(working)
    working.later(days=working.policy.design.scorecards.lead_after.days)
    assert editions.look_at(working.ledger, working.policy, name, "lead-1", working.now)["opened_at"] is None


def test_a_scorecard_is_issued_once_in_its_time_and_its_figures_stay(working) -> None:
    name = issued(working)
    assert editions.issue_due(working.ledger, working.policy, working.later(days=1)) == 0
    with working.ledger.writing() as w:
        w.execute("UPDATE verdicts SET undone_at = ? WHERE verdict_id = 'verdict_0'", [working.now])
    opened = editions.open_own(working.ledger, name, "analyst-1", working.now)
    assert opened["figures"]["known"]["golden"]["recall"]["n"] == 12
    working.later(days=working.policy.design.scorecards.every.days)
    assert editions.issue_due(working.ledger, working.policy, working.now) == 1


def test_its_reviewer_comments_and_the_words_can_be_erased(working) -> None:
    name = issued(working)
    editions.comment(working.ledger, name, "analyst-1", " the guideline says otherwise ", working.now)
    seen = editions.open_own(working.ledger, name, "analyst-1", working.now)
    assert [said["content"] for said in seen["comments"]] == ["the guideline says otherwise"]
    [event] = working.ledger.read("SELECT payload FROM events WHERE kind = 'scorecard.commented'")
    assert b"guideline" not in bytes(event["payload"])
    with pytest.raises(NotFoundError):
        editions.comment(working.ledger, name, "analyst-2", "me too", working.now)
    with pytest.raises(InputError, match="needs words"):
        editions.comment(working.ledger, name, "analyst-1", "  ", working.now)


def test_nobody_opens_anothers_as_his_own(working) -> None:
    with pytest.raises(NotFoundError, match="no such scorecard of yours"):
        editions.open_own(working.ledger, issued(working), "analyst-2", working.now)


def test_somebody_without_reviews_gets_no_scorecard(working) -> None:
    issued(working)
    assert editions.of_reviewer(working.ledger, "analyst-2") == []


def test_what_is_stored_is_plain_json(working) -> None:
    issued(working)
    [row] = working.ledger.read("SELECT content FROM scorecards")
    assert json.loads(row["content"])["least"] == LEAST


def test_a_scorecard_without_any_reviews_says_what_is_lacking(house) -> None:
    card = scorecard("analyst-1", [], None, None, house.now, house.now)
    assert card["sentence"].startswith("Too little is known yet: 0 frauds")
    assert card["weight"]["measured"] is False
