"""How does the whole thing grow: start, memory, file, durable decisions and checkpoint, by payments in the ledger?

    python -m benchmarks.start [SIZE ...]

A workspace of each size is made (see benchmarks.workspaces), opened in a process of its own as the server opens it,
decides 400 payments one at a time with their durable write, and takes a checkpoint. No model, no HTTP.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import workspaces
from benchmarks.growth import resident
from benchmarks.machine import machine
from casework.app import App
from casework.workspace import Workspace
from data import reading

SIZES = (100_000, 1_000_000)
DECIDED = 400


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(lived(given.child)))
        return
    print(machine(), flush=True)
    print(
        "\n| in the ledger | made in s | MB on disk | opened in s (CPU) | resident MB | durable decision p50 ms (CPU) "
        "| checkpoint s |\n|---|---|---|---|---|---|---|"
    )
    for size in given.sizes:
        with tempfile.TemporaryDirectory(prefix="start-") as folder:
            show(size, *measured(Path(folder) / "workspace", size))


def measured(root: Path, size: int) -> tuple[float, dict[str, Any]]:
    """Seconds to make the workspace, and what its process found."""
    begun = time.perf_counter()
    workspaces.make_workspace(root, size)
    made = time.perf_counter() - begun
    command = [sys.executable, "-m", "benchmarks.start", "--child", str(root)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return made, json.loads(told)


def lived(root: Path) -> dict[str, Any]:
    """The child: opens the workspace, decides, checkpoints."""
    before = resident()
    wall, cpu = time.perf_counter(), time.process_time()
    app = App.open(Workspace(root))
    decides = (
        app.live.set_id
    )  # what decides is put together when it is first asked for, the memory of the past with it
    found: dict[str, Any] = {
        "set_id": decides,
        "open": time.perf_counter() - wall,
        "open_cpu": time.process_time() - cpu,
    }
    try:
        found["resident"] = resident() - before
        found["file"] = sum(path.stat().st_size for path in root.glob("secondlook.duckdb*"))
        found |= decided(app)
        wall = time.perf_counter()
        app.ledger.checkpoint()
        return {**found, "checkpoint": time.perf_counter() - wall}
    finally:
        app.close()


def decided(app: App) -> dict[str, float]:
    """Medians of durable decisions one at a time, milliseconds by the clock and of the processor."""
    last = app.ledger.next_transaction_seq - 1
    latest = list(reading.transactions(app.ledger, first_seq=last - DECIDED + 1, last_seq=last))
    took, used, start = [], [], datetime.now(UTC)
    for number, payment in enumerate(latest):
        at = start + timedelta(milliseconds=number)
        asked = replace(payment, seq=0, transaction_id=f"next-{number}", occurred_at=at, personal={})
        wall, cpu = time.perf_counter(), time.process_time()
        app.decide([asked], at)
        took.append(time.perf_counter() - wall)
        used.append(time.process_time() - cpu)
    return {"decision": statistics.median(took) * 1000, "decision_cpu": statistics.median(used) * 1000}


def show(size: int, made: float, found: dict[str, Any]) -> None:
    print(
        f"| {size:,} | {made:.0f} | {found['file'] / 1e6:,.0f} | {found['open']:.1f} ({found['open_cpu']:.1f}) "
        f"| {found['resident'] / 1e6:,.0f} | {found['decision']:.2f} ({found['decision_cpu']:.2f}) "
        f"| {found['checkpoint']:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
