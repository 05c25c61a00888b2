"""How is everything put together for one workspace? The one place that builds, opens and closes things."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from casework import live
from casework.auditing.replay_runs import ReplayRuns
from casework.auditing.walking import Walks
from casework.changes import Changes
from casework.deciding.decider import Answer, Decider
from casework.deciding.intake import Intake
from casework.deciding.loop import DecisionLoop
from casework.in_hand import InHand
from casework.keeping import leftovers
from casework.kept_answers import KeptAnswers
from casework.learning.registry import novelty
from casework.learning.retraining import agreement
from casework.learning.retraining.retrain import Basis, Retraining
from casework.learning.retraining.runs import Request
from casework.live import Live, Settings
from casework.outbox.rounds import Sender
from casework.people import outside
from casework.people.signin import SignIn
from casework.quality.consensus import of_ledger
from casework.review.desk import Desk
from casework.safety import alarms, opening
from casework.serving import ending, jobs, readiness
from casework.serving.measures import Measures
from casework.serving.schedule import Schedule
from casework.workspace import Workspace
from data import approved
from data.errors import SecondLookError
from data.incoming.mapping import Mapping
from data.integrity import seal_checks
from data.ledger import Ledger
from data.pseudonyms import keyed
from data.transactions import Transaction
from engine.model.scoring import Model

log = logging.getLogger("secondlook.app")
Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The moment in UTC."""
    return datetime.now(UTC)


