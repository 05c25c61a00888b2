"""Do labels weigh what people said by how well those people judge, as the record shows it at that moment?"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from golden_rows import golden_cases, said_row

from casework.learning.labels.labels import labels
from casework.quality.agreement.table import Rating
from casework.quality.consensus import of_ledger
from casework.quality.consensus.worth import Measures, measure

PEOPLE = {"careful": (0.8, 0.05), "coin": (0.5, 0.5), "dismisser": (0.0, 0.0), "sharp": (0.85, 0.03)}
LONG = timedelta(days=40)


def measured(seed: int = 1, golden: int = 60, doubted: tuple[str, ...] = ()) -> Measures:
    """Everybody judges the golden cases and 300 more of which 3 in 10 are fraud, two people each."""
    rng = np.random.default_rng(seed)
    ratings, lanes, truth = [], {}, {}
    names = sorted(PEOPLE)
    for n in range(300 + golden):
        item, fraud = f"i{n}", n % 2 == 0 if n < golden else bool(rng.random() < 0.3)
        lanes[item] = "golden" if n < golden else "uncertain"
        if n < golden:
            truth[item] = fraud
        for who in names if n < golden else rng.choice(names, 2, replace=False):
            said = rng.random() < PEOPLE[str(who)][0 if fraud else 1]
            ratings.append(Rating(item, str(who), "confirmed_fraud" if said else "legitimate"))
    return measure(ratings, lanes, truth, doubted=doubted)


def test_error_rates_are_found_with_golden_cases_where_two_people_look() -> None:
    found = measured()
    assert found.identified
    assert found.sentence == "Error rates are anchored by golden items of every class."
    for who, (recall, wrongly) in PEOPLE.items():
        assert found.rates(who) == pytest.approx((recall, wrongly), abs=0.16)
    assert found.prior["uncertain"] == pytest.approx(0.3, abs=0.1)
    assert found.prior["golden"] == pytest.approx(0.5, abs=0.05)


def test_without_golden_cases_two_a_payment_show_nothing() -> None:
    found = measured(golden=0)
    assert not found.identified
    assert found.sentence.startswith("Not identified")


def test_a_word_that_would_come_anyway_has_no_force_however_common_honest_payments_are() -> None:
    found = measured()
    dismissed = [("dismisser", "legitimate")]
    assert found.force(dismissed) == pytest.approx(0.0, abs=0.05)
    assert found.posterior(dismissed, "uncertain") < 0.4
    assert found.force([("sharp", "confirmed_fraud")]) > 0.8
    assert abs(found.force([("coin", "confirmed_fraud")])) < 0.25
    assert found.force([("sharp", "legitimate")]) < found.force([("coin", "legitimate")])


def test_a_newcomer_counts_like_everybody_together() -> None:
    found = measured()
    assert found.rates("newcomer") == pytest.approx((found.shared[0, 0], found.shared[1, 0]))


def test_what_is_stored_is_what_is_used() -> None:
    found = measured()
    again = Measures.from_json(found.as_json())
    said = [("careful", "confirmed_fraud"), ("coin", "legitimate")]
    assert again.posterior(said, "uncertain") == pytest.approx(found.posterior(said, "uncertain"), abs=1e-4)
    assert again.as_json() == found.as_json()


def test_somebody_in_doubt_counts_half_of_the_way_to_saying_the_same_whatever_the_payment_is() -> None:
    sure, doubted = measured(), measured(doubted=("sharp", "nobody"))
    assert doubted.doubted == ("sharp",)
    assert doubted.rates("careful") == sure.rates("careful")
    recall, wrongly = doubted.rates("sharp")
    assert recall - wrongly == pytest.approx((sure.rates("sharp")[0] - sure.rates("sharp")[1]) / 2)
    assert doubted.confusion["sharp"].sum(axis=1) == pytest.approx([1, 1])


@pytest.fixture
def judged(house):
    """Forty golden cases judged by four people with errors of their own, and one payment judged by each alone."""
    rng = np.random.default_rng(3)
    with house.ledger.writing() as w:
        seqs = [house._decide(w).transaction.seq for _ in range(50)]
        golden_cases(w, house, seqs[:40])
        rows = []
        for n, seq in enumerate(seqs[:40]):
            for who, rates in PEOPLE.items():
                said = rng.random() < rates[n % 2]
                value = "confirmed_fraud" if said else "legitimate"
                rows.append(said_row(house, len(rows), seq, who, value, "golden", "golden"))
        for seq, who in zip(seqs[40:], sorted(PEOPLE), strict=False):
            rows.append(said_row(house, len(rows), seq, who, "legitimate", "primary", "uncertain"))
        for who in ("sharp", "careful", "coin"):
            value = "legitimate" if who == "coin" else "confirmed_fraud"
            rows.append(said_row(house, len(rows), seqs[45], who, value, "primary", "uncertain"))
        w.insert("verdicts", rows)
    return house, seqs


def weights(house, at) -> dict[int, tuple[str, bool, float]]:
    return {x.transaction_seq: (x.source, x.value, x.weight) for x in labels(house.ledger, house.policy, at)}


def test_a_single_word_weighs_what_its_author_is_worth(judged) -> None:
    house, seqs = judged
    usual = house.policy.labels.weights["single_verdict"]
    before = weights(house, house.now)
    alone = dict(zip(sorted(PEOPLE), seqs[40:44], strict=True))
    assert {before[seq] for seq in alone.values()} == {("single_verdict", False, usual)}
    fitted_at = house.later(hours=1)
    of_ledger.keep_up(house.ledger, house.policy, "scheduler", fitted_at)
    after = weights(house, fitted_at)
    assert after[alone["sharp"]][2] == pytest.approx(usual)
    assert alone["dismisser"] not in after or after[alone["dismisser"]][2] < 0.1
    assert alone["coin"] not in after or after[alone["coin"]][2] < 0.6 * usual
    assert weights(house, fitted_at - timedelta(minutes=1)) == before


def test_three_who_differ_make_a_label_where_the_better_ones_leave_no_doubt(judged) -> None:
    house, seqs = judged
    assert seqs[45] not in weights(house, house.now)
    of_ledger.keep_up(house.ledger, house.policy, "scheduler", house.later(hours=1))
    source, value, weight = weights(house, house.now)[seqs[45]]
    assert (source, value) == ("consensus", True)
    assert 0 < weight <= house.policy.labels.weights["consensus"]
    [found] = [x for x in labels(house.ledger, house.policy, house.now) if x.transaction_seq == seqs[45]]
    assert "posterior 0." in found.derivation
    assert "fit_" in found.derivation


def test_a_fit_is_an_event_and_is_not_stored_twice(judged) -> None:
    house, _ = judged
    assert of_ledger.keep_up(house.ledger, house.policy, "scheduler", house.later(hours=1)).startswith(
        "Fitted to "
    )
    assert of_ledger.keep_up(house.ledger, house.policy, "scheduler", house.later(hours=1)).startswith(
        "As before."
    )
    assert house.kinds().count("consensus.fitted") == 1
    [event] = house.ledger.read("SELECT payload FROM events WHERE kind = 'consensus.fitted'")
    assert not any(who.encode() in bytes(event["payload"]) for who in PEOPLE)


def test_a_verdict_declared_void_no_longer_measures_anybody(judged) -> None:
    house, _ = judged
    before = of_ledger.fit_now(house.ledger, house.policy, house.now)
    with house.ledger.writing() as w:
        w.insert("voided_verdicts", [{"verdict_id": "verdict_0", "transaction_seq": 1, "voided_by": "lead-1",
                                      "reason": "test data", "voided_at": house.now}])  # fmt: skip
    after = of_ledger.fit_now(house.ledger, house.policy, house.now)
    assert before is not None and after is not None
    assert after.verdicts == before.verdicts - 1


def test_a_few_verdicts_are_not_fitted(house) -> None:
    house.case()
    house.judge("analyst-1", "legitimate")
    assert of_ledger.keep_up(house.ledger, house.policy, "scheduler", house.now).startswith("Fewer than 30")
    assert of_ledger.worth_table(house.ledger, house.policy, house.now).num_rows == 0
