"""Does a decision cost the same with ten million payments of history, how long does a start take, and how much memory?

    python -m benchmarks.growth [SIZE ...] [--plot docs/growth.png]

Made-up institutions of 100 thousand, 1 million and 10 million payments (40 a customer, 400 a merchant, 150 days; the
demo's 41 features, rules and policy, 200 trees). Each lives in a process of its own and they take turns deciding the
next payments, so that whatever else the machine does meets all of them alike. No HTTP and no ledger: see
`benchmarks.serving` for those.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa

from benchmarks import engines, institutions
from benchmarks.machine import machine
from engine.costs import CapacityState
from engine.features.online import OnlineState
from engine.model import registry

SIZES = (100_000, 1_000_000, 10_000_000)
ROUNDS, TURN = 15, 200
LOAD = CapacityState(reviews_today=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--plot", type=Path, help="draw the growth curve into this file")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        lives(Path(given.child[0]), Path(given.child[1]))
        return
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        found = measured(Path(folder), given.sizes)
    show(found)
    if given.plot:
        from benchmarks.growth_plot import draw

        draw(found, given.plot)
        print(f"\ndrawn: {given.plot}")


def measured(folder: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """One dict per size: what its process says of its start, and its decisions' times."""
    model = _model(folder)
    children = [_started(folder / str(size), size, model) for size in sizes]
    try:
        found = [_hears(child) for child in children]
        for turn in range(ROUNDS):
            for one, child in zip(found, children, strict=True):
                told = _asks(child)
                if turn:  # the first turn opens caches
                    for key, value in told.items():
                        one.setdefault(key, []).append(value)
        return found
    finally:
        for child in children:
            child.terminate()
            child.wait()


def _model(folder: Path) -> Path:
    connection = institutions.ledger_like(min(SIZES))
    with closing(connection):
        trained = engines.trained_model(connection)
    stored = registry.save(folder / "models", trained, created_at=institutions.END)
    return folder / "models" / stored.model_id


def _started(folder: Path, size: int, model: Path) -> subprocess.Popen[str]:
    folder.mkdir()
    institutions.write_history(folder, size)
    command = [sys.executable, "-m", "benchmarks.growth", "--child", str(folder), str(model)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _hears(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise SystemExit("a process with an institution ended; its error is above")
    return json.loads(line)


def _asks(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    return _hears(child)


def lives(folder: Path, model: Path) -> None:
    """The child: loads its history, says how that went, then decides a turn of payments for every line it hears."""
    table, outcomes = _tables(folder)
    loaded = table.slice(0, len(table) - ROUNDS * TURN)
    upcoming = list(engines.transactions(table.slice(len(loaded)).to_pylist()))
    loaded = loaded.drop_columns(["transaction_id"])
    del table
    before = resident()
    wall, cpu = time.perf_counter(), time.process_time()
    state = OnlineState(institutions.demo_features())
    state.bulk_load(loaded, outcomes)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size, rows = len(loaded), state.rows
    told = {
        "rows": rows,
        "start_s": wall,
        "start_cpu_s": cpu,
        "state_bytes": resident() - before,
        "size": size,
    }
    del loaded, outcomes
    gc.collect()
    told["resident_bytes"] = resident()
    engine = engines.engine(state, registry.load(model))
    _says(told)
    for turn, _ in enumerate(sys.stdin):
        _says(_turn(engine, upcoming[turn * TURN : (turn + 1) * TURN]))


def _turn(engine: Any, payments: list[Any]) -> dict[str, float]:
    """Medians of one turn in microseconds: features and memory alone, and whole decisions."""
    state, took, used, features = engine.state, [], [], []
    for payment in payments:
        begun = time.perf_counter()
        state.features(payment)
        features.append(time.perf_counter() - begun)
    for payment in payments:
        begun, before = time.perf_counter(), time.process_time()
        engine.decide([payment], at=payment.occurred_at + timedelta(seconds=1), load=LOAD)
        took.append(time.perf_counter() - begun)
        used.append(time.process_time() - before)
    middle = lambda values: statistics.median(values) * 1e6  # noqa: E731
    return {"features_us": middle(features), "decision_us": middle(took), "decision_cpu_us": middle(used)}


def _tables(folder: Path) -> tuple[pa.Table, pa.Table]:
    """What the ledger would hand over at start: the columns that features read, by seq."""
    with closing(duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder)})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        names = [*engines.MAPPING.entities, *engines.MAPPING.attributes]
        columns = ", ".join(["seq", "transaction_id", "occurred_at", "amount_minor", *names])
        ledger = institutions.LEDGER_LIKE.format(folder=folder)
        connection.execute(f"CREATE TABLE transactions AS SELECT {columns} FROM ({ledger}) ORDER BY seq")
        outcomes = connection.sql(institutions.OUTCOMES.format(folder=folder)).to_arrow_table()
        return connection.sql("FROM transactions ORDER BY seq").to_arrow_table(), outcomes


def resident() -> int:
    """Resident bytes, once what was freed has been given back."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    name = ctypes.util.find_library("c")
    trim = getattr(ctypes.CDLL(name), "malloc_trim", None) if name else None
    if trim is not None:
        trim(0)
    return psutil.Process().memory_info().rss


def _says(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


def show(found: list[dict[str, Any]]) -> None:
    """The two tables; decisions as medians over turns, and each turn against the smallest institution's."""
    print("\n| history | start s | payments/s | per CPU second | memory, bytes a payment | MB in all |")
    print("|---|---|---|---|---|---|")
    for one in found:
        rows = one["rows"]
        print(
            f"| {one['size']:,} | {one['start_s']:.2f} | {rows / one['start_s']:,.0f} "
            f"| {rows / one['start_cpu_s']:,.0f} | {one['state_bytes'] / rows:.0f} "
            f"| {one['state_bytes'] / 1e6:,.0f} |"
        )
    first = found[0]
    print("\n| history | features p50 µs | decision p50 µs | CPU p50 µs | times the smallest | by CPU |")
    print("|---|---|---|---|---|---|")
    for one in found:
        middle = [statistics.median(one[key]) for key in ("features_us", "decision_us", "decision_cpu_us")]
        ratios = [ratio(one[key], first[key]) for key in ("decision_us", "decision_cpu_us")]
        print(
            f"| {one['size']:,} | {middle[0]:.0f} | {middle[1]:.0f} | {middle[2]:.0f} "
            f"| {ratios[0]:.2f} | {ratios[1]:.2f} |"
        )


def ratio(values: list[float], base: list[float]) -> float:
    """The median over turns of one turn against the other's turn beside it."""
    return statistics.median(value / other for value, other in zip(values, base, strict=True))


if __name__ == "__main__":
    main()
