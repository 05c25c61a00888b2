"""How fast is an institution made up, and a verdict?"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from data.simulator import InstitutionConfig, SimulatedAnalyst, simulate

REPEATS = 3
JUDGEMENTS = 20_000


def simulation_seconds(config: InstitutionConfig) -> float:
    """The best of REPEATS runs, in seconds."""
    return min(_timed(lambda: simulate(config)) for _ in range(REPEATS))


def judgement_microseconds() -> float:
    """One judgement of one analyst, in microseconds."""
    analyst = SimulatedAnalyst("analyst-1")
    seconds = _timed(
        lambda: [analyst.judge(f"case-{n}", fraud=n % 7 == 0, cue=0.2) for n in range(JUDGEMENTS)]
    )
    return seconds / JUDGEMENTS * 1e6


def machine() -> str:
    """Host, processor and core count, so that a figure says where it was measured."""
    return f"{platform.node()}, {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    print(f"simulator on {machine()}")
    print("| transactions | seconds | transactions/s |\n|---|---|---|")
    for transactions in (20_000, 200_000, 1_000_000):
        config = InstitutionConfig(transactions=transactions, customers=max(500, transactions // 40))
        seconds = simulation_seconds(config)
        print(f"| {transactions:,} | {seconds:.2f} | {transactions / seconds:,.0f} |")
    print(f"one judgement of a simulated analyst: {judgement_microseconds():.0f} microseconds")


def _timed(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _processor() -> str:
    """The model name where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
