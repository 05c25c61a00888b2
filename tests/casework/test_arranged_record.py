"""Does the record still fit its events after cases were merged and split, and does a change behind its back show?"""

import pytest

from casework.cases import arranging, cases
from data.integrity import chain


@pytest.fixture
def arranged(house_with):
    """Two cases of two reviews each, one verdict on either; merged into the first, and its payment split off again."""
    house = house_with(second_review=1.0)
    one, other = house.case(), house.case()
    house.judge("analyst-1", "legitimate")
    house.judge("analyst-1", "legitimate")
    with house.ledger.writing() as w:
        arranging.merge(
            w, cases.find(w, one.case_id), cases.find(w, other.case_id), "Same phone.", "lead-1", house.now
        )
    with house.ledger.writing() as w:
        into = cases.find(w, one.case_id)
        arranging.split(w, into, [one.transaction_seq], "Two phones.", "lead-1", house.key, house.now)
    return house


def test_verdicts_and_cases_are_where_the_events_brought_them(arranged) -> None:
    found = arranged.ledger.read("SELECT case_id FROM verdicts ORDER BY event_seq")
    told = arranged.ledger.read("SELECT case_id, status FROM cases ORDER BY opened_at")
    assert len({row["case_id"] for row in found}) == 2
    assert sorted(row["status"] for row in told) == ["merged", "open", "open"]
    assert chain.verify(arranged.ledger).problems == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE verdicts SET case_id = 'case_x'", "verdicts.case_id was changed"),
        ("UPDATE cases SET status = 'open' WHERE status = 'merged'", "cases.status was changed"),
    ],
)
def test_a_verdict_or_case_that_was_put_elsewhere_is_found(arranged, change: str, told: str) -> None:
    with arranged.ledger.writing() as w:
        w.execute(change)
    assert any(told in problem for problem in chain.verify(arranged.ledger).problems)
