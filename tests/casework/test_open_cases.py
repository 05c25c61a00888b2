"""Whom does the memory of open cases hold, so that all others are decided without a look at the ledger?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from conftest import KEY, House

from casework.cases import cases
from casework.cases.cases import segment_of
from casework.cases.joining import join
from casework.cases.open_cases import BehindError, OpenCases, Young
from casework.review import tasks, verdicts
from casework.review.lanes import expected_money
from casework.review.tasks import DONE
from data.writer import Head, Writer
from engine.decision import Decision, Outcome


@pytest.fixture
def open_cases(house: House) -> OpenCases:
    memory = OpenCases()
    memory.load(house.ledger, house.policy)
    return memory


@dataclass(frozen=True)
class Adding:
    """A write that only adds, as far as the memory of open cases asks about it."""

    head: Head
    only_adds: bool = True


def asks(memory: OpenCases, house: House, alert: Decision, at: datetime | None = None, **work: Any) -> bool:
    """Whether this alert cannot be placed without a look at the record."""
    policy = replace(house.policy, work=replace(house.policy.work, **work)) if work else house.policy
    try:
        memory.prepare(cast(Writer, Adding(house.ledger.last_event)), [alert], policy, at or house.now)
    except BehindError:
        return True
    return False


def of_customer(alert: Decision, customer: str | None) -> Decision:
    entities = {**alert.transaction.entities, "customer": customer}
    return replace(alert, transaction=replace(alert.transaction, entities=entities))


def customer_of(number: int) -> str:
    """Whose the house's payment of that number is."""
    return f"customer-{number % 7}"


def test_before_the_record_was_read_anybody_may_have_a_case(house: House) -> None:
    memory = OpenCases()
    assert memory.must_load(house.policy)
    assert asks(memory, house, house.decision())


def test_whoever_has_a_young_case_is_asked_about_once_and_nobody_else_is(house: House) -> None:
    case = house.case()
    held, free = of_customer(house.decision(), customer_of(1)), house.decision()
    memory = OpenCases()
    memory.load(house.ledger, house.policy)
    assert not asks(memory, house, free)
    assert asks(memory, house, held)
    memory.read(house.ledger, [held.transaction], house.policy, house.now)
    assert not asks(memory, house, held)
    found = memory.fitting(held, house.policy, house.now)
    assert found is not None
    assert (found.case, found.size, [task.kind for task in found.tasks]) == (case, 1, ["primary"])


def test_payments_that_are_no_alerts_ask_for_nothing(house: House, open_cases: OpenCases) -> None:
    house.case()
    approved = of_customer(house.decision(Outcome.APPROVE), customer_of(1))
    assert not asks(open_cases, house, approved)
    assert not asks(open_cases, house, of_customer(house.decision(), None))


def test_what_somebody_else_does_is_heard_of_before_the_next_alert(
    house: House, open_cases: OpenCases
) -> None:
    one, other = house.case(), house.case()
    alerts = [of_customer(house.decision(), customer_of(number)) for number in (1, 2)]
    open_cases.read(house.ledger, [alert.transaction for alert in alerts], house.policy, house.now)
    before = [open_cases.fitting(alert, house.policy, house.now) for alert in alerts]
    assert [young.case for young in before if young] == [one, other]
    done = house.judge("analyst-1", "legitimate")
    assert asks(open_cases, house, alerts[0]) and asks(open_cases, house, alerts[1])
    open_cases.read(house.ledger, [alerts[0].transaction], house.policy, house.now)
    after = [open_cases.fitting(alert, house.policy, house.now) for alert in alerts]
    closed = 0 if done.case_id == one.case_id else 1
    assert after[closed] is None
    assert after[1 - closed] is before[1 - closed]  # the other was not read again


def test_a_case_that_is_opened_again_takes_alerts_again(house: House, open_cases: OpenCases) -> None:
    case, alert = house.case(), of_customer(house.decision(), customer_of(1))
    verdict = house.judge("analyst-1", "legitimate")
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    assert open_cases.fitting(alert, house.policy, house.now) is None
    with house.ledger.writing() as w:
        verdicts.undo(w, verdict.verdict_id, "analyst-1", house.policy, house.now)
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    found = open_cases.fitting(alert, house.policy, house.now)
    assert found is not None and found.case.case_id == case.case_id


