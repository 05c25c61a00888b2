"""How does one retrain run go, from a snapshot to a promotion or a refusal with a sentence?"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from casework import children
from casework.failures import in_words
from casework.learning.labels import snapshot
from casework.learning.registry import models
from casework.learning.retraining import child, concluding, limits, progress, runs
from casework.learning.retraining.agreement import Agreement
from casework.learning.retraining.limits import Limits
from casework.learning.retraining.runs import CANCELLED, FAILED, RUNNING, Ending, Request
from casework.workspace import Workspace
from data.errors import ConflictError, DiskError, InputError, LedgerError
from data.events import EventDraft
from data.ledger import Ledger
from data.storage.disk import disk_errors
from engine.policy import Policy

log = logging.getLogger("secondlook.learning")
SHUT_DOWN = "The server stopped while this run was going on."
CUT_OFF = "The server stopped, or the disk took nothing, while this run was going on."


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run is made on: the approved files and their policy, and how to ask how well reviewers agree."""

    files: Mapping[str, bytes]
    policy: Policy
    agreement: Callable[[], Agreement] = Agreement


@dataclass(slots=True)
class _Run:
    """The run that is under way. `wanted_by` is who cancelled it, '' while nobody has."""

    run_id: str
    request: Request
    basis: Basis
    child: subprocess.Popen[bytes] | None = None
    wanted_by: str = ""
    closing: bool = False

    @property
    def stopped(self) -> bool:
        return self.closing or bool(self.wanted_by)


