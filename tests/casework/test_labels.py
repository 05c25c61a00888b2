"""Does a label come from the strongest source, with its weight, and only when it was known?"""

from datetime import datetime, timedelta

import pytest

from casework.cases import dispositions
from casework.learning.labels import Label, labels
from casework.review import verdicts
from engine.decision import Outcome


def report(house, seq: int, is_fraud: bool, known_at: datetime, reported_seq: int = 0) -> None:
    with house.ledger.writing() as w:
        row = {
            "transaction_seq": seq,
            "is_fraud": is_fraud,
            "known_at": known_at,
            "reported_seq": reported_seq,
        }
        w.insert(
            "outcomes", [{**row, "source": "chargeback", "reason_code": "10.4", "recorded_at": known_at}]
        )


def known(house, **options) -> list[Label]:
    return labels(house.ledger, house.policy, house.now, **options)


def only(house, **options) -> tuple[str, bool]:
    found = known(house, **options)
    assert len(found) == 1
    return found[0].source, found[0].value


def test_a_single_verdict_is_a_weak_label_with_its_provenance(house) -> None:
    case = house.case()
    verdict = house.judge("analyst-1", "confirmed_fraud")
    weight = house.policy.labels.weights["single_verdict"]
    assert known(house) == [
        Label(case.transaction_seq, True, weight, "single_verdict", verdict.given_at, verdict.verdict_id)
    ]


def test_two_who_agree_are_a_consensus(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    house.judge("analyst-1", "legitimate")
    house.judge("analyst-2", "legitimate")
    assert only(house) == ("consensus", False)


def test_two_who_disagree_give_no_label_until_somebody_adjudicates(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    house.judge("analyst-1", "legitimate")
    house.judge("analyst-2", "confirmed_fraud")
    assert known(house) == []
    house.judge("lead-1", "confirmed_fraud", role="team_lead")
    assert only(house) == ("adjudicated", True)


def test_unsure_is_no_label(house) -> None:
    house.case()
    house.judge("analyst-1", "inconclusive")
    house.judge("lead-1", "inconclusive", role="team_lead")
    assert known(house) == []


def test_an_outcome_beats_every_opinion_and_golden_beats_people(house) -> None:
    case = house.case()
    house.judge("analyst-1", "legitimate")
    assert only(house, golden={case.transaction_seq: True}) == ("golden", True)
    report(house, case.transaction_seq, True, house.now)
    assert only(house, golden={case.transaction_seq: False}) == ("outcome", True)


def test_a_later_outcome_reverses_an_earlier_one(house) -> None:
    case = house.case()
    report(house, case.transaction_seq, True, house.later(days=3))
    report(house, case.transaction_seq, False, house.later(days=3), reported_seq=1)
    assert only(house) == ("outcome", False)


def test_nothing_counts_before_it_was_known(house) -> None:
    case = house.case()
    house.judge("analyst-1", "legitimate")
    given = house.now
    report(house, case.transaction_seq, True, house.later(days=20))
    assert labels(house.ledger, house.policy, given - timedelta(seconds=1)) == []
    assert [x.source for x in labels(house.ledger, house.policy, given)] == ["single_verdict"]
    assert [x.source for x in labels(house.ledger, house.policy, house.now)] == ["outcome"]


def test_an_undone_verdict_is_no_label_from_then_on(house) -> None:
    house.case()
    verdict = house.judge("analyst-1", "legitimate")
    before = house.now
    house.later(minutes=1)
    with house.ledger.writing() as w:
        verdicts.undo(w, verdict.verdict_id, "analyst-1", house.policy, house.now)
    assert known(house) == []
    assert len(labels(house.ledger, house.policy, before)) == 1


@pytest.mark.parametrize(
    ("outcome", "disposition", "speaks"),
    [
        (Outcome.APPROVE, None, True),
        (Outcome.APPROVE, "already_settled", True),
        (Outcome.APPROVE, "reversed", False),
        (Outcome.REVIEW, None, False),
        (Outcome.REVIEW, "released", True),
        (Outcome.REVIEW, "declined", False),
        (Outcome.DECLINE, None, False),
        (Outcome.DECLINE, "released", True),
    ],
)
def test_silence_speaks_only_of_payments_that_went_through(house, outcome, disposition, speaks: bool) -> None:
    made = house.decision(outcome)
    if disposition:
        with house.ledger.writing() as w:
            dispositions.record(
                w, made.transaction.seq, disposition, "a reason", "lead-1", house.policy, house.now
            )
    house.now = made.transaction.occurred_at + house.policy.labels.maturity - timedelta(microseconds=1)
    assert known(house) == []
    house.later(microseconds=1)
    assert [(x.source, x.value, x.known_at) for x in known(house)] == (
        [("matured_silence", False, house.now)] if speaks else []
    )


def test_a_verdict_speaks_louder_than_silence(house) -> None:
    house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    house.later(days=400)
    assert only(house) == ("single_verdict", True)


def test_a_source_without_weight_is_not_used(house) -> None:
    from dataclasses import replace

    house.case()
    house.judge("analyst-1", "legitimate")
    weights = {**house.policy.labels.weights, "single_verdict": 0.0}
    house.policy = replace(house.policy, labels=replace(house.policy.labels, weights=weights))
    assert known(house) == []
