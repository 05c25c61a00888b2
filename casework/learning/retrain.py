"""How does one retrain run go, from a snapshot to a promotion or a refusal with a sentence?"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from casework import children
from casework.learning import child, gates, models, snapshot
from casework.workspace import Workspace
from data.errors import ConflictError, InputError
from data.events import EventDraft
from data.ledger import Ledger
from engine.intervals import Interval
from engine.policy import Policy

RUNNING, PROMOTED, REFUSED, WAITING, FAILED = "running", "promoted", "refused", "waits_for_sign_off", "failed"


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants a retrain and why. `trigger` is schedule, labels, drift or person; `search_seconds` how long to search
    for better settings first (0: train with the policy's)."""

    trigger: str
    by: str
    reason: str = ""
    search_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """The headline alpha among reviewers, None while there are too few double reviews."""

    alpha: Interval | None = None
    items: int = 0


class Retraining:
    """Runs one retrain at a time in a child process. `reload` is called after a promotion."""

    def __init__(
        self,
        ledger: Ledger,
        workspace: Workspace,
        clock: Callable[[], datetime],
        reload: Callable[[], None],
    ) -> None:
        self._ledger, self._workspace, self._clock, self._reload = ledger, workspace, clock, reload
        self._running = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def run(
        self, request: Request, files: Mapping[str, bytes], policy: Policy, agreement: Agreement
    ) -> dict[str, Any]:
        """One whole run; returns its row of `retrains`. ConflictError while another runs."""
        if not self._running.acquire(blocking=False):
            raise ConflictError("a retrain is running already", hint="Wait until it has finished.")
        try:
            run_id = self._begin(request)
            return self._conclude(
                run_id, request, policy, self._train(run_id, request, files, policy, agreement)
            )
        finally:
            self._child = None
            self._running.release()

    def cancel(self) -> None:
        """End the child, if one is training; the run is recorded as failed."""
        running = self._child
        if running is not None:
            children.stop(running)

    def settle_interrupted(self) -> int:
        """Close the records of runs that a crash cut off; returns how many."""
        cut = self._ledger.read("SELECT run_id FROM retrains WHERE result = ?", [RUNNING])
        for row in cut:
            self._finish(
                row["run_id"], "system", FAILED, "The server stopped while this run was going on.", {}
            )
        return len(cut)

    def _begin(self, request: Request) -> str:
        run_id, at = "run_" + secrets.token_hex(6), self._clock()
        row = {
            "run_id": run_id,
            "trigger": request.trigger,
            "requested_by": request.by,
            "started_at": at,
            "finished_at": None,
            "result": RUNNING,
            "sentence": "",
            "champion_id": models.champion_id(self._ledger),
            "challenger_id": "",
            "gates": "[]",
        }
        with self._ledger.writing() as w:
            w.insert("retrains", [row])
            w.event(
                EventDraft(
                    request.by,
                    "retrain.started",
                    f"retrain:{run_id}",
                    {**row, "reason": request.reason, "search_seconds": request.search_seconds},
                ),
                at,
            )
        return run_id

    def _train(
        self,
        run_id: str,
        request: Request,
        files: Mapping[str, bytes],
        policy: Policy,
        agreement: Agreement,
    ) -> dict[str, Any]:
        at = self._clock()
        folder = self._workspace.snapshots / run_id
        try:
            taken = snapshot.take(
                self._ledger, self._workspace, files, policy, as_of=self._present(at, policy), folder=folder
            )
            order = {
                "snapshot": str(taken.folder),
                "models": str(self._workspace.models),
                "champion": models.champion_id(self._ledger),
                "at": at.isoformat(),
                "agreement": agreement.alpha.to_json() if agreement.alpha else None,
                "agreement_items": agreement.items,
                "search_seconds": request.search_seconds,
            }
            (folder / child.RUN).write_text(json.dumps(order))
            return self._in_child(folder, policy.retrain.max_seconds + request.search_seconds)
        except InputError as error:
            return {"error": str(error)}

    def _present(self, at: datetime, policy: Policy) -> datetime:
        """The moment up to which the record goes: for history that ends in the past, when its last labels had matured
        rather than now, or no period would be left whose labels have matured and that has payments to be judged on."""
        newest = self._ledger.read("SELECT max(occurred_at) AS newest FROM transactions")[0]["newest"]
        if newest is None:
            return at
        return min(at, newest + policy.labels.maturity + timedelta(microseconds=1))

    def _in_child(self, folder: Path, seconds: int) -> dict[str, Any]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "casework.learning.child", str(folder)]
        self._child = children.start(command, environment, folder / "training.log", child.NICENESS)
        try:
            code = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            children.stop(self._child)
            return {"error": f"training took longer than the {seconds} s that were allowed, and was stopped"}
        result = folder / child.RESULT
        if not result.is_file():
            return {"error": f"the training process ended with code {code} before it had a result"}
        return dict(json.loads(result.read_text()))

    def _conclude(
        self, run_id: str, request: Request, policy: Policy, result: Mapping[str, Any]
    ) -> dict[str, Any]:
        if "error" in result:
            return self._finish(
                run_id, request.by, FAILED, f"No model was trained: {result['error']}.", result
            )
        at = self._clock()
        sentence = gates.verdict_sentence([gates.Gate(**g) for g in result["gates"]])
        model_id = result["model_id"]
        automatic = policy.retrain.promote == "automatic"
        with self._ledger.writing() as w:
            if model_id == models.champion_id(w):
                outcome, sentence = REFUSED, "Refused: the same model as the champion came out, bit for bit."
            else:
                models.register(w, result, requested_by=request.by, at=at)
                if not result["passed"]:
                    outcome = REFUSED
                    models.refuse(w, model_id, by="gates", reason=sentence, at=at)
                elif automatic or not models.champion_id(w):
                    outcome = PROMOTED
                    models.promote(w, model_id, by="gates", reason=sentence, at=at)
                else:
                    outcome = WAITING
        if outcome == PROMOTED:
            self._reload()
        return self._finish(run_id, request.by, outcome, sentence, result)

    def _finish(
        self, run_id: str, by: str, outcome: str, sentence: str, result: Mapping[str, Any]
    ) -> dict[str, Any]:
        at, answers = self._clock(), json.dumps(result.get("gates", []))
        challenger = str(result.get("model_id", ""))
        with self._ledger.writing() as w:
            w.execute(
                "UPDATE retrains SET finished_at = ?, result = ?, sentence = ?, challenger_id = ?, gates = ? "
                "WHERE run_id = ?",
                [at, outcome, sentence, challenger, answers, run_id],
            )
            payload = {
                "run_id": run_id,
                "result": outcome,
                "sentence": sentence,
                "challenger_id": challenger,
                "gates": result.get("gates", []),
            }
            w.event(EventDraft(by, "retrain.finished", f"retrain:{run_id}", payload), at)
        return one(self._ledger, run_id)


def table(ledger: Ledger, limit: int = 50) -> list[dict[str, Any]]:
    """The latest runs, newest first, gates parsed."""
    rows = ledger.read("SELECT * FROM retrains ORDER BY started_at DESC LIMIT ?", [limit])
    return [{**row, "gates": json.loads(row["gates"])} for row in rows]


def one(ledger: Ledger, run_id: str) -> dict[str, Any]:
    """One run's row of `table`."""
    row = ledger.read("SELECT * FROM retrains WHERE run_id = ?", [run_id])[0]
    return {**row, "gates": json.loads(row["gates"])}
