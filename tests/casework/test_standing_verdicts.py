"""Do figures of what reviewers said count what still stands, and each payment once?"""

from __future__ import annotations

from datetime import timedelta

from casework.learning.labels import voiding
from casework.quality.summary import summary
from casework.watching.asked import asked
from casework.watching.stretches import Stretch
from data.events import EventDraft


def test_a_void_verdict_is_left_out_of_the_summary_and_of_what_was_asked(house) -> None:
    given = [house.judge("analyst-1", value) for value in _each(house, "confirmed_fraud", "legitimate")]
    with house.ledger.writing() as w:
        voiding.void(w, [given[0].verdict_id], "on the wrong page", by="lead-1", at=house.now)
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


def _each(house, *values: str):
    for value in values:
        house.case()
        yield value


def _whole(house) -> Stretch:
    return Stretch(house.now - timedelta(days=1), house.now + timedelta(days=1))