class App:
    """One workspace, opened. What decides is loaded when first needed, so that opening stays quick.

    `lock` guards the order of the ledger and the engine's memory together: deciding, importing, reporting outcomes
    and changing what decides all hold it.
    """

    def __init__(self, workspace: Workspace, ledger: Ledger, clock: Clock = wall_clock) -> None:
        self.workspace, self.ledger, self.clock = workspace, ledger, clock
        self.mapping: Mapping = keyed(workspace.mapping(), ledger)
        self.key = workspace.key()
        self.signin = SignIn(ledger)
        self.provider = outside.from_environment(os.environ)
        self.walks, self.replays = Walks(), ReplayRuns()
        self.changes = Changes(ledger)
        self.kept_answers = KeptAnswers(self.changes)
        self.in_hand = InHand()
        self.lock = threading.RLock()
        self.importing = threading.Lock()  # one import at a time, held for its whole length
        self._live: Live | None = None
        self._model: Model | None = None  # kept when the rest is built anew, should its files be gone by then
        self._loop: DecisionLoop | None = None
        self.measures = Measures()
        self.ledger.watch_disk(self.measures.disk.observe)
        self.readiness = readiness.Readiness(lambda: self._live is not None)
        self._rebuilding: threading.Thread | None = None
        self._starting = threading.Lock()

    @classmethod
    def open(cls, workspace: Workspace, clock: Clock = wall_clock) -> App:
        """Open a workspace and own its ledger until `close`. LedgerBusyError if another process does."""
        ledger = Ledger.open(workspace.opened().ledger_file)
        try:
            ledger.seal(clock(), "system")  # one of an earlier version gets its key now
            return cls(workspace, ledger, clock)
        except BaseException:
            ledger.close()
            raise

    @property
    def live(self) -> Live:
        """What decides now."""
        found = self._live
        if found is None:
            with self.lock:
                if self._live is None:
                    self._live = self._built(None)
                    self.readiness.fail_safe = self._live.settings.policy.fail_safe.word
                found = self._live
        return found

    def _built(self, before: Live | None) -> Live:
        made = live.build(self.ledger, self.workspace, self.mapping, before, self._model)
        self._model = made.model
        return made

    @property
    def deciding(self) -> bool:
        """Whether what decides is loaded, and so has a memory that must be kept up."""
        return self._live is not None

    @property
    def is_ready(self) -> bool:
        """Whether decisions can be made: the loop is open, what decides is loaded, the disk took the last one."""
        return self.loop.is_open and self.deciding and not self.readiness.disk_refuses

    @property
    def behind(self) -> Callable[[], bool] | None:
        """Says whether decisions are behind; None where nobody sends payments here."""
        return self._loop.is_behind if self._loop is not None and self._loop.is_open else None

    def rebuild_soon(self) -> None:
        """Have what decides built anew in a thread of its own, unless it is there or under way."""
        with self._starting:
            idle = self._rebuilding is None or not self._rebuilding.is_alive()
            if self.deciding or not idle or not self.loop.is_open:
                return
            self._rebuilding = threading.Thread(target=self._rebuild, name="rebuilding", daemon=True)
            self._rebuilding.start()

    def _rebuild(self) -> None:
        try:
            _ = self.live
        except Exception:  # whoever asks next hears it; a thread that ends with a trace would tell nobody
            log.exception("what decides could not be built anew")

    def settings(self) -> Settings:
        """The approved set, read, without loading model and memory."""
        current = self._live
        return (
            current.settings
            if current
            else live.read_settings(approved.current(self.ledger).files, self.mapping)
        )

    def forget(self) -> None:
        """Have what decides, and its memory, built anew from the ledger when it is next needed."""
        with self.lock:
            self._live = None

    @cached_property
    def intake(self) -> Intake:
        return Intake(self.mapping, self.key)

    @cached_property
    def desk(self) -> Desk:
        """The memory of open tasks; used under the ledger's write lock."""
        return Desk()

    @cached_property
    def decider(self) -> Decider:
        return Decider(
            self.ledger, lambda: self.live, self.intake, self.forget, self._take_over, self.measures.decided
        )

    def decide(self, transactions: Sequence[Transaction], at: datetime) -> list[Answer]:
        """Decide now, in this thread; the answers are durable."""
        with self.lock, self.readiness.watching_the_disk():
            fresh, made = self.decider.make(transactions, at)
            self._tell_of_missed(at)
        return self.decider.answers(transactions, fresh, made)

    def _tell_of_missed(self, at: datetime) -> None:
        """Raise an alarm about payments that were sent back undecided, now that there are decisions again.

        Those are on disk and must be answered: an alarm that cannot be raised is left to the next ones.
        """
        for why, payments in self.readiness.missed().items():
            try:
                with self.ledger.writing() as w:
                    alarms.raise_alarm(w, alarms.FAIL_SAFE, why, readiness.sentence(why, payments), at)
            except Exception:
                log.exception("the alarm about %d payments that were sent back cannot be raised", payments)
                self.readiness.refused(why, payments)

    def decide_now(self, transactions: Sequence[Transaction], at: datetime) -> list[Answer] | None:
        """The same for a thread that must not wait; None if this would have to, or would have to read the ledger."""
        if not self.lock.acquire(blocking=False):
            return None
        try:
            if self._live is None or not self.ledger.can_record or self.decider.must_read(transactions, at):
                return None
            with self.readiness.watching_the_disk():
                return self.decider.answers(transactions, *self.decider.make(transactions, at))
        finally:
            self.lock.release()

    @property
    def loop(self) -> DecisionLoop:
        """The loop that gathers requests; started with the first one."""
        if self._loop is not None:
            return self._loop
        with self.lock:
            if self._loop is None:
                self._loop = DecisionLoop(
                    self.decide,
                    self.decide_now,
                    self.clock,
                    hindered=self.readiness.hindrance,
                    refused=self._refused,
                )
                self._loop.start()
            return self._loop

    def _refused(self, why: str, payments: int) -> None:
        self.measures.refused(why, payments)
        self.readiness.refused(why, payments)

    @contextmanager
    def changing_history(self) -> Iterator[None]:
        """Hold decisions while past transactions change; afterwards memory and all are loaded anew."""
        with self.lock:
            try:
                yield
            finally:
                self.forget()

    @contextmanager
    def changing_settings(self) -> Iterator[None]:
        """Hold decisions while another set or model comes into force; the memory is kept where it still fits."""
        with self.lock:
            before = self._live
            try:
                yield
            finally:
                self._live = self._built(before) if before else None

    @contextmanager
    def changing_control(self) -> Iterator[None]:
        """Hold decisions while somebody switches, snoozes or lists something; model, rules and memory stay."""
        with self.lock:
            try:
                yield
            finally:
                if self._live is not None:
                    opening.refresh(self.ledger, self._live.guard, self._live.settings)

    @cached_property
    def retraining(self) -> Retraining:
        return Retraining(
            self.ledger, self.workspace, self.clock, self.changing_settings, self._after_retrain
        )

    @cached_property
    def sender(self) -> Sender:
        return Sender(self.ledger, self.key, self._webhook_hosts, lambda: self.clock())

    def _webhook_hosts(self) -> Collection[str]:
        return self.live.settings.policy.work.webhook_hosts

    @cached_property
    def schedule(self) -> Schedule:
        return Schedule(self.ledger, jobs.all_jobs(self), self.clock, self.measures.job_ran)

    def adopt(self) -> None:
        """Take over the set and the champion that the ledger now names."""
        with self.changing_settings():
            pass

    def _take_over(self) -> None:
        """Have what was before decide, now that the breaker has paused something; the lock is held."""
        self._live = live.after_pause(self.ledger, self.workspace.models, self.live)
        self._model = self._live.model

    def retrain(self, trigger: str, by: str, reason: str, search_seconds: int = 0) -> dict[str, Any]:
        """Train a challenger in a child process and judge it; the row of `retrains` that says what came of it."""
        self.keep_up_consensus(by)
        return self.retraining.run(Request(trigger, by, reason, search_seconds), self._basis())

    def start_retrain(self, trigger: str, by: str, reason: str, search_seconds: int = 0) -> str:
        """The same in the background; the run's id. ConflictError while another runs."""
        self.keep_up_consensus(by)
        return self.retraining.start(Request(trigger, by, reason, search_seconds), self._basis())

    def _after_retrain(self, by: str) -> None:
        self.keep_up_novelty(by)  # where still no model decides

    def _basis(self) -> Basis:
        current = self.live.settings
        return Basis(current.files, current.policy, lambda: agreement.headline(self.ledger))

    def keep_up_novelty(self, by: str) -> str:
        """Where no model decides, learn anew what is usual once the record has doubled; a sentence about it."""
        settings = self.settings()
        text = settings.files["features.yaml"]
        found = novelty.keep_up(self.ledger, settings.features, text, by=by, at=self.clock())
        if found is None:
            return "What counts as unusual stays as it was."
        self.adopt()
        return f"What counts as unusual was learned from {found.rows:,} transactions."

    def keep_up_consensus(self, by: str) -> str:
        """Estimate anew what each reviewer's verdicts are worth in labels; a sentence about it."""
        return of_ledger.keep_up(self.ledger, self.settings().policy, by, self.clock())

    def start(self) -> None:
        """Take away what a process that died left, load what decides, and start deciding and the schedule."""
        leftovers.sweep(self)
        self.retraining.settle_interrupted()
        self.keep_up_novelty("system")
        _ = self.live, self.loop
        self.schedule.start()

    def close(self) -> None:
        """Finish what was accepted, end what can be begun again, close the ledger; the log says what is waited for.

        Decisions are finished, however long that takes. Jobs have a few seconds; then what they, and reports that
        somebody asked for, read is cut off. Harmless when done twice.
        """
        with ending.step("decisions that were accepted"):
            if self._loop is not None:
                self._loop.stop()
            if self._rebuilding is not None:
                self._rebuilding.join()
        ending.end_jobs(self)
        with ending.step("reports and walks of the chain"):
            self.ledger.cut_off()
            self.walks.stop()
            self.replays.stop()
            self.in_hand.stop()
        with ending.step("the ledger"):
            self._note_head()
            self.ledger.close(tidy=self._loop is None)  # a server is waited for

    def _note_head(self) -> None:
        """Note outside how far the chain came. Closing must not fail for it: the next start notes it."""
        try:
            seal_checks.note_head(self.ledger, self.clock())
        except SecondLookError:
            log.exception("the head of the chain could not be noted outside the workspace")
