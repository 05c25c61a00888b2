"""What does a checkpoint cost after so many decisions, tidy or not, and how much memory?

python -m benchmarks.checkpoints [DECISIONS ...]

Each row decides that many payments in process, waits until DuckDB has them, and makes one checkpoint: processor time of
the whole process, DuckDB's threads included, and by the clock. Tidy and not tidy live in processes of their own and see
the same payments; the peak is what such a process ever held, its decisions included.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.payments import fresh, templates
from benchmarks.workspaces import make_workspace
from casework.app import App
from casework.workspace import Workspace
from data.transactions import Transaction

DECISIONS = (300, 1_000, 3_000, 10_000)
HISTORY, GROUP = 5_000, 250
Row = tuple[int, float, float, float, float]


def main(sizes: Sequence[int]) -> None:
    print(machine(), flush=True)
    print(f"{'decisions':>9}  {'tidy':4}  {'log MB':>7}  {'processor s':>11}  {'clock s':>7}  {'peak MB':>7}")
    for tidy in (True, False):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            for count, log, spent, took, peak in process.submit(_own_process, sizes, tidy).result():
                answer = "yes" if tidy else "no"
                print(
                    f"{count:9,}  {answer:4}  {log:7.1f}  {spent:11.2f}  {took:7.2f}  {peak:7.0f}", flush=True
                )


def _own_process(sizes: Sequence[int], tidy: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as folder:
        root = Path(folder) / "bank"
        make_workspace(root, HISTORY)
        return list(measured(root, templates(root), sizes, tidy=tidy))


def measured(root: Path, past: Sequence[Transaction], sizes: Sequence[int], *, tidy: bool) -> Iterator[Row]:
    """For each size in turn: decisions, megabytes of the write-ahead log, seconds of processor time and by the clock
    that its checkpoint took, and megabytes that the process has held at most."""
    app = App.open(Workspace(root))
    try:
        for turn, count in enumerate(sizes):
            payments = list(fresh(past, count, f"c{turn}"))
            for start in range(0, count, GROUP):
                app.decide(payments[start : start + GROUP], datetime.now(UTC))
            app.ledger.settle()
            log, spent, began = app.ledger.wal_bytes / 1e6, time.process_time(), time.perf_counter()
            app.ledger.checkpoint(tidy=tidy)
            spent, took = time.process_time() - spent, time.perf_counter() - began
            yield count, log, spent, took, _peak()
    finally:
        app.close()


def _peak() -> float:
    """Megabytes; Linux counts in KB, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or DECISIONS)
