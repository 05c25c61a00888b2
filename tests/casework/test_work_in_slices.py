"""Is a large piece of work done to the record in slices, so that decisions are made in between?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import pytest
import review_design as made
from conftest import House

from casework.cases import dispositions
from casework.review.measuring import audits
from casework.slices import in_slices
from data.events import EventDraft
from data.writer import Writer


def test_each_slice_is_a_write_of_its_own_and_stays_when_a_later_one_fails(house: House) -> None:
    def note(w: Writer, items: Sequence[int]) -> int:
        w.event(EventDraft("test", "items.noted", "items", {"items": list(items)}), house.now)
        if 5 in items:
            raise ValueError("no more")
        return len(items)

    assert in_slices(house.ledger, [1, 2, 3, 4], 3, note) == 4
    with pytest.raises(ValueError, match="no more"):
        in_slices(house.ledger, [4, 6, 5], 2, note)
    noted = house.ledger.read("SELECT payload FROM events WHERE kind = 'items.noted' ORDER BY seq")
    assert [bytes(row["payload"]) for row in noted] == [
        b'{"items":[1,2,3]}', b'{"items":[4]}', b'{"items":[4,6]}'
    ]  # fmt: skip


def test_after_a_slice_decisions_have_three_times_as_long_as_it_took(house: House) -> None:
    paused: list[float] = []
    now = iter([0.0, 0.5, 10.0, 10.001, 20.0, 21.0])

    def note(w: Writer, items: Sequence[int]) -> int:
        w.event(EventDraft("test", "items.noted", "items"), house.now)
        return len(items)

    in_slices(house.ledger, [1, 2, 3], 1, note, clock=lambda: next(now), sleep=paused.append)
    assert paused == [1.5, 0.02]


def test_an_audit_that_was_taken_since_it_was_planned_stays_where_it_is(house: House) -> None:
    made.employ(house)
    for _ in range(3):
        house.audit()
    moves = audits.planned(house.ledger, house.policy, house.key, house.now)
    assert len(moves) == 3
    taken = house.next("analyst-1")
    assert taken is not None and taken.kind == "audit"
    with house.ledger.writing() as w:
        assert audits.lay(w, moves, house.now) == 2
    assert {task.task_id for task in made.waiting(house, "audit")} == {
        move.task.task_id for move in moves if move.task.task_id != taken.task_id
    }
    moved = house.ledger.read("SELECT subject FROM events WHERE kind = 'task.moved'")
    assert f"task:{taken.task_id}" not in {row["subject"] for row in moved}


def test_what_is_late_is_dealt_with_a_few_at_a_time_the_longest_overdue_first(house: House) -> None:
    first = house.case()
    house.later(hours=1)
    second = house.case()
    house.audit(), house.audit()
    house.now = second.deadline + timedelta(days=30)
    for case in (first, second):
        with house.ledger.writing() as w:
            done = dispositions.sweep(w, house.policy, house.now, most=1)
        assert done == {"closed": 0, "timed_out": 1, "expired": 2}
        assert house.status(case) == "timed_out"
    assert not dispositions.anything_late(house.ledger, house.now)


def test_a_write_that_held_decisions_for_long_is_named_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, told in ((3600.0, 0), (0.0, 1)):
        monkeypatch.setattr("data.ledger._LONG_SECONDS", limit)
        with caplog.at_level(logging.INFO), house.ledger.writing() as w:
            w.event(EventDraft("test", "items.noted", "items"), house.now)
        assert sum("a write held decisions" in line for line in caplog.messages) == told
