"""What does each part of serving a decision cost in processor time, when it is asked for over HTTP?

    python -m benchmarks.serving_parts [WORKSPACE] [--rules N] [--rounds N] [--only NAME]

The real server runs in this process and the load generator in another. The work of every round is the same and the
clock plays no part in it, so the figures of a busy machine compare well: microseconds of processor time a decision, of
the thread that did the part. Rounds with and without the timers take turns: the timers cost something themselves,
which the last lines show. WORKSPACE is copied, as in `benchmarks.serving`.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import engine.decide
from benchmarks.load_client import closed_loop
from benchmarks.machine import machine
from benchmarks.payments import body_of, fresh, request_of, templates
from benchmarks.serving_workspace import about, prepare
from casework.cases.open_cases import OpenCases
from casework.cases.past import PastPayments
from casework.deciding import decider
from casework.deciding.intake import Intake
from casework.http import lane
from casework.safety.guard import Guard
from casework.serving.schedule import Schedule
from casework.serving.server import Addresses, Serving, serve_workspace
from casework.workspace import Workspace
from data.ledger import Ledger
from data.storage.appending import Tables
from data.storage.backlog import Backlog
from data.transactions import Transaction
from data.writer import Writer
from engine.features.online import OnlineState
from engine.model.novelty import Novelty
from engine.model.scoring import Model
from engine.rules.rule_set import RuleSet

BATCH = 500
LONGEST = 60.0
PARTS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("requests read: bytes, JSON, payments", lane.DecisionLane, ("data_received",)),
    ("features", OnlineState, ("features", "add")),
    ("rules", RuleSet, ("evaluate",)),
    ("trees and their inputs", Model, ("ask",)),
    ("novelty", Novelty, ("of_rows",)),
    ("triage", engine.decide, ("triage",)),
    ("SHAP values", Model, ("explain",)),
    ("shadows", Guard, ("_beside",)),
    ("the rest of deciding", Guard, ("decide",)),
    ("decision as JSON", decider, ("canonical_json",)),
    ("decision as data, rows", decider.Decider, ("_write",)),
    ("payments' digests and rows", Writer, ("insert_transactions",)),
    ("events: chain and seals", Writer, ("events", "event")),
    ("breaker, trials, effects", Guard, ("record",)),
    ("the past of a case", PastPayments, ("before",)),
    ("cases and tasks opened, alerts joined", Intake, ("open",)),
    ("alerts: open cases looked for", OpenCases, ("read", "prepare")),
    ("writes to DuckDB beside decisions", Writer, ("read", "execute", "flush")),
    ("rows checked for their columns", Tables, ("fitting",)),
    ("journal: written and forced to disk", Backlog, ("add",)),
    ("DuckDB given what was recorded", Ledger, ("settle",)),
    ("checkpoints", Ledger, ("checkpoint",)),
    ("jobs beside", Schedule, ("_record",)),
    ("the rest of a write", decider.Decider, ("_commit",)),
    ("answers sent", lane.DecisionLane, ("_answer",)),
)


class Timers:
    """Processor time of each thread's innermost named call."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._here = threading.local()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Time the calls for the length of the block."""
        before = [(owner, name, getattr(owner, name)) for _, owner, names in PARTS for name in names]
        for part, owner, names in PARTS:
            for name in names:
                setattr(owner, name, self._timed(part, getattr(owner, name)))
        try:
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        here, spent, clock = self._here, self.spent, time.thread_time_ns

        @functools.wraps(function)
        def timed(*args: Any, **named: Any) -> Any:
            now = clock()
            outer = here.__dict__.setdefault("outer", [])
            if outer:
                spent[outer[-1]] += now - here.since
            outer.append(part)
            here.since = now
            try:
                return function(*args, **named)
            finally:
                now = clock()
                spent[part] += now - here.since
                outer.pop()
                here.since = now

        return timed


