"""Does the log say where every thread was while payments waited and none was answered?"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from casework.deciding.loop import Answer, DecisionLoop
from casework.serving.server_log import FACTS
from casework.serving.standstill import STILL_SECONDS, StandstillWatch, places
from data.transactions import Transaction

PAYMENT = Transaction("t1", datetime(2026, 3, 2, tzinfo=UTC), 100, {})


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "secondlook.standstill")
    return caplog


def looked(*stills: float) -> None:
    following = iter(stills)
    watch = StandstillWatch(lambda: next(following))
    for _ in stills:
        watch.look()


def test_a_standstill_is_told_once_and_so_is_its_end(told: pytest.LogCaptureFixture) -> None:
    looked(0.2, STILL_SECONDS, 3.0, 4.5, 0.0, 0.1)
    assert told.messages == ["payments wait and none is answered", "payments are answered again after 4.5 s"]


def test_short_waits_are_no_standstill(told: pytest.LogCaptureFixture) -> None:
    looked(*(STILL_SECONDS * share for share in (0.0, 0.5, 0.99, 0.0)))
    assert told.messages == []


def test_the_second_standstill_is_told_as_the_first_was(told: pytest.LogCaptureFixture) -> None:
    looked(2.0, 0.0, 2.0, 2.5)
    assert told.messages.count("payments wait and none is answered") == 2


def test_one_that_follows_another_without_a_look_between_is_told_as_well(
    told: pytest.LogCaptureFixture,
) -> None:
    looked(8.0, 1.5, 2.0, 0.0)
    assert [line.split(" ")[-2] for line in told.messages if "again" in line] == ["8.0", "2.0"]
    assert told.messages.count("payments wait and none is answered") == 2


def test_it_names_the_place_that_a_thread_is_held_up_at(told: pytest.LogCaptureFixture) -> None:
    inside, let_go = threading.Event(), threading.Event()

    def held_up_by_something() -> None:
        inside.set()
        let_go.wait(30)

    thread = threading.Thread(target=held_up_by_something, name="somebody")
    thread.start()
    try:
        assert inside.wait(30)
        looked(2.0)
    finally:
        let_go.set()
        thread.join()
    facts: dict[str, Any] = getattr(told.records[0], FACTS)
    place = next(where for name, where in facts["threads"].items() if name.startswith("somebody "))
    assert "test_standstill.py" in place and "held_up_by_something" in place
    assert not any(str(threading.get_native_id()) in name for name in places())  # whoever looks is no news


def test_the_loop_stands_still_from_the_payment_that_waits_to_its_answer() -> None:
    stood: list[float] = []

    def decide(transactions: Sequence[Transaction], at: datetime) -> list[Answer]:
        stood.append(loop.still_seconds)
        return [b"{}"] * len(transactions)

    loop = DecisionLoop(decide, lambda transactions, at: None, lambda: datetime.now(UTC))
    loop.start()
    try:
        assert loop.still_seconds == 0.0
        assert asyncio.run(loop.ask([PAYMENT])) == [b"{}"]
        assert stood[0] > 0.0 and loop.still_seconds == 0.0
    finally:
        loop.stop()


def test_it_looks_as_long_as_the_server_runs_and_then_no_more() -> None:
    looks = threading.Semaphore(0)

    def still() -> float:
        looks.release()
        return 0.0

    with StandstillWatch(still).running():
        assert looks.acquire(timeout=30) and looks.acquire(timeout=30)
        watching = next(t for t in threading.enumerate() if t.name == "standstill")
    watching.join(30)
    assert not watching.is_alive()
