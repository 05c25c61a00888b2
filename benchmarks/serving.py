"""How fast is a decision, over HTTP as a payment system asks for it, and inside the engine?

    python -m benchmarks.serving [WORKSPACE] [--seconds S] [--rate N] [--rules N] [--no-trials] [--only NAME]
        [--growth SIZE ...]

WORKSPACE (a demo workspace, for example) is copied, never used in place; without one the small institution of the
tests is made. Its rules are given again under other names until there are as many as asked for; `--no-trials` ends
what is on trial beside what decides. The load generator runs beside the server on the same machine. "CPU ms" is the
processor time of one decision, all of the server's threads together. The last table says how late answers are while
something else goes on. `--growth` adds made-up institutions with that much history, one connection each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks import stalls, workspaces
from benchmarks.load_client import Measured, closed_loop, open_loop
from benchmarks.machine import machine
from benchmarks.payments import body_of, fresh, request_of, templates
from benchmarks.serving_workspace import about, prepare
from benchmarks.stalls import Served
from casework.app import App
from casework.workspace import Workspace
from data.transactions import Transaction
from engine.costs import CapacityState

MOST = 120_000
BATCH = 500


def main() -> None:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        root = Path(folder) / "workspace"
        prepare(root, wanted.workspace, wanted.rules, trials_too=not wanted.no_trials)
        past = templates(root)
        print(f"{machine()}; {wanted.workspace or 'a small institution made for this'}, {about(root)}\n")
        print(
            f"{'':34}{'per s':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'CPU ms':>9}{'answers':>9}{'not 200':>9}"
            f"{'gen. %':>9}{'load':>8}"
        )
        if not wanted.only:
            _engine_rows(root, past)
        with _served(root) as (port, token, server):
            for name, run in _loads(port, token, past, wanted.seconds, wanted.rate):
                if wanted.only in name:
                    _measure(name, run, server)
            if wanted.only in "while":
                stalls.table(Served(root, port, token), past, wanted.rate / 4)
    for size in wanted.growth:
        _growth(size, wanted.seconds)


def _measure(name: str, run: Callable[[], Measured], server: psutil.Process) -> None:
    before, used = _processor(server), time.process_time()
    measured = run()
    measured.processor = _processor(server) - before
    _show(name, measured, BATCH if "batch" in name else 1, (time.process_time() - used) / measured.seconds)


def _growth(size: int, seconds: float) -> None:
    """One connection to an institution with that much history; the first decisions open what is laid down."""
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        root = Path(folder) / "workspace"
        workspaces.make_workspace(root, size)
        past = templates(root)
        with _served(root) as (port, token, server):
            name, run = next(_loads(port, token, past, seconds, 1))
            _measure(f"{name}, {size:,} before", run, server)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate", type=float, default=800.0, help="of the open loop, requests a second")
    parser.add_argument("--rules", type=int, default=50, help="how many rules there are at least")
    parser.add_argument("--no-trials", action="store_true", help="nothing on trial beside what decides")
    parser.add_argument("--only", default="", help="only the HTTP loads whose name has this in it")
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="payments of history")
    return parser.parse_args()


def _engine_rows(root: Path, past: Sequence[Transaction]) -> None:
    """Engine only (features, rules, model, triage, explanation), then with the durable write, in this process."""
    app = App.open(Workspace(root))
    try:
        engine = app.live.engine
        load = CapacityState(reviews_today=10**6)
        for size, count in ((1, 1000), (64, 9600)):
            seq = app.ledger.next_transaction_seq
            rows = [replace(t, seq=seq + n) for n, t in enumerate(fresh(past, count, f"engine{size}"))]
            timed = _timed(rows, size, partial(engine.decide, at=datetime.now(UTC), load=load))
            _show(f"engine only, batches of {size}", timed, size)
            app.forget()
            engine = app.live.engine
        for size, count in ((1, 1000), (64, 9600)):
            rows = list(fresh(past, count, f"durable{size}"))
            timed = _timed(rows, size, lambda part: app.decide(part, datetime.now(UTC)))
            _show(f"engine and ledger, batches of {size}", timed, size)
    finally:
        app.close()


def _timed(
    rows: Sequence[Transaction], size: int, decide: Callable[[Sequence[Transaction]], Any]
) -> Measured:
    measured = Measured()
    decide(rows[:size])  # what is loaded by the first call is not part of any
    begun, used = time.perf_counter(), time.process_time()
    for start in range(size, len(rows), size):
        before = time.perf_counter()
        decide(rows[start : start + size])
        measured.took.append(time.perf_counter() - before)
    measured.seconds = time.perf_counter() - begun
    measured.processor = time.process_time() - used
    return measured


@contextmanager
def _served(root: Path) -> Iterator[tuple[int, str, psutil.Process]]:
    """The server in a process of its own: its port, the local token and the process."""
    command = [str(Path(sys.executable).with_name("secondlook")), "serve", "--workspace", str(root)]
    command += ["--no-console", "--port", "0", "--json"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        said = b""
        assert server.stdout is not None
        while b"}" not in said and (line := server.stdout.readline()):
            said += line
        port = int(json.loads(said)["url"].rsplit(":", 1)[1])
        yield port, (root / "server.token").read_text().strip(), psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)


def _processor(process: psutil.Process) -> float:
    """Seconds of processor time: unlike the clock, hardly moved by whatever else the machine does."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _loads(
    port: int, token: str, past: Sequence[Transaction], seconds: float, rate: float
) -> Iterator[tuple[str, Callable[[], Measured]]]:
    def single(name: str, count: int = MOST) -> list[bytes]:
        count = min(count, MOST)
        return [request_of("/v1/decisions", token, body_of(t)) for t in fresh(past, count, name)]

    closed_loop(port, single("warm", 300), 4, 5)
    alone = single("alone", int(seconds * 1500))
    yield "HTTP, 1 connection", lambda: closed_loop(port, alone, 1, seconds)
    if rate == 1:
        return
    many = single("many", int(seconds * 5000))
    yield "HTTP, 64 connections", lambda: closed_loop(port, many, 64, seconds)
    due = single("due", int(seconds * rate))
    yield f"HTTP, {rate:.0f}/s whatever happens", lambda: open_loop(port, due, 64, seconds, rate)
    groups = list(fresh(past, min(MOST, int(seconds * 20_000)), "batch"))
    parts = [groups[i : i + BATCH] for i in range(0, len(groups), BATCH)]
    batches = [
        request_of("/v1/decisions/batch", token, {"transactions": [body_of(t) for t in p]}) for p in parts
    ]
    yield f"HTTP, batches of {BATCH}, 2 connections", lambda: closed_loop(port, batches, 2, seconds)


def _show(name: str, measured: Measured, size: int, generator: float | None = None) -> None:
    """One row. `generator` is the share of a core that the load generator took."""
    figures = "".join(f"{measured.at(share):9.1f}" for share in (0.5, 0.99, 1.0))
    used = 1000 * measured.processor / max(1, len(measured.took) * size)
    counts = f"{len(measured.took):9}{measured.refused:9}"
    late = f"  ({measured.unanswered} unanswered)" if measured.unanswered else ""
    beside = "" if generator is None else f"{100 * generator:9.0f}{os.getloadavg()[0]:8.1f}"
    print(f"{name:34}{measured.rate * size:8.0f}{figures}{used:9.2f}{counts}{beside}{late}", flush=True)


if __name__ == "__main__":
    main()
