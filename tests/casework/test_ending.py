"""Does a server that is told to stop end in bounded time, whatever its jobs and reports are at?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.serving.schedule import Job, Schedule
from data.errors import LedgerError
from data.ledger import Ledger
from tests.ledgers import new_ledger

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENDLESS = "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path / "ledger.duckdb", None, NOW) as made:
        yield made


def test_a_read_without_end_is_cut_off_and_only_the_closing_thread_reads_on(ledger: Ledger) -> None:
    begun, refusals = threading.Event(), []

    def read() -> None:
        begun.set()
        for sql in (ENDLESS, "SELECT 1"):
            try:
                ledger.read(sql)
            except LedgerError as refused:
                refusals.append(str(refused))

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait()
    while reader.is_alive():  # the query may not have begun at the first call
        ledger.cut_off()
        reader.join(0.01)
    assert len(refusals) == 2
    assert all(told.startswith("the ledger is being closed") for told in refusals)
    assert ledger.read("SELECT 1 AS one") == [{"one": 1}]


def test_a_job_that_the_end_cuts_off_is_not_recorded_so_that_it_is_due_again(ledger: Ledger) -> None:
    begun = threading.Event()

    def run(by: str) -> str:
        begun.set()
        return str(ledger.read(ENDLESS))

    found = Schedule(ledger, [Job("weigh", "weigh", timedelta(days=1), run)], lambda: NOW)
    runner = threading.Thread(target=found.run_now, args=("weigh",), kwargs={"by": "scheduler"})
    runner.start()
    begun.wait()
    found.stop()
    assert found.running == ["weigh"]
    assert not found.wait(0.0)
    while runner.is_alive():
        ledger.cut_off()
        runner.join(0.01)
    assert found.wait(0.0)
    assert ledger.read("SELECT * FROM job_runs") == []


def test_a_walk_of_many_short_reads_ends_at_its_next_one(ledger: Ledger) -> None:
    begun, refusals = threading.Event(), []

    def walk() -> None:
        try:
            with ledger.view() as view:
                while view.read("SELECT 1"):
                    begun.set()
        except LedgerError as refused:
            refusals.append(str(refused))

    walker = threading.Thread(target=walk)
    walker.start()
    begun.wait()
    ledger.cut_off()
    walker.join()
    assert len(refusals) == 1
