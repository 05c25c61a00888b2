"""Which jobs run by themselves, when did each last run, and what came of it?"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from casework.failures import in_words
from casework.safety.naming import reason_of
from data.errors import ConflictError, DiskError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

log = logging.getLogger(__name__)
SCHEDULER = "scheduler"
"""Who asks for a run whose turn has come."""
_GRACE_SECONDS = 3600
_SETTLE = timedelta(seconds=10)
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Job:
    """One scheduled piece of work. `run` is told who asked for it, a person or SCHEDULER, returns a sentence saying
    what it did, and raises if it could not.

    `recorded` is False for jobs that run every few seconds and would only fill the ledger with nothing to
    tell; of these the first failure of a kind is recorded all the same, and the first run that went well again. `due`,
    where there is one, says at each turn whether it is worth running; a person who asks for a run gets it all the same.
    """

    name: str
    what: str
    every: timedelta
    run: Callable[[str], str]
    recorded: bool = True
    due: Callable[[], bool] | None = None


@contextmanager
def _thread_named(job: str) -> Iterator[None]:
    """What the log says of a thread is what it is doing."""
    thread = threading.current_thread()
    before, thread.name = thread.name, f"job {job}"
    try:
        yield
    finally:
        thread.name = before


class Schedule:
    """APScheduler in this process with a memory job store; every run, and every pause, is recorded in the ledger.

    A job never overlaps itself. Runs missed while the process was busy are made up for once, within an hour; one missed
    by more is recorded as missed. A paused job stays paused over restarts, until somebody resumes it; it can be run by
    hand meanwhile.
    """

    def __init__(
        self,
        ledger: Ledger,
        jobs: Sequence[Job],
        clock: Callable[[], datetime],
        ran: Callable[[str, str, float], None] = lambda job, result, seconds: None,
    ) -> None:
        self._ledger, self._clock, self._ran = ledger, clock, ran
        self._jobs = {job.name: job for job in jobs}
        self._locks = {job.name: threading.Lock() for job in jobs}
        self._stopping = False
        self._logged: dict[str, str] = {}
        self._stored: dict[str, str] = {}
        """By job, what kind of failure log and ledger last heard of, '' for none."""
        self._off_record: set[str] = set()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_listener(self._heard, EVENT_JOB_MISSED)

    def start(self) -> None:
        """Start running jobs. A recorded job is due one interval after its last run, also across restarts: a server
        that is restarted every day must still retrain every week."""
        runs, paused = self._last_runs(), self._pauses()
        last = {job: row["started_at"] for job, row in runs.items()}
        # What the server before failed at is over once a run here goes well, which is to be said.
        self._stored = {
            job: row["detail"].partition(":")[0] for job, row in runs.items() if row["result"] == "failed"
        }
        for job in self._jobs.values():
            self._scheduler.add_job(
                self._run_scheduled,
                IntervalTrigger(seconds=max(1, int(job.every.total_seconds()))),
                next_run_time=max(last.get(job.name, self._clock()) + job.every, self._clock() + _SETTLE),
                args=[job.name],
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=_GRACE_SECONDS,
            )
        self._scheduler.start(paused=True)
        for name in paused:
            self._scheduler.pause_job(name)
        self._scheduler.resume()

    def stop(self) -> None:
        """Stop starting jobs, those whose turn has come included; `running` says which are not over."""
        self._stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def running(self) -> list[str]:
        """The jobs that are being run."""
        return [name for name, lock in self._locks.items() if lock.locked()]

    def wait(self, seconds: float) -> bool:
        """Whether all jobs were over within that time."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        return not self.running

    def run_now(self, name: str, *, by: str) -> dict[str, Any]:
        """Run a job in this thread and return its record. ConflictError while it runs already."""
        job = self._job(name)
        lock = self._locks[name]
        if not lock.acquire(blocking=False):
            raise ConflictError(f"the job {name} is running already", hint="Wait until it has finished.")
        try:
            return self._record(job, by)
        finally:
            lock.release()

    def pause(self, name: str, *, by: str, reason: str) -> None:
        """Keep a job from running by itself until it is resumed. ConflictError if it is paused, InputError without a
        reason."""
        self._job(name)
        why, at = reason_of(reason, "a pause"), self._clock()
        with self._ledger.writing() as w:
            if name in self._pauses(w):
                raise ConflictError("this job is paused already", where=name)
            row = {"job": name, "paused_at": at, "paused_by": by, "reason": why}
            w.insert("job_pauses", [{**row, "resumed_by": "", "resumed_reason": ""}])
            w.event(EventDraft(by, "job.paused", f"job:{name}", {"reason": why}), at)
        if self._scheduler.running:
            self._scheduler.pause_job(name)

    def resume(self, name: str, *, by: str, reason: str) -> None:
        """Have a paused job run by itself again, next one interval from now. ConflictError if it is not paused."""
        self._job(name)
        why, at = reason_of(reason, "resuming a job"), self._clock()
        with self._ledger.writing() as w:
            if name not in self._pauses(w):
                raise ConflictError("this job is not paused", where=name)
            w.execute(
                "UPDATE job_pauses SET resumed_at = ?, resumed_by = ?, resumed_reason = ? "
                "WHERE job = ? AND resumed_at IS NULL",
                [at, by, why, name],
            )
            w.event(EventDraft(by, "job.resumed", f"job:{name}", {"reason": why}), at)
        if self._scheduler.running:
            self._scheduler.resume_job(name)

    def _pauses(self, source: Ledger | Writer | None = None) -> dict[str, dict[str, Any]]:
        """Jobs that are paused: since when, by whom and why."""
        rows = (source or self._ledger).read(
            "SELECT job, paused_at, paused_by, reason FROM job_pauses WHERE resumed_at IS NULL"
        )
        return {row["job"]: row for row in rows if row["job"] in self._jobs}

    def table(self) -> list[dict[str, Any]]:
        """A row per job: name, what, every (seconds), running, paused (since when, by whom, why), next run, last run
        and result."""
        last, paused = self._last_runs(), self._pauses()
        return [self._row(job, last.get(job.name), paused.get(job.name)) for job in self._jobs.values()]

    def _last_runs(self) -> dict[str, dict[str, Any]]:
        rows = self._ledger.read(
            "SELECT job, max(started_at) AS started_at, arg_max(finished_at, started_at) AS finished_at, "
            "arg_max(result, started_at) AS result, arg_max(detail, started_at) AS detail "
            "FROM job_runs GROUP BY job"
        )
        return {row["job"]: row for row in rows}

    def _row(self, job: Job, last: dict[str, Any] | None, pause: dict[str, Any] | None) -> dict[str, Any]:
        planned = self._scheduler.get_job(job.name) if self._scheduler.running else None
        return {
            "name": job.name,
            "what": job.what,
            "every_seconds": job.every.total_seconds(),
            "running": self._locks[job.name].locked(),
            "paused": pause is not None,
            "paused_at": pause["paused_at"] if pause else None,
            "paused_by": pause["paused_by"] if pause else "",
            "paused_reason": pause["reason"] if pause else "",
            "next_run_at": planned.next_run_time if planned and not pause else None,
            "last_started_at": last["started_at"] if last else None,
            "last_finished_at": last["finished_at"] if last else None,
            "last_result": last["result"] if last else "",
            "last_detail": last["detail"] if last else "",
        }

    def _job(self, name: str) -> Job:
        if name not in self._jobs:
            raise NotFoundError("there is no such job", where=name, allowed=", ".join(sorted(self._jobs)))
        return self._jobs[name]

    def _run_scheduled(self, name: str) -> None:
        lock = self._locks[name]
        if self._stopping or not lock.acquire(blocking=False):
            return  # asked for by hand just now; that run counts
        job = self._jobs[name]
        try:
            if job.due is None or job.due():
                self._record(job, SCHEDULER)
        except DiskError as error:  # the ledger takes no row about it either; once said is enough
            if name not in self._off_record:
                log.warning("runs of the job %s cannot be recorded: %s", name, error.what)
            self._off_record.add(name)
        finally:
            lock.release()

    def _record(self, job: Job, by: str) -> dict[str, Any]:
        started, kind = self._clock(), ""
        try:
            with _thread_named(job.name):
                result, detail = "done", job.run(by)
        except Exception as error:  # whatever a job raises must not end the scheduler's thread
            if self._stopping:
                log.warning("job %s was cut off by the end of the server: %s", job.name, error)
                return _row_of(
                    job.name, started, self._clock(), "failed", "The server ended."
                )  # due again soon
            kind = type(error).__name__
            if job.recorded or self._logged.get(job.name, "") != kind:
                log.exception("job %s failed", job.name)
            result, detail = "failed", f"{kind}: {in_words(error)}"
        self._logged[job.name] = kind
        row = _row_of(job.name, started, self._clock(), result, detail)
        self._ran(job.name, result, (row["finished_at"] - started).total_seconds())
        if job.recorded or by != SCHEDULER or self._stored.get(job.name, "") != kind:
            self._store(row, by)
            self._stored[job.name] = kind
        self._off_record.discard(job.name)
        return row

    def _store(self, row: dict[str, Any], by: str) -> None:
        kind = {"done": "job.finished", "missed": "job.missed"}.get(row["result"], "job.failed")
        with self._ledger.writing() as w:
            w.insert("job_runs", [row])
            w.event(EventDraft(by, kind, f"job:{row['job']}", row), row["finished_at"])

    def _heard(self, event: JobExecutionEvent) -> None:
        self.missed(event.job_id, event.scheduled_run_time)

    def missed(self, name: str, planned: datetime) -> None:
        """Record that APScheduler gave a run up because it came more than an hour late; the next one comes in turn."""
        log.warning("job %s missed its run of %s", name, planned)
        at = self._clock()
        detail = f"The run of {planned.astimezone(UTC):%Y-%m-%d %H:%M} UTC came more than an hour late."
        self._store(_row_of(name, at, at, "missed", detail), SCHEDULER)


def _row_of(job: str, started: datetime, finished: datetime, result: str, detail: str) -> dict[str, Any]:
    return {
        "run_id": "run_" + secrets.token_hex(6),
        "job": job,
        "started_at": started,
        "finished_at": finished,
        "result": result,
        "detail": detail,
    }