def test_what_was_recorded_and_let_go_is_in_duckdb_before_it_is_read_again(
    house: House, open_cases: OpenCases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.cases.open_cases._MOST_KNOWN", 1)
    made = [house.decision() for _ in range(2)]
    with house.ledger.recording() as w:
        open_cases.prepare(w, made[:0], house.policy, house.now)
        for alert in made:
            value, told = alert.transaction.entities["customer"] or "", (alert, house.dossier(alert))
            case = cases.open_case(w, *told, house.policy, KEY, house.now)
            open_cases.opened("customer", value, Young(case, 1, []))
        open_cases.written(w)
    assert house.ledger.waiting
    again = of_customer(made[0], customer_of(1))
    assert asks(open_cases, house, again)
    open_cases.read(house.ledger, [again.transaction], house.policy, house.now)
    found = open_cases.fitting(again, house.policy, house.now)
    assert found is not None and len(found.tasks) == 1


def test_one_look_takes_in_the_young_cases_of_others(house: House) -> None:
    house.many_cases(2)
    one, other = (of_customer(house.decision(), customer_of(number)) for number in (1, 2))
    memory = OpenCases()
    memory.load(house.ledger, house.policy)
    assert asks(memory, house, other)
    memory.read(house.ledger, [one.transaction], house.policy, house.now)
    assert not asks(memory, house, other)


def test_a_case_older_than_policy_lets_alerts_join_is_not_looked_up(
    house: House, open_cases: OpenCases
) -> None:
    joining, alert = house.policy.work.joining, house.decision()
    assert joining is not None
    open_cases.load(house.ledger, house.policy)
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    open_cases.add(joining.entity, alert.transaction.entities[joining.entity] or "", house.now)
    assert asks(open_cases, house, alert, house.now + joining.within)
    assert not asks(open_cases, house, alert, house.now + joining.within + timedelta(microseconds=1))


def test_a_value_that_no_alert_can_join_any_more_is_forgotten_until_policy_looks_further_back(
    house: House, open_cases: OpenCases
) -> None:
    joining, alert = house.policy.work.joining, house.decision()
    assert joining is not None
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    open_cases.add(joining.entity, alert.transaction.entities[joining.entity] or "", house.now)
    open_cases.trim(house.now + joining.within)
    assert asks(open_cases, house, alert)
    open_cases.trim(house.now + joining.within + timedelta(microseconds=1))
    assert not asks(open_cases, house, alert)
    assert asks(open_cases, house, alert, joining=replace(joining, within=2 * joining.within))


def test_the_latest_case_of_a_customer_counts(house: House, open_cases: OpenCases) -> None:
    joining, alert = house.policy.work.joining, house.decision()
    assert joining is not None
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    value = alert.transaction.entities[joining.entity] or ""
    open_cases.add(joining.entity, value, house.now)
    open_cases.add(joining.entity, value, house.now - timedelta(days=3))
    assert asks(open_cases, house, alert)


def test_where_alerts_did_not_join_for_a_while_the_record_is_read_anew(
    house: House, open_cases: OpenCases
) -> None:
    alert = house.decision()
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    assert not asks(open_cases, house, alert)
    assert not asks(open_cases, house, alert, joining=None)
    assert asks(open_cases, house, alert)
    assert open_cases.must_load(house.policy)


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
    young = _waiting(house, alert)
    open_cases.read(house.ledger, [alert.transaction], house.policy, house.now)
    open_cases.opened("merchant", value, young)
    open_cases.opened(joining.entity, "", young)
    assert open_cases.fitting(alert, house.policy, house.now) is None
    assert not asks(open_cases, house, alert)


def test_an_alert_on_a_case_where_nobody_waits_is_worth_what_it_may_cost_and_no_more(
    house: House, open_cases: OpenCases
) -> None:
    case, alert = replace(house.case(), raised=1234.5), house.decision()
    done = [replace(task, status=DONE) for task in tasks.where(house.ledger, "t.case_id = ?", [case.case_id])]
    young = Young(case, 1, done)
    with house.ledger.writing() as w:
        join(w, young, alert, house.dossier(alert), house.policy, KEY, house.now)
    (waiting,) = (task for task in young.tasks if task.status == tasks.OPEN)
    rise = expected_money(alert.probability, alert.transaction.amount_minor)
    assert waiting.priority + young.case.raised == rise
    assert young.size == 2
    assert young.case.amount_minor == case.amount_minor + (alert.transaction.amount_minor or 0)


@pytest.mark.parametrize(("limit", "second"), [(500, "required"), (1_000_000, "")])
def test_an_alert_that_joins_is_seen_by_two_from_its_segments_own_limit(
    house: House, open_cases: OpenCases, limit: int, second: str
) -> None:
    case, alert = house.case(), house.decision(amount_minor=100_000)
    segments = {name: replace(s, four_eyes_amount_minor=limit) for name, s in house.policy.segments.items()}
    policy = replace(house.policy, segments=segments, four_eyes_amount_minor=250_000)
    young = Young(case, 1, [])
    with house.ledger.writing() as w:
        join(w, young, alert, house.dossier(alert), policy, KEY, house.now)
    assert ("second" in {task.kind for task in young.tasks}) == bool(second)
