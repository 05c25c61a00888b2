"""Does every task have an id of its own, however often and in whatever ways people are asked about one payment?"""

from dataclasses import replace

import pytest
import review_design

from casework.cases import cases
from casework.cases.dossiers import Guideline
from casework.quality.pilots import batches
from casework.quality.pilots.batches import Batch
from casework.review import handing_out, tasks
from casework.review.desk import Desk
from data.errors import ConflictError
from data.integrity import chain
from engine.decision import Outcome

GUIDELINE = Guideline("g1", "Look at the device.")


@pytest.fixture
def doubled(house_with):
    """A house in which every payment that is looked at is looked at by three people."""
    house = house_with(second_review=1.0, third_review=1.0)
    decided = house.decision(Outcome.APPROVE, audited=True)
    with house.ledger.writing() as w:
        cases.open_audit(w, decided, house.dossier(decided), house.policy, house.key, house.now)
    return house, decided


def by_hand(house, decided) -> None:
    dossier = house.dossier(decided)
    with house.ledger.writing() as w:
        cases.open_case(
            w, decided, dossier, house.policy, house.key, house.now, opened_by="lead-1", reason="He called."
        )


def test_a_case_opened_by_hand_on_an_audited_payment_asks_three_people_more(doubled) -> None:
    house, decided = doubled
    by_hand(house, decided)
    found = house.ledger.read("SELECT task_id, dossier_id, case_id <> '' AS of_case FROM tasks")
    assert sorted(row["of_case"] for row in found) == [False] * 3 + [True] * 3
    assert len({row["task_id"] for row in found}) == len({row["dossier_id"] for row in found}) == 6
    assert chain.verify(house.ledger).problem == ""


def test_all_of_them_are_handed_out_and_answered(doubled) -> None:
    house, decided = doubled
    by_hand(house, decided)
    desk = Desk()
    for number in range(1, 7):
        with house.ledger.writing() as w:
            task = handing_out.take_next(w, f"x-{number}", house.policy, house.key, house.now, desk=desk)
        assert task is not None
        house.say(task, "legitimate")
    with house.ledger.writing() as w:
        assert handing_out.take_next(w, "x-7", house.policy, house.key, house.now, desk=desk) is None


def test_a_payment_named_twice_is_one_case_of_a_pilot(house_with) -> None:
    house = house_with()
    house.case()
    house.judge("analyst-1", "legitimate")
    review_design.employ(house, ("analyst-1", "analyst-2"))
    name = house.ledger.read("SELECT transaction_id FROM transactions")[0]["transaction_id"]
    batch = Batch(name="twice", transaction_ids=(name, name), people=("analyst-1", "analyst-2"))
    with house.ledger.writing() as w:
        batches.open_pilot(w, batch, GUIDELINE, house.policy, house.key, "lead-1", house.now)
    assert len(tasks.where(house.ledger, "t.kind = 'pilot'", [])) == 2


def test_a_task_is_not_opened_again_under_its_id(house_with) -> None:
    house = house_with()
    house.case()
    with house.ledger.writing() as w:
        task = tasks.where(w, "true", [])[0]
        with pytest.raises(ConflictError, match="opened already"):
            tasks.insert(w, replace(task, kind="second"), "policy", "0" * 64, house.now)
    assert len(tasks.where(house.ledger, "true", [])) == 1