class Rounds:
    """The loads, each asked for several times, with and without timers in turn."""

    def __init__(
        self, root: Path, past: Sequence[Transaction], rounds: int, only: str, sender: Executor
    ) -> None:
        self._root, self._past, self._rounds, self._only = root, past, rounds, only
        self._sender = sender
        self.plain: dict[str, list[float]] = {}
        self.timed: dict[str, list[float]] = {}
        self.spent: dict[str, Counter[str]] = {}
        self.failed: Exception | None = None

    def run(self, up: Serving) -> None:
        """Ask the server in this process, then have it stop."""
        try:
            self._ask(int(up.url.rsplit(":", 1)[1]))
        except Exception as problem:
            self.failed = problem
            raise
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def _ask(self, port: int) -> None:
        token = (self._root / "server.token").read_text().strip()
        for number in range(2 * self._rounds + 1):
            for name, connections, requests in self._loads(token, number):
                timers, used = Timers(), time.process_time()
                with timers.on() if number % 2 else nullcontext():
                    sent = self._sender.submit(closed_loop, port, requests, connections, LONGEST)
                    done = sent.result()
                used = time.process_time() - used
                if number:  # the first opens what is laid down
                    self._note(name, len(done.took), done.refused, used, timers if number % 2 else None)

    def _loads(self, token: str, number: int) -> Iterator[tuple[str, int, list[bytes]]]:
        def single(name: str, count: int) -> list[bytes]:
            made = fresh(self._past, count, f"{name}-{number}-{time.time_ns()}")
            return [request_of("/v1/decisions", token, body_of(t)) for t in made]

        if self._only in "1 connection":
            yield "1 connection", 1, single("alone", 400)
        if self._only in "64 connections":
            yield "64 connections", 64, single("many", 2000)
        if self._only in f"batches of {BATCH}":
            made = list(fresh(self._past, 6 * BATCH, f"batch-{number}-{time.time_ns()}"))
            parts = [made[i : i + BATCH] for i in range(0, len(made), BATCH)]
            bodies = [{"transactions": [body_of(t) for t in part]} for part in parts]
            yield f"batches of {BATCH}", 2, [request_of("/v1/decisions/batch", token, b) for b in bodies]

    def _note(self, name: str, answers: int, refused: int, used: float, timers: Timers | None) -> None:
        if refused:
            raise SystemExit(f"{refused} of {answers} requests were refused")
        decisions = answers * (BATCH if "batch" in name else 1)
        (self.timed if timers else self.plain).setdefault(name, []).append(1e6 * used / decisions)
        if timers:
            each = Counter({part: spent / 1e3 / decisions for part, spent in timers.spent.items()})
            self.spent.setdefault(name, Counter()).update(each)

    def table(self) -> None:
        """Microseconds of processor time a decision, and shares of all that was timed."""
        names = list(self.timed)
        print(f"{'processor time a decision, µs':42}" + "".join(f"{name:>24}" for name in names))
        for part, _, _ in PARTS:
            self._line(part, [self.spent[name][part] / self._rounds for name in names], names)
        known = [sum(self.spent[name].values()) / self._rounds for name in names]
        alls = [statistics.mean(self.timed[name]) for name in names]
        rest = [whole - part for whole, part in zip(alls, known, strict=True)]
        self._line("all else, DuckDB's own threads included", rest, names)
        self._line("together, with timers", alls, names)
        self._line("together, without timers", [statistics.mean(self.plain[name]) for name in names], names)

    def _line(self, part: str, figures: Sequence[float], names: Sequence[str]) -> None:
        wholes = [statistics.mean(self.timed[name]) for name in names]
        told = (f"{us:15.1f}{100 * us / whole:7.1f} %" for us, whole in zip(figures, wholes, strict=True))
        print(f"{part:42}" + "".join(told), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", nargs="?", type=Path)
    parser.add_argument("--rules", type=int, default=50, help="how many rules there are at least")
    parser.add_argument("--rounds", type=int, default=2, help="of each kind, with and without timers")
    parser.add_argument("--only", default="", help="only the loads whose name has this in it")
    wanted = parser.parse_args()
    # Made while there is one thread: it only sends bytes, and has no part in what is measured.
    sender = ProcessPoolExecutor(1, multiprocessing.get_context("fork"))
    sender.submit(os.getpid).result()
    with sender, tempfile.TemporaryDirectory(prefix="parts-") as folder:
        root = Path(folder) / "workspace"
        prepare(root, wanted.workspace, wanted.rules)
        rounds = Rounds(root, templates(root), wanted.rounds, wanted.only, sender)
        print(f"{machine()}; {wanted.workspace or 'a small institution made for this'}, {about(root)}\n")
        asking: list[threading.Thread] = []

        def ready(up: Serving) -> None:
            asking.append(threading.Thread(target=rounds.run, args=(up,)))
            asking[0].start()

        try:
            serve_workspace(Workspace(root).opened(), Addresses(0, None), ready)
        finally:
            for thread in asking:
                thread.join()
        if rounds.failed is None:
            rounds.table()


if __name__ == "__main__":
    main()
