"""How late are answers while a checkpoint, an export, a heavy query, a training child or an import goes on?

The longest wait is the column "max ms". Checkpoints come of themselves where the write-ahead log has 1 MB and nobody
has asked for a second, or where it has 16 MB: at a steady load always the latter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.institutions import history_file
from benchmarks.load_client import Measured, open_loop
from benchmarks.payments import body_of, fresh, request_of
from data.transactions import Transaction

IMPORTED = 100_000
_QUIET, _LONGEST = 5.0, 40.0
_CONNECTIONS = 8
_CHECKPOINTS = "secondlook_checkpoint_seconds"
_OF_THEMSELVES = 2


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is up: its workspace, port and token."""

    root: Path
    port: int
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> str:
        """The whole answer, or the status where it is a refusal."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1{path}",
            json.dumps(body).encode() if body is not None else None,
            {"authorization": f"Bearer {self.token}", "content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                answer.read()
        except urllib.error.HTTPError as refused:
            return f"status {refused.code}"
        return ""

    def checkpoints(self) -> tuple[int, float]:
        """How many checkpoints there have been since the server came up, and their seconds together."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            lines = [line.split() for line in answer.read().decode().splitlines()]
        found = {line[0]: float(line[1]) for line in lines if len(line) == 2}
        return int(found[f"{_CHECKPOINTS}_count"]), found[f"{_CHECKPOINTS}_sum"]


def table(up: Served, past: Sequence[Transaction], rate: float) -> None:
    """Decisions fall due at a steady rate; beside them one thing after the other is done."""
    columns = "".join(f"{name:>10}" for name in ("p50 ms", "p99 ms", "p99.9 ms", "max ms", "it took s"))
    print(f"\n{rate:4.0f} decisions a second, while ...  {columns}")
    with tempfile.TemporaryDirectory(prefix="stalls-") as folder:
        history = history_file(Path(folder), IMPORTED)
        for name, act in _acts(up, history):
            _row(name, *_meanwhile(up, past, rate, act))


def _acts(up: Served, history: Path) -> list[tuple[str, Callable[[], str]]]:
    def job(name: str) -> Callable[[], str]:
        return lambda: up.ask("POST", f"/jobs/{name}/run")

    return [
        ("... nothing else", lambda: str(time.sleep(_QUIET) or "")),
        ("... a checkpoint", job("checkpoint")),
        ("... checkpoints come of themselves", lambda: _checkpoints(up)),
        ("... the whole chain is verified", job("verify")),
        ("... rules are weighed over the past", lambda: up.ask("GET", "/rules/report")),
        ("... an export and a training child", job("retrain")),
        (f"... {IMPORTED:,} payments are imported", lambda: _import(up.root, history)),
    ]


def _checkpoints(up: Served) -> str:
    """Wait under the load for checkpoints that are taken because the write-ahead log has grown."""
    before, took = up.checkpoints()
    ends = time.perf_counter() + _LONGEST - 5
    while (now := up.checkpoints())[0] < before + _OF_THEMSELVES and time.perf_counter() < ends:
        time.sleep(0.5)
    return f"{now[0] - before} of them, {now[1] - took:.2f} s together"


def _import(root: Path, history: Path) -> str:
    command = [
        str(Path(sys.executable).with_name("secondlook")),
        "import",
        str(history),
        "--workspace",
        str(root),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return "" if done.returncode == 0 else f"exit code {done.returncode}"


def _meanwhile(
    up: Served, past: Sequence[Transaction], rate: float, act: Callable[[], str]
) -> tuple[Measured, float, str]:
    """The load from a second before the act until a second after it, how long it took, what it said."""
    ended, told = threading.Event(), [0.0, ""]

    def run() -> None:
        time.sleep(1)
        begun = time.perf_counter()
        told[1] = act()
        told[0] = time.perf_counter() - begun
        time.sleep(1)
        ended.set()

    made = fresh(past, int(rate * _LONGEST), f"stall-{time.time_ns()}")
    requests = [request_of("/v1/decisions", up.token, body_of(t)) for t in made]
    acting = threading.Thread(target=run)
    acting.start()
    measured = open_loop(up.port, requests, _CONNECTIONS, _LONGEST, rate, ended.is_set)
    acting.join()
    return measured, float(told[0]), str(told[1])


def _row(name: str, measured: Measured, took: float, told: str) -> None:
    figures = "".join(f"{measured.at(share):10.1f}" for share in (0.5, 0.99, 0.999, 1.0))
    odd = f"  ({measured.refused} not 200)" if measured.refused else ""
    print(f"{name:36}{figures}{took:10.1f}{odd}{'  ' + told if told else ''}", flush=True)
