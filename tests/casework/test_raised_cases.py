"""Does a case that carries what joined alerts raised it by leave every task where raising each of them would?"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from casework.cases import arranging, cases
from casework.review import task_pages, tasks, verdicts
from casework.review.desk import Desk
from casework.review.lanes import RANDOM_LANES, expected_money
from data.events import EventDraft
from data.integrity import chain
from tests.casework.conftest import House
from tests.fuzz.alerts import Alerts

WAITING = ("open", "claimed")
PEOPLE = ("ana", "ben", "cy")


class EachRaised:
    """The rule that was: an alert that joins raises every task of the case that waits, and its own stand beside the
    highest of them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, dict[str, Any]] = {}
        self.places: dict[str, float] = {}

    def follow(self, rise: float = 0.0) -> None:
        """What has changed since the last time; `rise` is what an alert that came in may cost."""
        rows = self._house.ledger.read("SELECT task_id, case_id, kind, status, amount_minor FROM tasks")
        fresh = [row for row in rows if row["task_id"] not in self._known]
        if rise:
            of_case = fresh[0]["case_id"]
            beside = [task_id for task_id, was in self._known.items() if was["case_id"] == of_case]
            raised = [task_id for task_id in beside if self._known[task_id]["status"] in WAITING]
            for task_id in raised:
                self.places[task_id] += rise
            place = max((self.places[task_id] for task_id in raised), default=rise)
            self.places |= {row["task_id"]: place for row in fresh}
        else:
            self.places |= {row["task_id"]: float(row["amount_minor"]) for row in fresh}  # adjudications
        self._known = {row["task_id"]: row for row in rows}

    def order(self, queue_and_lane: dict[str, tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        """The waiting tasks of each queue and lane, as they were handed out."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        waiting = [task_id for task_id, row in self._known.items() if row["status"] in WAITING]
        for task_id in sorted(waiting, key=lambda task_id: (-self.places[task_id], task_id)):
            found[queue_and_lane[task_id]].append(task_id)
        return found


def one_step(house: House, alerts: Alerts, luck: random.Random) -> float:
    """Something that happens in a day of work; what an alert that came in may cost."""
    house.later(minutes=luck.choice((1, 2, 5)))
    said, who = luck.random(), luck.choice(PEOPLE)
    if said < 0.5:
        amount, probability = luck.randrange(100, 90_000), luck.random()
        take_in = alerts.next(house, amount_minor=amount, probability=probability, lane="uncertain")
        with house.ledger.writing() as w:
            take_in(w)
        return expected_money(probability, amount)
    if said < 0.85:
        task = house.next(who) or house.next("lead-1", "team_lead")
        if task is not None:
            house.say(task, luck.choice(("legitimate", "confirmed_fraud", "inconclusive")))
        return 0.0
    _arrange(house, luck)
    return 0.0


def _arrange(house: House, luck: random.Random) -> None:
    """Split the case of most payments, or merge two."""
    rows = house.ledger.read("SELECT case_id FROM cases WHERE status = 'open' ORDER BY case_id")
    found = [cases.find(house.ledger, row["case_id"]) for row in rows]
    seqs = {c: [row["transaction_seq"] for row in cases.payments(house.ledger, c.case_id)] for c in found}
    largest = max(found, key=lambda case: len(seqs[case]), default=None)
    with house.ledger.writing() as w:
        if largest and len(seqs[largest]) > 1 and luck.random() < 0.5:
            arranging.split(w, largest, seqs[largest][1:], "Two phones.", "lead-1", house.key, house.now)
        elif len(found) > 1:
            arranging.merge(w, *luck.sample(found, 2), "One phone.", "lead-1", house.now)


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.soak) for n in range(2, 12))])
def test_every_task_stands_where_raising_each_one_would_have_put_it(house_with, seed: int) -> None:
    house, luck = house_with(second_review=0.5), random.Random(seed)
    alerts, rule, desk = Alerts(), EachRaised(house), Desk()
    for step in range(60):
        rule.follow(one_step(house, alerts, luck))
        rows = house.ledger.read(
            "SELECT t.task_id, t.queue, t.lane, t.status, t.priority + c.raised AS place FROM tasks t JOIN cases c "
            "USING (case_id)"
        )
        lines = {row["task_id"]: (row["queue"], row["lane"]) for row in rows}
        waiting = {row["task_id"]: row["place"] for row in rows if row["status"] in WAITING}
        assert waiting == {task_id: rule.places[task_id] for task_id in waiting}, step
        with house.ledger.writing() as w:
            desk.catch_up(w)
        expected = rule.order(lines)
        for line, order in expected.items():
            if line[1] not in RANDOM_LANES:
                assert [task_id for _, task_id in desk._lines[line].ranked] == order, (step, line)
    kinds = house.kinds()
    assert {"case.alert_joined", "case.merged", "case.split", "adjudication.opened"} <= set(kinds)
    listed = task_pages.task_list(house.ledger, "risk-1", house.now, role="risk_manager", limit=1000)
    places = [rule.places[line["task_id"]] for line in listed]
    assert places == sorted(places, reverse=True) and len(places) > 5
    assert chain.verify(house.ledger).ok


@pytest.fixture
def joined(house: House) -> Iterator[House]:
    """A case that a second alert has joined."""
    alerts = Alerts()
    for number in (0, 7):
        house.number = number
        take_in = alerts.next(house)
        with house.ledger.writing() as w:
            take_in(w)
    yield house


def test_an_alert_that_joins_tells_once_by_how_much_it_raised_the_case(joined: House) -> None:
    assert "task.raised" not in joined.kinds()
    told = joined.ledger.read(
        "SELECT CAST(decode(payload) AS JSON)->>'raised' AS raised FROM events WHERE kind = 'case.alert_joined'"
    )
    assert [float(row["raised"]) for row in told] == [expected_money(0.3, 20_000)]
    assert chain.verify(joined.ledger).ok


def test_a_case_that_somebody_raised_behind_the_records_back_is_found(joined: House) -> None:
    with joined.ledger.writing() as w:
        w.execute("UPDATE cases SET raised = 9")
    assert any("cases.raised was changed" in problem for problem in chain.verify(joined.ledger).problems)


def test_a_record_in_which_each_task_was_raised_still_holds(joined: House) -> None:
    with joined.ledger.writing() as w:
        w.execute("UPDATE cases SET raised = 0")
        w.execute("UPDATE tasks SET priority = priority + 6000")
        for row in w.read("SELECT case_id, task_id FROM tasks"):
            said = {"was": 6000.0, "priority": 12000.0}
            w.event(EventDraft("engine", "task.raised", f"task:{row['task_id']}", said), joined.now)
        before = {"transaction_id": "tx-8", "amount_minor_was": 20_000, "amount_minor": 40_000}
        w.event(EventDraft("engine", "case.alert_joined", f"case:{row['case_id']}", before), joined.now)
    assert chain.verify(joined.ledger).ok
    with joined.ledger.writing() as w:
        (desk := Desk()).catch_up(w)
    assert {task.priority for task in desk._tasks.values()} == {12000.0}


def test_a_verdict_taken_back_brings_its_task_to_where_the_case_has_risen_since(joined: House) -> None:
    said = joined.judge("ana", "legitimate")
    joined.number = 14
    take_in = Alerts().next(joined)
    with joined.ledger.writing() as w:
        take_in(w)
        verdicts.undo(w, said.verdict_id, "ana", joined.policy, joined.now)
        (desk := Desk()).catch_up(w)
    assert [task.priority for task in desk._tasks.values()] == [3 * expected_money(0.3, 20_000)] * 3


def test_what_cases_were_raised_by_is_asked_of_those_alone(joined: House) -> None:
    case_id = joined.ledger.read("SELECT case_id FROM cases")[0]["case_id"]
    found = tasks.raised_by_case(joined.ledger, ["", case_id, "case_none"])
    assert found == {case_id: expected_money(0.3, 20_000)}
