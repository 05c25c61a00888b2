"""Whom does the memory of open cases hold, so that all others are decided without a look at the ledger?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import House

from casework.cases.joining import OpenCases


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
    assert memory.may_have([held], house.policy, opened.opened_at)
    assert not memory.may_have([free], house.policy, opened.opened_at)


def test_a_case_older_than_policy_lets_alerts_join_is_not_looked_up(
    house: House, open_cases: OpenCases
) -> None:
    joining = house.policy.work.joining
    assert joining is not None
    payment = house.decision().transaction
    open_cases.add(joining.entity, payment.entities[joining.entity], house.now)
    assert open_cases.may_have([payment], house.policy, house.now + joining.within)
    late = house.now + joining.within + timedelta(microseconds=1)
    assert not open_cases.may_have([payment], house.policy, late)


def test_the_latest_case_of_a_customer_counts(house: House, open_cases: OpenCases) -> None:
    joining = house.policy.work.joining
    assert joining is not None
    payment = house.decision().transaction
    value = payment.entities[joining.entity]
    open_cases.add(joining.entity, value, house.now)
    open_cases.add(joining.entity, value, house.now - timedelta(days=3))
    assert open_cases.may_have([payment], house.policy, house.now)


def test_before_the_ledger_was_read_anybody_may_have_one(house: House) -> None:
    assert OpenCases().may_have([house.decision().transaction], house.policy, house.now)
