"""Do figures of what reviewers said count what still stands, and each payment once?"""

from __future__ import annotations

from datetime import timedelta

import pytest
import review_design as made

from casework.learning.labels import voiding
from casework.quality.summary import summary
from casework.review import team
from casework.review.measuring.volumes import measured
from casework.watching.asked import asked
from casework.watching.stretches import Stretch
from data.events import EventDraft


def test_a_void_verdict_is_left_out_of_the_summary_and_of_what_was_asked(house) -> None:
    given = [house.judge("analyst-1", value) for value in _each(house, "confirmed_fraud", "legitimate")]
    _void(house, given[0].verdict_id)
    told = summary(house.ledger, "", house.now)
    assert told["verdicts"] == {"legitimate": 1}
    assert told["share_confirmed_by_reviewers"] == {"n": 1, "value": 0.0}
    (row,) = [row for row in asked(house.ledger, _whole(house), house.policy) if row["verdicts"]]
    assert (row["purpose"], row["verdicts"], row["share_confirmed"]["n"]) == ("uncertain", 1, 1)
    assert row["share_confirmed"]["value"] == 0.0


def test_a_payment_that_was_looked_at_anew_counts_once_by_what_was_said_last(house) -> None:
    first, _ = [house.judge("analyst-1", value) for value in _each(house, "confirmed_fraud", "legitimate")]
    (row,) = house.ledger.read("SELECT * FROM verdicts WHERE verdict_id = ?", [first.verdict_id])
    anew = {
        "verdict_id": "anew",
        "value": "legitimate",
        "given_at": house.now,
        "event_seq": row["event_seq"] + 99,
    }
    with house.ledger.writing() as w:
        w.insert("verdicts", [{**row, **anew}])
        w.event(EventDraft("test", "test.verdict", "test"), house.now)
    assert summary(house.ledger, "", house.now)["share_confirmed_by_reviewers"] == {"n": 2, "value": 0.0}
    (row,) = [row for row in asked(house.ledger, _whole(house), house.policy) if row["verdicts"]]
    assert (row["verdicts"], row["share_confirmed"]["n"], row["share_confirmed"]["value"]) == (3, 2, 0.0)


def test_a_void_verdict_counts_neither_for_the_team_page_nor_for_the_design_of_reviews(house) -> None:
    first, _ = [house.judge("analyst-1", "legitimate", deserved="no") for _ in _each(house, "one", "two")]
    house.audit()
    audited = house.judge("analyst-1", "legitimate")
    house.later(minutes=1)
    _void(house, first.verdict_id, audited.verdict_id)
    (told,) = team.team_page(house.ledger, house.policy, house.now)["deserved"]
    assert (told["asked"], told["no"]) == (1, 1)
    volumes, evidence = measured(house.ledger, house.policy, house.now)
    assert (volumes.reviews, evidence.audits) == (1.0, 0)


def test_an_answer_on_a_payment_that_was_golden_twice_counts_once_by_the_truth_of_its_time(house) -> None:
    made.employ(house)
    made.golden_twice(house)
    _, evidence = measured(house.ledger, house.policy, house.now)
    assert (evidence.golden_frauds, evidence.golden_honest) == (1, 0)


def test_nobody_needs_training_for_a_void_verdict_or_by_a_void_adjudication(
    house_with, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "LEAST_OVERTURNED", 1)
    house = house_with(second_review=1.0)
    made.disputed(house, True)
    for reviewer, named in (("x-1", ["x-2"]), ("lead-1", [])):
        (row,) = house.ledger.read("SELECT verdict_id FROM verdicts WHERE reviewer = ?", [reviewer])
        _void(house, row["verdict_id"])
        told = team.training_needs(house.ledger, "lead-1", house.now)
        assert [each["reviewer"] for each in told] == named


def _void(house, *verdict_ids: str) -> None:
    with house.ledger.writing() as w:
        voiding.void(w, verdict_ids, "on the wrong page", by="lead-1", at=house.now)


def _each(house, *values: str):
    for value in values:
        house.case()
        yield value


def _whole(house) -> Stretch:
    return Stretch(house.now - timedelta(days=1), house.now + timedelta(days=1))
