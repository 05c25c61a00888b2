"""Whom does the memory of open cases hold, so that all others are decided without a look at the ledger?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import KEY, House

from casework.cases.cases import segment_of
from casework.cases.joining import BehindError, OpenCases, Young, join
from casework.review import tasks
from casework.review.lanes import expected_money
from casework.review.tasks import DONE
from data.events import EventDraft
from engine.decision import Decision


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


def test_one_look_takes_in_the_young_cases_of_others(house: House, open_cases: OpenCases) -> None:
    seldom = house.decision().transaction
    one, other = (
        replace(seldom, entities={**seldom.entities, "customer": f"customer-{number}"}) for number in (1, 2)
    )
    for payment in (one, other):
        open_cases.add("customer", payment.entities["customer"] or "", house.now)
    assert open_cases.must_read(house.ledger, [other], house.policy, house.now)

    open_cases.read(house.ledger, [one], house.policy, house.now)

    assert not open_cases.must_read(house.ledger, [other], house.policy, house.now)


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


def test_a_value_that_no_alert_can_join_any_more_is_forgotten_until_policy_looks_further_back(
    house: House, open_cases: OpenCases
) -> None:
    joining = house.policy.work.joining
    assert joining is not None
    payment = house.decision().transaction
    open_cases.add(joining.entity, payment.entities[joining.entity], house.now)
    open_cases.trim(house.now + joining.within)
    assert open_cases.must_read(house.ledger, [payment], house.policy, house.now)
    open_cases.trim(house.now + joining.within + timedelta(microseconds=1))
    assert not open_cases.must_read(house.ledger, [payment], house.policy, house.now)
    longer = replace(joining, within=2 * joining.within)
    policy = replace(house.policy, work=replace(house.policy.work, joining=longer))
    assert open_cases.must_read(house.ledger, [payment], policy, house.now)


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


def _waiting(house: House, alert: Decision, **changes: Any) -> Young:
    """An open case on the alert's customer with the most that it may be: as old, as full, as late."""
    joining, segment = house.policy.work.joining, segment_of(alert)
    assert joining is not None
    usual = {
        "case_id": "c",
        "segment": segment,
        "opened_at": house.now - joining.within,
        "deadline": house.now + house.policy.segment(segment).deadline / 4,
    }
    size = changes.pop("size", joining.most - 1)
    case = house.case()
    return Young(replace(case, **{**usual, **changes}), size)


@pytest.mark.parametrize(
    ("of", "by"), [("", 0), ("opened_at", -1), ("deadline", -1), ("segment", 0), ("size", 1)]
)
def test_a_case_takes_alerts_up_to_its_limits_and_none_beyond(
    house: House, open_cases: OpenCases, of: str, by: int
) -> None:
    alert = house.decision()
    best = _waiting(house, alert)
    tick, joining = timedelta(microseconds=1), house.policy.work.joining
    assert joining is not None
    beyond: dict[str, Any] = {
        "": {},
        "opened_at": {"opened_at": best.case.opened_at + by * tick},
        "deadline": {"deadline": best.case.deadline + by * tick},
        "segment": {"segment": "another"},
        "size": {"size": best.size + by},
    }[of]
    young = _waiting(house, alert, **beyond)
    open_cases.opened(joining.entity, alert.transaction.entities[joining.entity] or "", young)
    assert open_cases.fitting(alert, house.policy, house.now) is (None if of else young)


def test_of_several_open_cases_the_latest_takes_the_alert(house: House, open_cases: OpenCases) -> None:
    alert, joining = house.decision(), house.policy.work.joining
    assert joining is not None
    value = alert.transaction.entities[joining.entity] or ""
    for name, hours in (("a", 5), ("b", 2), ("c", 2), ("d", 9)):
        young = _waiting(house, alert, case_id=name, opened_at=house.now - timedelta(hours=hours))
        open_cases.opened(joining.entity, value, young)
    found = open_cases.fitting(alert, house.policy, house.now)
    assert found is not None and found.case.case_id == "c"
    nobodys = replace(alert, transaction=replace(alert.transaction, entities={joining.entity: None}))
    assert open_cases.fitting(nobodys, house.policy, house.now) is None


def test_what_is_opened_on_another_entity_or_on_nobody_is_not_kept(
    house: House, open_cases: OpenCases
) -> None:
    alert, joining = house.decision(), house.policy.work.joining
    assert joining is not None
    value = alert.transaction.entities[joining.entity] or ""
    open_cases.opened("merchant", value, _waiting(house, alert))
    open_cases.opened(joining.entity, "", _waiting(house, alert))
    assert open_cases.fitting(alert, house.policy, house.now) is None
    assert not open_cases.must_read(house.ledger, [alert.transaction], house.policy, house.now)


def test_an_alert_on_a_case_where_nobody_waits_is_worth_what_it_may_cost_and_no_more(
    house: House, open_cases: OpenCases
) -> None:
    case, alert = house.case(), house.decision()
    done = [replace(task, status=DONE) for task in tasks.where(house.ledger, "t.case_id = ?", [case.case_id])]
    young = Young(case, 1, done)
    with house.ledger.writing() as w:
        join(w, young, alert, house.dossier(alert), house.policy, KEY, house.now)
    (waiting,) = (task for task in young.tasks if task.status == tasks.OPEN)
    assert waiting.priority == expected_money(alert.probability, alert.transaction.amount_minor)
    assert young.size == 2
    assert young.case.amount_minor == case.amount_minor + (alert.transaction.amount_minor or 0)
