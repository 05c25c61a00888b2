"""Does a label come from the strongest source, with its weight, and only when it was known?"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from casework.cases import dispositions
from casework.learning.labels import voiding
from casework.learning.labels.labels import Label, claim_table, labels
from casework.review import verdicts
from data.errors import InputError, NotFoundError
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
    said = ("single_verdict", verdict.given_at, verdict.verdict_id, "single_verdict weighs 0.40")
    assert known(house) == [Label(case.transaction_seq, True, weight, *said)]


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
    house.case()
    house.judge("analyst-1", "legitimate")
    weights = {**house.policy.labels.weights, "single_verdict": 0.0}
    house.policy = replace(house.policy, labels=replace(house.policy.labels, weights=weights))
    assert known(house) == []


def with_labels(house, **said) -> None:
    house.policy = replace(house.policy, labels=replace(house.policy.labels, **said))


def test_the_policy_says_which_source_comes_first(house) -> None:
    case = house.case()
    house.judge("analyst-1", "legitimate")
    report(house, case.transaction_seq, True, house.now)
    assert only(house) == ("outcome", True)
    with_labels(
        house,
        precedence=("single_verdict", "outcome", "golden", "adjudicated", "consensus", "matured_silence"),
    )
    assert only(house) == ("single_verdict", False)


def test_no_label_weighs_more_than_the_cap_and_says_so(house) -> None:
    case = house.case()
    report(house, case.transaction_seq, True, house.now)
    with_labels(house, cap=0.8)
    assert [(x.weight, x.derivation) for x in known(house)] == [(0.8, "outcome weighs 1.00, capped at 0.80")]


def test_the_word_of_a_source_counts_once_it_has_stood_long_enough(house) -> None:
    case = house.case()
    with_labels(house, matures={"outcome": timedelta(days=2)})
    report(house, case.transaction_seq, True, house.now)
    told = house.now
    house.later(days=1)
    assert known(house) == []
    house.later(days=1)
    assert [(x.source, x.known_at) for x in known(house)] == [("outcome", told + timedelta(days=2))]


def test_a_void_verdict_is_no_label_from_then_on_and_stays_on_record(house) -> None:
    house.case()
    verdict = house.judge("analyst-1", "legitimate")
    before = house.now
    house.later(days=1)
    with house.ledger.writing() as w:
        done = voiding.void(
            w, [verdict.verdict_id], "the reviewer was on the wrong page", by="lead-1", at=house.now
        )
    assert done == 1
    assert known(house) == []
    assert len(labels(house.ledger, house.policy, before)) == 1
    assert house.ledger.read("SELECT count(*) AS n FROM verdicts")[0]["n"] == 1


def test_voiding_twice_changes_nothing_and_a_reason_is_needed(house) -> None:
    house.case()
    verdict = house.judge("analyst-1", "legitimate")
    with house.ledger.writing() as w:
        assert voiding.void(w, [verdict.verdict_id], "a mistake", by="lead-1", at=house.now) == 1
        assert voiding.void(w, [verdict.verdict_id], "a mistake", by="lead-1", at=house.now) == 0
        with pytest.raises(InputError, match="reason"):
            voiding.void(w, [verdict.verdict_id], " ", by="lead-1", at=house.now)
        with pytest.raises(NotFoundError):
            voiding.void(w, ["verdict_none"], "a mistake", by="lead-1", at=house.now)


def test_all_that_one_reviewer_said_in_a_stretch_can_be_voided(house) -> None:
    for _ in range(2):
        house.case()
        house.judge("analyst-1", "legitimate")
        house.later(days=1)
    ids = voiding.given_by(house.ledger, "analyst-1", house.now - timedelta(days=1, hours=1), house.now)
    assert len(ids) == 1


def test_silence_says_what_it_followed(house) -> None:
    approved = house.decision(Outcome.APPROVE).transaction
    released = house.decision(Outcome.REVIEW).transaction
    imported = replace(approved, transaction_id="from history", seq=released.seq + 1)
    with house.ledger.writing() as w:
        w.take_seqs(1)
        w.insert_transactions([imported], house.now, "import")
        dispositions.record(w, released.seq, "released", "a reason", "lead-1", house.policy, house.now)
    house.later(days=400)
    assert [(x.transaction_seq, x.provenance) for x in known(house)] == [
        (approved.seq, "no dispute after approve"),
        (released.seq, "no dispute after released"),
        (imported.seq, "no dispute in imported history"),
    ]
    weight = house.policy.labels.weights["matured_silence"]
    assert {(x.weight, x.derivation) for x in known(house)} == {(weight, "matured_silence weighs 0.90")}


def test_what_is_golden_or_adjudicated_weighs_what_policy_says(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "legitimate")
    house.judge("analyst-2", "confirmed_fraud")
    house.judge("lead-1", "confirmed_fraud", role="team_lead")
    weights = house.policy.labels.weights
    assert [(x.source, x.weight) for x in known(house)] == [("adjudicated", weights["adjudicated"])]
    golden = known(house, golden={case.transaction_seq: True})
    assert [(x.source, x.weight) for x in golden] == [("golden", weights["golden"])]


def test_what_became_of_a_payment_counts_from_that_moment_on(house) -> None:
    made = house.decision(Outcome.REVIEW)
    house.later(days=400)
    with house.ledger.writing() as w:
        dispositions.record(w, made.transaction.seq, "released", "late", "lead-1", house.policy, house.now)
    assert only(house) == ("matured_silence", False)
    house.later(microseconds=-1)
    assert known(house) == []


def test_where_no_review_holds_a_payment_its_silence_speaks(house) -> None:
    house.decision(Outcome.REVIEW)
    house.later(days=400)
    assert known(house) == []
    segments = {
        name: replace(segment, review_holds_payment=False) for name, segment in house.policy.segments.items()
    }
    house.policy = replace(house.policy, segments=segments)
    assert only(house) == ("matured_silence", False)


def test_of_outcomes_of_one_moment_the_one_reported_last_counts(house) -> None:
    case = house.case()
    report(house, case.transaction_seq, True, house.now, reported_seq=2)
    report(house, case.transaction_seq, False, house.now, reported_seq=1)
    assert only(house) == ("outcome", True)


def test_a_weight_at_the_cap_is_not_called_capped(house) -> None:
    case = house.case()
    report(house, case.transaction_seq, True, house.now)
    with_labels(house, cap=1.0)
    assert [(x.weight, x.derivation) for x in known(house)] == [(1.0, "outcome weighs 1.00")]


def test_every_claim_is_told_strongest_first_the_golden_one_too(house) -> None:
    case = house.case()
    house.judge("analyst-1", "legitimate")
    golden = {case.transaction_seq: True}
    said = ["single_verdict", "matured_silence"]  # the payment was released, and silence still matures
    for given, sources in ((golden, ["golden", *said]), (None, said)):
        told = claim_table(house.ledger, house.policy, house.now, golden=given)
        assert told.column("source").to_pylist() == sources


def test_a_source_that_policy_gives_no_weight_has_none(house) -> None:
    house.case()
    house.judge("analyst-1", "legitimate")
    with_labels(house, weights={})
    assert known(house) == []


def test_a_correction_reported_later_corrects_though_it_was_known_earlier(house) -> None:
    made = house.decision(Outcome.APPROVE)
    start, seq = house.now, made.transaction.seq
    report(house, seq, True, start + timedelta(days=9), reported_seq=seq)
    report(house, seq, False, start + timedelta(days=5), reported_seq=seq + 1)
    house.later(days=200)
    [label] = known(house)
    assert (label.source, label.value, label.known_at) == ("outcome", False, start + timedelta(days=5))
