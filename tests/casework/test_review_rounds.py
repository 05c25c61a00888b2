"""Is a round of drawing read before it is written, and does it heed what happens in between?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import review_design as made

from casework.cases.dossiers import Guideline
from casework.review.measuring import golden, serving
from casework.review.measuring.known_truth import PastCase, past_cases
from data.writer import Writer


def test_what_stands_beside_all_payments_of_a_round_is_read_at_once(house) -> None:
    made.employ(house)
    made.past(house, frauds=2, honest=2)
    noting, past = made.Noting(house.ledger), past_cases(house.ledger, house.policy, house.now)
    with house.ledger.writing() as w:
        pool = golden.renewal(w, past, house.policy, house.key)
        golden.keep_pool(w, pool, house.policy, house.key, house.now)
    opening = serving.planned(noting, past, house.policy, house.key, house.now)
    assert (len(opening), noting.pasts) == (6, 1)


def test_what_happened_between_choosing_and_opening_is_heeded(house) -> None:
    made.employ(house)
    made.past(house, frauds=2, honest=0)
    made.design(house, golden={"pool": 2, "fraud_share": 1.0})
    past = past_cases(house.ledger, house.policy, house.now)
    with house.ledger.writing() as w:
        pool = golden.renewal(w, past, house.policy, house.key)
        golden.keep_pool(w, pool, house.policy, house.key, house.now)
    openings = serving.planned(house.ledger, past, house.policy, house.key, house.now)
    first = next(opening for opening in openings if opening.who.user_id == "analyst-1")
    rest = (house.policy, Guideline("g2", "Look twice."), house.key, house.now)
    with house.ledger.writing() as w:
        assert serving.open_planned(w, [first], *rest) == {"golden": 1}
    (opened,) = made.waiting(house, "golden")
    house.say(made.hand_out(house, opened), "legitimate")
    otherwise = replace(first, kind="training")
    with house.ledger.writing() as w:
        assert serving.open_planned(w, [first, otherwise], *rest) == {}
        assert serving.open_planned(w, openings, *rest) == {"golden": 5}


def test_what_was_opened_since_it_was_chosen_is_not_opened_again(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=1)
    openings = _openings(house)
    rest = (house.policy, Guideline("g2", "Look twice."), house.key, house.now)
    for some, opened in ((openings[:1] * 2, {"golden": 1}), (openings, {"golden": len(openings) - 1})):
        with house.ledger.writing() as w:
            assert serving.open_planned(w, some, *rest) == opened
    ids = [task.task_id for task in made.waiting(house, "golden")]
    assert len(ids) == len(set(ids)) == len(openings) > 1


def test_what_a_reviewer_gave_back_since_it_was_chosen_is_not_opened_on_that_desk(house) -> None:
    made.employ(house)
    made.past(house, frauds=1, honest=0)
    openings = _openings(house)
    who, seq = openings[0].who.user_id, openings[0].choice.past.transaction_seq
    skipped = {"task_id": "task_elsewhere", "transaction_seq": seq, "reviewer": who, "reason": "I know her"}
    with house.ledger.writing() as w:
        w.insert("skips", [{**skipped, "skipped_at": house.now}])
        rest = (house.policy, Guideline("g2", "Look twice."), house.key, house.now)
        assert serving.open_planned(w, openings, *rest) == {"golden": len(openings) - 1}
    assert who not in {task.assignee for task in made.waiting(house, "golden")}


def test_a_write_that_opens_tasks_reads_only_what_concerns_their_payments(house) -> None:
    made.employ(house)
    made.past(house, frauds=3, honest=3)
    some = [opening for opening in _openings(house) if opening.who.user_id == "analyst-1"][:1]
    seq = some[0].choice.past.transaction_seq
    rest = (house.policy, Guideline("g2", "Look twice."), house.key, house.now)
    with house.ledger.writing() as w:
        noting = made.Noting(w)
        assert serving.open_planned(noting, some, *rest) == {"golden": 1}
    concerned = "SELECT 1 FROM {} WHERE transaction_seq = ? AND task_id <> ?"
    (opened,) = made.waiting(house, "golden")
    rows = [len(house.ledger.read(concerned.format(t), [seq, opened.task_id])) for t in ("tasks", "verdicts")]
    assert noting.rows == sum(rows) > 0


def test_what_happened_to_the_pool_since_its_renewal_was_planned_is_heeded(house) -> None:
    made.employ(house)
    made.design(house, golden={"pool": 4, "fraud_share": 0.5, "retire_after": 1})
    made.past(house, frauds=2, honest=2)
    made.draw(house)
    answered, retired = made.waiting(house, "golden")[:2]
    assert answered.transaction_seq != retired.transaction_seq
    given = house.say(made.hand_out(house, answered), "legitimate")
    house.say(made.hand_out(house, retired), "legitimate")
    planned = golden.renewal(house.ledger, _known(house), house.policy, house.key)
    worn = {case.transaction_seq: case.golden_id for case in golden.in_use(house.ledger)}
    assert planned.worn.keys() == {worn[answered.transaction_seq], worn[retired.transaction_seq]}
    with house.ledger.writing() as w:
        golden.retire(w, worn[retired.transaction_seq], "her son paid", "lead-1", house.now)
        w.execute("UPDATE verdicts SET undone_at = ? WHERE verdict_id = ?", [house.now, given.verdict_id])
        done = golden.keep_pool(w, planned, house.policy, house.key, house.now)
    assert done == {"added": 0, "retired": 0}
    assert worn[answered.transaction_seq] in {case.golden_id for case in golden.in_use(house.ledger)}


def test_a_case_that_was_nominated_since_takes_the_place_of_a_drawn_one(house) -> None:
    made.design(house, golden={"pool": 2, "fraud_share": 1.0})
    seqs = made.past(house, frauds=3, honest=0)
    planned = golden.renewal(house.ledger, _known(house), house.policy, house.key)
    drawn = [case.transaction_seq for case in planned.fresh]
    assert len(drawn) == 2
    (other,) = set(seqs) - set(drawn)
    for nominated, added in ((drawn[0], drawn), (other, [other, drawn[0]])):
        with _taken_back(house) as w:
            golden.nominate(w, nominated, True, "she called", "lead-1", house.key, house.now)
            assert golden.keep_pool(w, planned, house.policy, house.key, house.now) == {
                "added": 1,
                "retired": 0,
            }
            assert {case.transaction_seq for case in golden.in_use(w)} == set(added)


def test_a_pool_that_needs_nothing_is_not_written(house) -> None:
    made.design(house, golden={"pool": 2, "fraud_share": 1.0})
    made.past(house, frauds=2, honest=0)
    assert golden.renewal(house.ledger, _known(house), house.policy, house.key)
    assert made.draw(house)["added"] == 2
    assert not golden.renewal(house.ledger, _known(house), house.policy, house.key)


def test_what_was_answered_before_a_payment_was_golden_again_does_not_wear_it_out(house) -> None:
    made.employ(house)
    [seq] = made.past(house, frauds=1, honest=0)
    made.design(house, golden={"retire_after": 2})
    made.draw(house)
    answer, *others = made.waiting(house, "golden")
    house.say(made.hand_out(house, answer), "legitimate")
    [first] = golden.in_use(house.ledger)
    house.later(hours=1)
    with house.ledger.writing() as w:
        golden.retire(w, first.golden_id, "is it still sure?", "lead-1", house.now)
        golden.nominate(w, seq, True, "he confessed", "lead-1", house.key, house.now)
    [again] = golden.in_use(house.ledger)
    house.later(minutes=1)
    house.say(made.hand_out(house, others[0]), "legitimate")
    assert golden.renewal(house.ledger, _known(house), house.policy, house.key).worn == {}
    house.say(made.hand_out(house, others[1]), "legitimate")
    worn = golden.renewal(house.ledger, _known(house), house.policy, house.key).worn
    assert worn == {again.golden_id: "answered 2 times"}


def _known(house) -> list[PastCase]:
    return past_cases(house.ledger, house.policy, house.now)


def _openings(house) -> list[serving.Opening]:
    past = _known(house)
    with house.ledger.writing() as w:
        pool = golden.renewal(w, past, house.policy, house.key)
        golden.keep_pool(w, pool, house.policy, house.key, house.now)
    return serving.planned(house.ledger, past, house.policy, house.key, house.now)


@contextmanager
def _taken_back(house) -> Iterator[Writer]:
    """A write of which nothing stays."""
    with suppress(_TakenBack), house.ledger.writing() as w:
        yield w
        raise _TakenBack


class _TakenBack(Exception):
    pass