class Retraining:
    """Runs one retrain at a time, each in a thread that waits for a child process. `changing` holds decisions while a
    model comes into force; `after` is called with who asked once a run is on record."""

    def __init__(
        self,
        ledger: Ledger,
        workspace: Workspace,
        clock: Callable[[], datetime],
        changing: Callable[[], AbstractContextManager[None]],
        after: Callable[[str], None] = lambda by: None,
    ) -> None:
        self._ledger, self._workspace, self._clock = ledger, workspace, clock
        self._changing, self._after = changing, after
        self._lock = threading.Lock()
        self._now: _Run | None = None
        self._thread: threading.Thread | None = None

    def start(self, request: Request, basis: Basis) -> str:
        """Begin a run and return its id at once. ConflictError while another runs."""
        with self._lock:
            if self._now is not None:
                raise ConflictError(
                    "a retrain is running already", where=self._now.run_id, hint="Wait for it, or cancel it."
                )
            self._settle()
            run = _Run(runs.begin(self._ledger, request, self._clock()), request, basis)
            self._now = run
            self._thread = threading.Thread(target=self._whole, args=[run], name=f"retrain {run.run_id}")
            self._thread.start()
        return run.run_id

    def run(self, request: Request, basis: Basis) -> dict[str, Any]:
        """One whole run; its row of `retrains` when it has ended. ConflictError while another runs."""
        run_id = self.start(request, basis)
        self.wait()
        return runs.one(self._ledger, run_id)

    def wait(self) -> None:
        """Wait until no run is under way."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def cancel(self, run_id: str, *, by: str, reason: str) -> None:
        """End a run that is under way; it is recorded as cancelled once its child has ended. NotFoundError for an
        unknown run, ConflictError for one that has ended."""
        row = runs.one(self._ledger, run_id)
        run = self._now
        if row["result"] != RUNNING or run is None or run.run_id != run_id:
            raise ConflictError("this retrain has ended already", where=run_id)
        with self._ledger.writing() as w:
            subject = f"retrain:{run_id}"
            w.event(EventDraft(by, "retrain.cancelled", subject, {"reason": reason}), self._clock())
        run.wanted_by = by

    def stop(self) -> None:
        """End the run under way, if there is one, because the server goes; it is recorded as failed."""
        run = self._now
        if run is not None:
            run.closing = True
        self.wait()

    def progress(self, run_id: str) -> dict[str, Any]:
        """A run's row with how far it is: `stage`, `share` (0 to 1) and `seconds` so far."""
        row = runs.one(self._ledger, run_id)
        running = row["result"] == RUNNING
        seconds = ((row["finished_at"] or self._clock()) - row["started_at"]).total_seconds()
        told = progress.told(self._folder(run_id)) if running else {"stage": "ended", "share": 1.0}
        return {**row, "stage": told["stage"], "share": told["share"], "seconds": max(0.0, seconds)}

    def settle_interrupted(self) -> int:
        """Close the records of runs that a crash cut off; returns how many."""
        with self._lock:
            return 0 if self._now is not None else self._settle()

    def _settle(self) -> int:
        cut = runs.unfinished(self._ledger)
        for run_id in cut:
            with self._ledger.writing() as w:
                runs.finish(w, run_id, "system", Ending(FAILED, CUT_OFF, {}), self._clock())
            shutil.rmtree(self._folder(run_id) / child.MODELS, ignore_errors=True)
        return len(cut)

    def _whole(self, run: _Run) -> None:
        try:
            self._concluded(run, self._trained(run))
        except Exception as error:  # a run must end on record, whatever went wrong
            log.exception("the retrain %s failed", run.run_id)
            self._failed_or_left(run, f"{type(error).__name__}: {in_words(error)}")
        finally:
            shutil.rmtree(self._folder(run.run_id) / child.MODELS, ignore_errors=True)
            self._now = None
        if not run.closing:
            self._after(run.request.by)

    def _concluded(self, run: _Run, found: Mapping[str, Any]) -> None:
        if run.wanted_by:
            sentence = f"Cancelled by {run.wanted_by}; the champion stays."
            self._finish(run, Ending(CANCELLED, sentence, {}, run.wanted_by))
        elif run.closing:
            self._finish(run, Ending(FAILED, SHUT_DOWN, {}))
        elif "error" in found:
            self._failed(run, str(found["error"]).rstrip("."))
        else:
            self._decided(run, found)

    def _decided(self, run: _Run, found: Mapping[str, Any]) -> None:
        """Model and run come on record in one write; nothing is decided between that and the model's coming into
        force."""
        concluding.take_over(self._folder(run.run_id) / child.MODELS, self._workspace.models, found)
        asked = concluding.Asked(run.run_id, run.request, run.basis.policy, self._clock())
        with self._changing() if found["passed"] else nullcontext(), self._ledger.writing() as w:
            ending = concluding.conclude(w, asked, found)
            runs.finish(w, run.run_id, run.request.by, ending, asked.at)

    def _failed(self, run: _Run, why: str) -> None:
        self._finish(run, Ending(FAILED, f"No model was trained: {why}.", {}))

    def _failed_or_left(self, run: _Run, why: str) -> None:
        """A disk that takes no model takes no record either: such a run is closed by `settle_interrupted`."""
        try:
            self._failed(run, why)
        except LedgerError:
            log.exception("the retrain %s cannot be closed on record now", run.run_id)

    def _finish(self, run: _Run, ending: Ending) -> None:
        with self._ledger.writing() as w:
            runs.finish(w, run.run_id, run.request.by, ending, self._clock())

    def _trained(self, run: _Run) -> dict[str, Any]:
        """What the child found out, or an error in words."""
        at, policy, folder = self._clock(), run.basis.policy, self._folder(run.run_id)
        try:
            with disk_errors(Path(run.run_id)):  # which ends up on record, without this machine's folders
                taken = snapshot.take(
                    self._ledger,
                    self._workspace,
                    run.basis.files,
                    policy,
                    as_of=self._present(at, policy),
                    folder=folder,
                )
        except (InputError, DiskError) as error:
            return {"error": in_words(error)}
        agreement = run.basis.agreement()
        allowed = Limits(
            policy.retrain.max_seconds + run.request.search_seconds, policy.retrain.max_memory_mb
        )
        order = {
            "snapshot": str(taken.folder),
            "models": str(self._workspace.models),
            "champion": models.champion_id(self._ledger),
            "lineage": models.lineage(self._ledger),
            "before": self._labels_of_champion(),
            "at": at.isoformat(),
            "agreement": agreement.alpha.to_json() if agreement.alpha else None,
            "agreement_items": agreement.items,
            "search_seconds": run.request.search_seconds,
            "seconds": allowed.seconds,
            "memory_mb": allowed.memory_mb,
        }
        (folder / child.RUN).write_text(json.dumps(order))
        return self._in_child(run, folder, allowed)

    def _labels_of_champion(self) -> str:
        """The snapshot that the champion learned from, '' where it is gone."""
        champion = models.champion_id(self._ledger)
        name = models.one(self._ledger, champion)["record"].get("snapshot", "") if champion else ""
        folder = self._folder(name)
        return str(folder) if name and (folder / snapshot.MANIFEST).is_file() else ""

    def _present(self, at: datetime, policy: Policy) -> datetime:
        """The moment up to which the record goes: for history that ends in the past, when its last labels had matured
        rather than now, or no period would be left whose labels have matured and that has payments to be judged on."""
        newest = self._ledger.read("SELECT max(occurred_at) AS newest FROM transactions")[0]["newest"]
        if newest is None:
            return at
        return min(at, newest + policy.labels.maturity + timedelta(microseconds=1))

    def _in_child(self, run: _Run, folder: Path, allowed: Limits) -> dict[str, Any]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "casework.learning.retraining.child", str(folder)]
        run.child = children.start(command, environment, folder / "training.log", child.NICENESS)
        try:
            passed = limits.watch(run.child, allowed, lambda: run.stopped)
        finally:
            children.stop(run.child)
        if passed:
            return {"error": passed}
        result = folder / child.RESULT
        if not result.is_file():
            return {
                "error": f"the training process ended with code {run.child.returncode} before it had a result"
            }
        return dict(json.loads(result.read_text()))

    def _folder(self, run_id: str) -> Path:
        return self._workspace.snapshots / run_id
