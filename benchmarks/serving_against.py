"""What does a decision cost in processor time by the code of another day, and by this one, taking turns?

    git worktree add ../before COMMIT
    python -m benchmarks.serving_against WORKSPACE ../before [--group N] [--rounds N] [--rules N]

WORKSPACE is copied for each of the two, as in `benchmarks.serving`. Both decide the same payments in process, read
from their JSON as in a request, in groups of N, 1,024 in a turn. "thread" is the processor time of the thread that
decides, "process" that of all, once DuckDB has what was recorded. The ratio is the median over pairs of turns: on a
busy machine it says more than the figures themselves.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TURN = 1024
Times = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("before", type=Path, help="a checkout of the code to compare with")
    parser.add_argument("--group", type=int, default=48, help="payments decided together")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rules", type=int, default=50, help="how many rules there are at least")
    wanted = parser.parse_args()
    from benchmarks.machine import machine
    from benchmarks.serving_workspace import about, prepare

    codes = {"before": wanted.before.resolve(), "now": Path(__file__).resolve().parents[1]}
    with tempfile.TemporaryDirectory(prefix="against-") as folder:
        for name in codes:
            prepare(Path(folder) / name, wanted.workspace, wanted.rules)
        print(f"{machine()}; {wanted.workspace}, {about(Path(folder) / 'now')}, groups of {wanted.group}\n")
        sides = {name: _started(code, Path(folder) / name, wanted.group) for name, code in codes.items()}
        found = _turns(sides, wanted.rounds)
    _table(found)


def _started(code: Path, root: Path, group: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(code), "SECONDLOOK_KEYS": f"{root}-keys"}
    command = [sys.executable, str(Path(__file__).resolve()), str(root), str(group)]
    side = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=root
    )
    _said(side)
    return side


def _said(side: subprocess.Popen[str]) -> str:
    assert side.stdout is not None
    line = side.stdout.readline()
    if not line:
        raise SystemExit("a side ended early; what it said stands above")
    return line


def _turns(sides: dict[str, subprocess.Popen[str]], rounds: int) -> dict[str, list[Times]]:
    found: dict[str, list[Times]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            told = sides[name].stdin
            assert told is not None
            print("go", file=told, flush=True)
            thread, process = map(float, _said(sides[name]).split())
            found[name].append((thread, process))
    for side in sides.values():
        side.communicate("end\n")
    return found


def _table(found: dict[str, list[Times]]) -> None:
    print(f"{'µs of processor time a decision':34}{'thread':>9}{'best':>9}{'process':>9}{'best':>9}")
    for name, times in found.items():
        thread, process = zip(*times, strict=True)
        figures = (statistics.median(thread), min(thread), statistics.median(process), min(process))
        print(f"{name:34}" + "".join(f"{figure:9.0f}" for figure in figures))
    pairs = list(zip(found["before"], found["now"], strict=True))
    ratios = (statistics.median(now[place] / before[place] for before, now in pairs) for place in (0, 1))
    print(f"{'now against before':34}" + "".join(f"{ratio:9.2f}{'':9}" for ratio in ratios))


def _decide_in_turns(root: Path, group: int) -> None:
    """One side: decides a turn's payments whenever it is told to, by whichever code it finds."""
    from benchmarks.payments import body_of, fresh, templates
    from casework.app import App
    from casework.workspace import Workspace

    payments = fresh(templates(root), 10**6, "against")
    app = App.open(Workspace(root))
    try:
        _timed(app, [json.dumps(body_of(next(payments))).encode() for _ in range(TURN)], group)
        gc.collect()
        gc.freeze()  # as a server does
        print("ready", flush=True)
        for _ in iter(sys.stdin.readline, "end\n"):
            bodies = [json.dumps(body_of(next(payments))).encode() for _ in range(TURN)]
            print(*_timed(app, bodies, group), flush=True)
    finally:
        app.close()


def _timed(app: Any, bodies: Sequence[bytes], group: int) -> Times:
    """Processor time of this thread and of all, microseconds a payment."""
    from casework.http import json_bodies
    from casework.http.plain import reader

    plain, process, thread = reader(app.mapping), time.process_time(), time.thread_time()
    for start in range(0, len(bodies), group):
        now = datetime.now(UTC)
        sent = [json_bodies.parsed(body) for body in bodies[start : start + group]]
        app.decide([plain(each, now) for each in sent], now)
    thread = time.thread_time() - thread
    app.ledger.settle()
    return 1e6 * thread / len(bodies), 1e6 * (time.process_time() - process) / len(bodies)


if __name__ == "__main__":
    if sys.argv[-1].isdigit() and len(sys.argv) == 3:
        _decide_in_turns(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
