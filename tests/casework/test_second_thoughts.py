"""Are the blind verdict and the second thought both kept, and which of them settles the payment?"""

import pytest

from casework.cases import dispositions, revealing
from casework.learning.labels.labels import labels
from casework.review import revising, verdicts
from casework.review.revising import SecondThought
from data.errors import ConflictError, NotFoundError


def blind(house_with, value: str = "legitimate", **sampling: float):
    """A case judged blind by analyst-1, who has then looked at the score."""
    house = house_with(blind_first=1.0, **sampling)
    case = house.case()
    given = house.judge("analyst-1", value, confidence="low")
    house.later(seconds=5)
    revealing.note(house.ledger, "analyst-1", "analyst", case.transaction_seq, house.now)
    return house, case, given


def revise(house, given, value: str, who: str = "analyst-1"):
    house.later(seconds=10)
    with house.ledger.writing() as w:
        said = SecondThought(value, "high")
        return revising.revise(w, given.verdict_id, who, said, house.policy, house.now)


def test_both_the_blind_verdict_and_the_second_thought_are_kept(house_with) -> None:
    house, _, given = blind(house_with)
    revise(house, given, "confirmed_fraud")
    kept = verdicts.find(house.ledger, given.verdict_id)
    assert (kept.value, kept.confidence, kept.undone_at) == ("legitimate", "low", None)
    [row] = house.ledger.read("SELECT was, value, confidence, seconds FROM revisions")
    assert row == {"was": "legitimate", "value": "confirmed_fraud", "confidence": "high", "seconds": 15.0}
    assert "verdict.revised" in house.kinds()


def test_the_second_thought_settles_the_payment_and_the_first_stays_the_label(house_with) -> None:
    house, case, given = blind(house_with)
    assert house.status(case) == "closed"
    revise(house, given, "confirmed_fraud")
    [row] = house.ledger.read("SELECT verdict, status FROM cases")
    assert row == {"verdict": "confirmed_fraud", "status": "closed"}
    steps = [
        row["value"] for row in house.ledger.read("SELECT value FROM dispositions ORDER BY disposition_seq")
    ]
    assert steps == ["released", "reversed"]
    assert [label.value for label in labels(house.ledger, house.policy, house.now)] == [False]


def test_staying_with_it_is_kept_too_and_changes_nothing(house_with) -> None:
    house, case, given = blind(house_with)
    before = house.ledger.read("SELECT * FROM dispositions")
    revise(house, given, "legitimate")
    assert house.ledger.read("SELECT * FROM dispositions") == before
    assert len(house.ledger.read("SELECT * FROM revisions")) == 1
    assert house.status(case) == "closed"


def test_a_second_thought_that_differs_from_the_others_goes_to_adjudication(house_with) -> None:
    house = house_with(blind_first=1.0, second_review=1.0)
    case = house.case()
    house.judge("analyst-2", "legitimate")
    given = house.judge("analyst-1", "confirmed_fraud")
    assert house.status(case) == "in_adjudication"
    revealing.note(house.ledger, "analyst-1", "analyst", case.transaction_seq, house.now)
    revise(house, given, "legitimate")
    assert house.status(case) == "closed"
    [pending] = house.ledger.read("SELECT status FROM tasks WHERE kind = 'adjudication'")
    assert pending["status"] == "withdrawn"


def test_what_an_adjudicator_has_begun_is_left_alone(house_with) -> None:
    house, case, given = blind(house_with, "inconclusive")
    house.next("lead-1", "team_lead")
    revise(house, given, "legitimate")
    assert house.status(case) == "in_adjudication"
    assert len(house.ledger.read("SELECT * FROM revisions")) == 1


def test_there_is_one_second_thought_and_only_after_looking(house_with) -> None:
    house, _, given = blind(house_with)
    with pytest.raises(NotFoundError):
        revise(house, given, "legitimate", "analyst-2")
    revise(house, given, "legitimate")
    with pytest.raises(ConflictError, match="on record already"):
        revise(house, given, "confirmed_fraud")
    house.case()
    unread = house.judge("analyst-1", "legitimate")
    with pytest.raises(ConflictError, match="look at what the engine thinks first"):
        revise(house, unread, "legitimate")


def test_a_verdict_with_the_score_on_screen_has_no_second_thought(house) -> None:
    house.case()
    given = house.judge("analyst-1", "legitimate")
    with pytest.raises(ConflictError, match="before the score was seen"):
        revise(house, given, "confirmed_fraud")


def test_a_second_thought_comes_within_a_quarter_of_an_hour(house_with) -> None:
    house, _, given = blind(house_with)
    house.later(minutes=16)
    with pytest.raises(ConflictError, match="too late"):
        revise(house, given, "confirmed_fraud")


@pytest.mark.parametrize(
    ("first", "then"), [("legitimate", "confirmed_fraud"), ("confirmed_fraud", "legitimate")]
)
def test_at_the_deadline_the_second_thought_settles_the_payment_too(
    house_with, first: str, then: str
) -> None:
    house, case, given = blind(house_with, first, second_review=1.0)
    revise(house, given, then)
    house.now = case.deadline
    with house.ledger.writing() as w:
        assert dispositions.sweep(w, house.policy, house.now)["closed"] == 1
    [row] = house.ledger.read("SELECT verdict FROM cases")
    assert row["verdict"] == then
    [step] = house.ledger.read("SELECT value FROM dispositions")
    assert step["value"] == ("declined" if then == "confirmed_fraud" else "released")


def test_at_the_deadline_a_second_thought_may_end_an_agreement_or_make_one(house_with) -> None:
    house, _, given = blind(house_with, "confirmed_fraud", second_review=1.0, third_review=1.0)
    house.judge("analyst-2", "legitimate")
    revise(house, given, "legitimate")
    house.now = house.ledger.read("SELECT deadline FROM cases")[0]["deadline"]
    with house.ledger.writing() as w:
        dispositions.sweep(w, house.policy, house.now)
    [row] = house.ledger.read("SELECT verdict FROM cases")
    assert row["verdict"] == "legitimate"
