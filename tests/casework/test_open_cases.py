"""Whom does the memory of open cases hold, so that all others are decided without a look at the ledger?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import House

from casework.cases.joining import BehindError, OpenCases
from data.events import EventDraft


@pytest.fixture
def open_cases(house: House) -> OpenCases:
    memory = OpenCases()
    memory.load(house.ledger, house.policy)
    return memory


def test_whoever_has_a_young_case_may_join_it_and_nobody_else(house: House) -> None:
    free = house.decision().transaction
    opened = house.case()
    held = replace(free, entities={**free.entities, "customer": f"customer-{house.number % 7}"})
    memory = OpenCases()
    memory.load(house.ledger, house.policy)
    assert memory.must_read(house.ledger, [held], house.policy, opened.opened_at)
    assert not memory.must_read(house.ledger, [free], house.policy, opened.opened_at)


def test_what_was_read_is_known_until_somebody_else_writes(house: House, open_cases: OpenCases) -> None:
    case = house.case()
    alert = house.decision()
    own = {**alert.transaction.entities, "customer": f"customer-{(house.number - 1) % 7}"}
    alert = replace(alert, transaction=replace(alert.transaction, entities=own))
    open_cases.add("customer", alert.transaction.entities["customer"] or "", case.opened_at)
    payments, at = [alert.transaction], house.now
    open_cases.read(house.ledger, payments, house.policy, at)
    assert not open_cases.must_read(house.ledger, payments, house.policy, at)
    found = open_cases.fitting(alert, house.policy, at)
    assert found is not None
    assert (found.case, found.size, [t.kind for t in found.tasks]) == (case, 1, ["primary"])
    with house.ledger.recording() as w:
        w.event(EventDraft("analyst-1", "task.claimed", f"task:{found.tasks[0].task_id}"), at)
    assert open_cases.must_read(house.ledger, payments, house.policy, at)
    with pytest.raises(BehindError), house.ledger.recording() as w:
        open_cases.prepare(w, [alert], house.policy, at)


def test_a_case_older_than_policy_lets_alerts_join_is_not_looked_up(
    house: House, open_cases: OpenCases
) -> None:
    joining = house.policy.work.joining
    assert joining is not None
    payment = house.decision().transaction
    open_cases.add(joining.entity, payment.entities[joining.entity], house.now)
    assert open_cases.must_read(house.ledger, [payment], house.policy, house.now + joining.within)
    late = house.now + joining.within + timedelta(microseconds=1)
    assert not open_cases.must_read(house.ledger, [payment], house.policy, late)


def test_the_latest_case_of_a_customer_counts(house: House, open_cases: OpenCases) -> None:
    joining = house.policy.work.joining
    assert joining is not None
    payment = house.decision().transaction
    value = payment.entities[joining.entity]
    open_cases.add(joining.entity, value, house.now)
    open_cases.add(joining.entity, value, house.now - timedelta(days=3))
    assert open_cases.must_read(house.ledger, [payment], house.policy, house.now)


def test_before_the_ledger_was_read_anybody_may_have_one(house: House) -> None:
    payments = [house.decision().transaction]
    assert OpenCases().must_read(house.ledger, payments, house.policy, house.now)
