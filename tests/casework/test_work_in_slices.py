"""Is a large piece of work done to the record in slices, so that decisions are made in between?"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import review_design as made
from conftest import House

from casework.cases import dispositions
from casework.review import tasks
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


def noted(w: Writer, items: Sequence[int]) -> int:
    w.event(EventDraft("test", "items.noted", "items"), datetime.now(UTC))
    return len(items)


def test_after_a_slice_decisions_have_nine_times_as_long_as_it_took(house: House) -> None:
    paused: list[float] = []
    now = iter([0.0, 0.5, 10.0, 10.001, 20.0, 21.0])
    in_slices(house.ledger, [1, 2, 3], 1, noted, lambda: False, clock=lambda: next(now), sleep=paused.append)
    assert paused == [4.5, 0.02]


def test_where_nobody_asks_for_decisions_one_slice_follows_the_other(house: House) -> None:
    paused: list[float] = []
    assert in_slices(house.ledger, [1, 2, 3], 1, noted, sleep=paused.append) == 3
    assert paused == []


def test_the_next_slice_waits_while_decisions_are_behind(house: House) -> None:
    paused: list[float] = []
    behind = iter([True, True, False])
    in_slices(house.ledger, [1, 2], 1, noted, lambda: next(behind), clock=lambda: 0.0, sleep=paused.append)
    assert paused == [0.02, 0.1, 0.1]


def test_decisions_that_stay_behind_are_not_waited_for_for_ever(house: House) -> None:
    paused: list[float] = []
    done = in_slices(house.ledger, [1, 2], 1, noted, lambda: True, clock=lambda: 0.0, sleep=paused.append)
    assert done == 2 and sum(paused) == pytest.approx(5.02)


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


@pytest.mark.parametrize("seed", range(6))
def test_only_audits_that_wait_as_they_did_when_planned_are_laid_and_each_once(
    house: House, seed: int
) -> None:
    made.employ(house)
    for _ in range(12):
        house.audit()
    planned = audits.planned(house.ledger, house.policy, house.key, house.now)
    chance = random.Random(seed)
    other = [chance.choice(["", "", *_HAPPENED]) for _ in planned]
    with house.ledger.writing() as w:
        for move, what in zip(planned, other, strict=True):
            if what:
                w.execute(f"{_HAPPENED[what]} WHERE task_id = ?", [move.task.task_id])
    before = _rows(house)
    house.later(minutes=1)
    laid = {move.task.task_id: move.to for move, what in zip(planned, other, strict=True) if not what}
    moves = chance.sample(planned, len(planned))
    counted = in_slices(house.ledger, [*moves, *moves], 5, lambda w, some: audits.lay(w, some, house.now))
    assert counted == len(laid)
    assert _rows(house) == {
        task_id: (*row[:2], laid[task_id], None) if task_id in laid else row
        for task_id, row in before.items()
    }
    told = house.ledger.read("SELECT subject FROM events WHERE kind = 'task.moved'")
    assert sorted(row["subject"] for row in told) == sorted(f"task:{task_id}" for task_id in laid)


_HAPPENED = {
    "claimed": "UPDATE tasks SET status = 'claimed', claimed_by = 'analyst-1'",
    "judged": "UPDATE tasks SET status = 'done', claimed_by = 'analyst-2'",
    "moved": "UPDATE tasks SET assignee = 'analyst-3'",
    "set aside": "UPDATE tasks SET snoozed_until = created_at",
}


def _rows(house: House) -> dict[str, tuple[Any, ...]]:
    found = house.ledger.read("SELECT task_id, status, claimed_by, assignee, snoozed_until FROM tasks")
    return {task_id: tuple(rest) for task_id, *rest in (row.values() for row in found)}


def test_a_write_that_lays_audits_reads_no_others(house: House) -> None:
    made.employ(house)
    for _ in range(6):
        house.audit()
    moves = audits.planned(house.ledger, house.policy, house.key, house.now)
    with house.ledger.writing() as w:
        noting = made.Noting(w)
        assert audits.lay(noting, moves[:2], house.now) == 2
    assert noting.rows == 2


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


def test_of_tasks_without_a_case_the_oldest_expire_first_unless_somebody_is_at_them(house: House) -> None:
    opened = []
    for _ in range(4):
        opened.append(house.audit())
        house.later(hours=1)
    house.now = opened[-1].deadline
    with house.ledger.writing() as w:
        tasks.lock(w, opened[0], "analyst-1", house.policy, house.now)
        assert dispositions.sweep(w, house.policy, house.now, most=2)["expired"] == 2
    assert [tasks.find(house.ledger, task.task_id).status for task in opened] == [
        "claimed", "expired", "expired", "open"
    ]  # fmt: skip
    ended = house.ledger.read("SELECT subject FROM events WHERE kind = 'task.expired' ORDER BY seq")
    assert [row["subject"] for row in ended] == [f"task:{task.task_id}" for task in opened[1:3]]


def test_a_write_that_held_decisions_for_long_is_named_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, told in ((3600.0, 0), (0.0, 1)):
        monkeypatch.setattr("data.ledger._LONG_SECONDS", limit)
        with caplog.at_level(logging.INFO), house.ledger.writing() as w:
            w.event(EventDraft("test", "items.noted", "items"), house.now)
        assert sum("a write held decisions" in line for line in caplog.messages) == told
