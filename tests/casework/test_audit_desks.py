"""On whose desk does an audit lie, and for how long?"""

from collections import Counter
from datetime import timedelta

import review_design as made

from casework.review import moves


def test_audits_are_spread_evenly_over_all_analysts_who_are_here(house) -> None:
    made.employ(house)
    with house.ledger.writing() as w:
        moves.go_away(w, "analyst-3", house.now + timedelta(days=3), "lead-1", house.now)
    for _ in range(10):
        house.audit()
    made.draw(house)
    audits = made.waiting(house, "audit")
    assert Counter(task.assignee for task in audits) == {"analyst-1": 5, "analyst-2": 5}
    made.draw(house)
    assert made.waiting(house, "audit") == audits
    house.later(hours=49)  # half of its 96 hours are over: better anybody than nobody
    made.draw(house)
    assert {task.assignee for task in made.waiting(house, "audit")} == {""}


def test_an_audit_that_a_lead_put_on_a_desk_stays_there_as_long_as_somebody_sits_at_it(house) -> None:
    made.employ(house)
    put = {house.audit().task_id: who for who in made.PEOPLE[:2]}
    with house.ledger.writing() as w:
        for task_id, who in put.items():
            moves.move(
                w, [task_id], queue="", assignee=who, reason="she knows them", policy=house.policy, by="lead-1",
                at=house.now,
            )  # fmt: skip
    house.later(hours=1)
    made.draw(house)
    assert {task.task_id: task.assignee for task in made.waiting(house, "audit")} == put
    with house.ledger.writing() as w:
        w.execute("UPDATE users SET disabled_at = ? WHERE user_id = 'analyst-2'", [house.now])
    made.draw(house)
    there = {task.assignee: task.snoozed_until is None for task in made.waiting(house, "audit")}
    assert there == {"analyst-1": False, "analyst-3": True}  # as the machine lays one: nobody is told
    house.later(hours=48)  # what goes from a desk that told of it would be known for an audit
    made.draw(house)
    assert {task.assignee for task in made.waiting(house, "audit")} == {"analyst-1", ""}
