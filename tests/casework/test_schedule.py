"""Do jobs run, leave a record, survive their own failures, and keep their rhythm across restarts?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.serving.schedule import Job, Schedule
from data.errors import ConflictError, DiskError, InputError, LedgerError, NotFoundError
from data.ledger import Head, Ledger
from tests.ledgers import new_ledger

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path / "ledger.duckdb", None, NOW) as made:
        yield made


def schedule(ledger: Ledger, *jobs: Job, now: datetime = NOW) -> Schedule:
    return Schedule(ledger, jobs, lambda: now)


def work(by: str) -> str:
    return "Everything was done."


def trouble(by: str) -> str:
    raise ValueError("no paper")


def test_a_run_asked_for_leaves_a_row_and_an_event(ledger: Ledger) -> None:
    found = schedule(ledger, Job("tidy", "tidy up", WEEK, work))
    row = found.run_now("tidy", by="risk-manager-1")
    assert (row["result"], row["detail"]) == ("done", "Everything was done.")
    assert ledger.read("SELECT job, result FROM job_runs") == [{"job": "tidy", "result": "done"}]
    assert ledger.read("SELECT actor FROM events WHERE kind = 'job.finished'") == [
        {"actor": "risk-manager-1"}
    ]


def test_a_job_is_told_who_asked_for_it(ledger: Ledger) -> None:
    found = schedule(ledger, Job("tidy", "tidy up", WEEK, lambda by: f"For {by}."))
    assert found.run_now("tidy", by="risk-manager-1")["detail"] == "For risk-manager-1."


@pytest.mark.parametrize("folder", ["/srv/bank", "/srv/a bank/of ours"])
def test_a_job_that_fails_names_the_file_without_the_servers_folders(ledger: Ledger, folder: str) -> None:
    file = f"{folder}/ledger.duckdb"
    errors = (
        DiskError(f'it is full ("{file}.wal")', where=file, hint="Make room."),
        LedgerError("it is damaged", where=file),
        FileNotFoundError(2, "No such file or directory", file),
    )

    def failing(error: Exception) -> Callable[[str], str]:
        def run(by: str) -> str:
            raise error

        return run

    jobs = [Job(f"job {n}", "work", WEEK, failing(error)) for n, error in enumerate(errors)]
    found = schedule(ledger, *jobs)
    for job in jobs:
        found.run_now(job.name, by="admin-1")
    assert [row["detail"] for row in ledger.read("SELECT detail FROM job_runs ORDER BY job")] == [
        'DiskError: ledger.duckdb: it is full ("ledger.duckdb.wal"). Make room.',
        "LedgerError: ledger.duckdb: it is damaged.",
        "FileNotFoundError: [Errno 2] No such file or directory: 'ledger.duckdb'",
    ]
    assert not ledger.read("SELECT 1 FROM events WHERE contains(decode(payload), 'bank')")


def test_a_job_that_fails_is_recorded_with_its_reason(ledger: Ledger) -> None:
    row = schedule(ledger, Job("print", "print", WEEK, trouble, recorded=False)).run_now(
        "print", by="scheduler"
    )
    assert (row["result"], row["detail"]) == ("failed", "ValueError: no paper")
    assert len(ledger.read("SELECT 1 FROM job_runs")) == 1


def test_a_job_of_every_few_seconds_that_goes_on_failing_fills_neither_ledger_nor_log(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    full = [True] * 3

    def move(by: str) -> str:
        if full:
            full.pop()
            raise DiskError(f"no room for a checkpoint ({len(full)} MB free)")
        return "Moved."

    found = schedule(ledger, Job("move", "move the log", timedelta(seconds=2), move, recorded=False))
    for _ in range(5):
        found._run_scheduled("move")
    results = ledger.read("SELECT result FROM job_runs ORDER BY result")
    assert [row["result"] for row in results] == ["done", "failed"]
    assert [record.getMessage() for record in caplog.records] == ["job move failed"]


def test_a_failure_before_a_restart_is_not_told_again_and_its_end_is(ledger: Ledger) -> None:
    def results(run: Callable[[str], str], hours: int) -> list[str]:
        job = Job("move", "move the log", 5_000 * WEEK, run, recorded=False)
        found = schedule(ledger, job, now=NOW + timedelta(hours=hours))
        found.start()
        try:
            found._run_scheduled("move")
        finally:
            found.stop()
        return [row["result"] for row in ledger.read("SELECT result FROM job_runs ORDER BY started_at")]

    assert results(trouble, 0) == ["failed"]
    assert results(trouble, 1) == ["failed"]
    assert results(work, 2) == ["failed", "done"]
    assert results(work, 3) == ["failed", "done"]


def test_a_run_that_the_full_disk_keeps_off_the_record_ends_no_thread_and_is_recorded_later(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(head: Head) -> None:
        raise DiskError("no room")

    found = schedule(ledger, Job("print", "print", WEEK, trouble, recorded=False))
    with monkeypatch.context() as disk:
        disk.setattr(ledger, "_seal_tables", full)
        for _ in range(3):
            found._run_scheduled("print")
    assert ledger.read("SELECT 1 FROM job_runs") == []
    said = ["job print failed", "runs of the job print cannot be recorded: no room"]
    assert [record.getMessage() for record in caplog.records] == said
    found._run_scheduled("print")
    assert ledger.read("SELECT result FROM job_runs") == [{"result": "failed"}]


def test_a_job_does_not_overlap_itself(ledger: Ledger) -> None:
    found: Schedule
    found = schedule(ledger, Job("twice", "ask again", WEEK, lambda by: again(found)))
    assert found.run_now("twice", by="admin-1")["detail"].startswith(
        "ConflictError: the job twice is running"
    )


def again(found: Schedule) -> str:
    return str(found.run_now("twice", by="admin-1"))


def test_an_unknown_job_names_those_there_are(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match=r"nothing: there is no such job \(allowed: tidy\)"):
        schedule(ledger, Job("tidy", "tidy up", WEEK, work)).run_now("nothing", by="admin-1")


def test_a_weekly_job_keeps_its_week_and_its_pause_across_a_restart(ledger: Ledger) -> None:
    job, now = (
        Job("tidy", "tidy up", WEEK, work),
        datetime.now(UTC),
    )  # APScheduler has no clock but the real one
    five_days_ago = now - timedelta(days=5)
    schedule(ledger, job, now=five_days_ago).run_now("tidy", by="scheduler")
    later = schedule(ledger, job, now=now)
    later.start()
    try:
        assert later.table()[0]["next_run_at"] == five_days_ago + WEEK
        later.pause("tidy", by="risk-manager-1", reason="month-end")
        assert later.table()[0]["next_run_at"] is None
    finally:
        later.stop()
    restarted = schedule(ledger, job, now=now)
    restarted.start()
    try:
        row = restarted.table()[0]
        assert (row["paused"], row["paused_by"], row["paused_reason"]) == (
            True,
            "risk-manager-1",
            "month-end",
        )
        restarted.resume("tidy", by="risk-manager-2", reason="books are closed")
        assert not restarted.table()[0]["paused"]
        assert restarted.table()[0]["next_run_at"] is not None
    finally:
        restarted.stop()


def test_a_pause_is_on_record_with_who_and_why_and_cannot_be_made_twice(ledger: Ledger) -> None:
    found = schedule(ledger, Job("tidy", "tidy up", WEEK, work))
    found.pause("tidy", by="risk-manager-1", reason="month-end")
    with pytest.raises(ConflictError, match="paused already"):
        found.pause("tidy", by="admin-1", reason="me too")
    with pytest.raises(InputError, match="needs a reason"):
        found.resume("tidy", by="admin-1", reason=" ")
    assert found.run_now("tidy", by="risk-manager-1")["result"] == "done"
    found.resume("tidy", by="admin-1", reason="month-end is over")
    kinds = ledger.read(
        "SELECT actor, kind FROM events WHERE subject = 'job:tidy' AND kind <> 'job.finished'"
    )
    assert [(row["actor"], row["kind"]) for row in kinds] == [
        ("risk-manager-1", "job.paused"),
        ("admin-1", "job.resumed"),
    ]


def test_a_run_given_up_because_it_came_too_late_is_recorded_as_missed(ledger: Ledger) -> None:
    found = schedule(ledger, Job("tidy", "tidy up", WEEK, work))
    found.missed("tidy", NOW - timedelta(hours=3))
    row = found.table()[0]
    assert (row["last_result"], row["last_detail"]) == (
        "missed",
        "The run of 2026-03-02 06:00 UTC came more than an hour late.",
    )
