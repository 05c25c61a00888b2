"""Is a round of drawing read before it is written, and does it heed what happens in between?"""

from __future__ import annotations

from dataclasses import replace

import review_design as made

from casework.cases.dossiers import Guideline
from casework.review.measuring import golden, serving
from casework.review.measuring.known_truth import past_cases


def test_what_stands_beside_all_payments_of_a_round_is_read_at_once(house) -> None:
    made.employ(house)
    made.past(house, frauds=2, honest=2)
    noting, past = made.Noting(house.ledger), past_cases(house.ledger, house.policy, house.now)
    with house.ledger.writing() as w:
        golden.keep_pool(w, past, house.policy, house.key, house.now)
    opening = serving.planned(noting, past, house.policy, house.key, house.now)
    assert (len(opening), noting.pasts) == (6, 1)


def test_what_happened_between_choosing_and_opening_is_heeded(house) -> None:
    made.employ(house)
    made.past(house, frauds=2, honest=0)
    made.design(house, golden={"pool": 2, "fraud_share": 1.0})
    past = past_cases(house.ledger, house.policy, house.now)
    with house.ledger.writing() as w:
        golden.keep_pool(w, past, house.policy, house.key, house.now)
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
