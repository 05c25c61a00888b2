"""Do memory and latency stay flat for half an hour at 70 % of what the server can do?

    python -m benchmarks.endurance [WORKSPACE] [--minutes 30] [--share 0.7]

First everybody pays once, at 64 connections and as fast as payments are answered. Six more rounds, of people with a
past and without a pause in which the server could catch up, are the capacity; then payments fall due at that share of
it, whatever happens. Nobody pays more often than in the past that is sent again, so that the share of alerts stays
what it was: each row tells it. Each minute gives a row: answers, refused ones, latency, resident memory, processor
time, write-ahead log, how long the journal waited for the disk, how much processor time others took (other programs,
and other guests of the same host), and how fast the machine itself was: a fixed piece of work is timed while nobody
asks, before each stretch and when capacity has been measured. Flat means that the last third has no more memory and no
later answers than the middle third, within limits that are printed. Where no payment was answered for a second, what
the server's log says of it is printed below its row. WORKSPACE is copied, never used in place. Results go to
docs/soak.md.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import soak_page
from benchmarks.load_client import closed_loop, open_loop
from benchmarks.payments import People, body_of, fresh, request_of, span, templates
from benchmarks.serving import _served as served
from benchmarks.serving_workspace import prepare
from casework.serving.server_log import FILE
from data.storage.disk import wal_bytes

CONNECTIONS = 64
CYCLES = 5
"""How often each population pays at most, a past's length apart: more would reach beyond what windows look back."""
_MARGIN = 1.2
"""Capacity, with a past to look at, may be so many times what the very first round was answered at: there are
populations for that in all cycles but the first."""
_MINUTE, _MEASURED_ROUNDS = 60.0, 6
_LOGGERS = ("secondlook.standstill", "secondlook.ledger")
MEMORY_GROWTH, LATENCY_GROWTH = 1.10, 1.5
"""Resident memory may grow by this factor from the middle to the last third, the median of p50 by that."""
CALM = 0.2
"""Processor seconds a second up to which others have taken little of two processors."""
BYTES_A_PAYMENT = 300
"""What the engine is to remember of a payment as long as a window can reach it (docs/performance.md), and its id. A
fast machine takes a million payments from one third to the next; that much is no leak."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What one stretch was like; latency in milliseconds, memory in megabytes, processor, alerts and the disk as shares
    of its seconds or answers. `stuck` counts records that the disk took longer than a quarter of a second for, `speed`
    is the machine's before it, 1 being that of when capacity was measured, `others` the processor seconds a second that
    neither the server nor who asks it had."""

    answers: int
    refused: int
    p50: float
    p99: float
    worst: float
    resident: float
    processor: float
    wal: float
    reviewed: float
    disk: float
    stuck: int
    speed: float
    others: float


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the server has counted since it started: payments that a person was asked about, seconds that the disk took
    for records, and how many of these took long."""

    reviewed: float
    disk: float
    stuck: float


def main() -> int:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        root = Path(folder) / "workspace"
        prepare(root, wanted.workspace, 0)
        rate, minutes = measured(root, wanted.minutes, wanted.share)
    lines = told(rate, minutes, wanted.share)
    print("\n".join(lines))
    if not wanted.no_page:
        soak_page.record("Endurance", f"python -m benchmarks.endurance --minutes {wanted.minutes:g}", lines)
    return 0 if is_flat(minutes) else 1


def measured(root: Path, minutes: float, share: float) -> tuple[float, list[Minute]]:
    """The rate that was kept up, and a row for each minute, or for each tenth of a shorter run."""
    past, stretch = templates(root), min(60.0, minutes * 60 / 10)
    with served(root) as (port, token, server):
        people = _people(port, token, past, minutes, share)
        make = partial(_requests, past, token, people)
        sent = (people.populations + _MEASURED_ROUNDS) * len(past)
        rate = share * _capacity(port, make, people.populations, len(past))
        rows, usual = [], _fixed_work()
        for number in range(round(minutes * 60 / stretch)):
            speed = usual / _fixed_work()
            requests = make(sent, int(rate * stretch))
            sent += len(requests)
            used, busy = _processor(server), _others(server)
            before, since = _counted(port, token), datetime.now(UTC)
            found = open_loop(port, requests, CONNECTIONS, stretch, rate)
            busy = _others(server) - busy
            after = _counted(port, token)
            rows.append(
                Minute(
                    answers=len(found.took),
                    refused=found.refused + found.unanswered,
                    p50=found.at(0.5),
                    p99=found.at(0.99),
                    worst=found.at(1.0),
                    resident=server.memory_info().rss / 1e6,
                    processor=(_processor(server) - used) / found.seconds,
                    wal=wal_bytes(root / "secondlook.duckdb") / 1e6,
                    reviewed=(after.reviewed - before.reviewed) / max(1, len(found.took)),
                    disk=(after.disk - before.disk) / found.seconds,
                    stuck=round(after.stuck - before.stuck),
                    speed=speed,
                    others=busy / found.seconds,
                )
            )
            print("\n".join([row(number, rows[-1]), *stood_still(root, since)]), flush=True)
    return rate, rows


def stood_still(root: Path, since: datetime) -> list[str]:
    """The lines of the server's log since then about what held decisions, oldest first."""
    lines = [line for file in root.glob(f"{FILE}*") for line in file.read_text().splitlines()]
    told = [line for line in lines if any(logger in line for logger in _LOGGERS)]
    return sorted(line for line in told if datetime.fromisoformat(json.loads(line)["at"]) >= since)


def _people(port: int, token: str, past: list, minutes: float, share: float) -> People:
    """Enough of them for as many minutes at the speed at which the first of them are answered."""
    people = People(2, CYCLES, span(past))
    first = closed_loop(port, _requests(past, token, people, 0, len(past)), CONNECTIONS, 10 * _MINUTE)
    rounds = _MARGIN * first.rate * share * minutes * 60 / len(past)
    return replace(people, populations=max(math.ceil(rounds / (CYCLES - 1)), 2 * _MEASURED_ROUNDS))


def _capacity(port: int, make: Callable[[int, int], list[bytes]], rounds: int, of_round: int) -> float:
    """Decisions a second in some rounds after so many, sent without a pause."""
    for number in range(1, rounds):  # the first has paid
        closed_loop(port, make(number * of_round, of_round), CONNECTIONS, 10 * _MINUTE)
    found = closed_loop(port, make(rounds * of_round, _MEASURED_ROUNDS * of_round), CONNECTIONS, 10 * _MINUTE)
    print(f"{found.rate:,.0f} a second for {found.seconds:.0f} s", flush=True)
    return found.rate


def _requests(past: list, token: str, people: People, first: int, count: int) -> list[bytes]:
    payments = fresh(past, count, "endurance", first=first, people=people)
    return [request_of("/v1/decisions", token, body_of(each)) for each in payments]


def _counted(port: int, token: str) -> _Counted:
    told = httpx.get(
        f"http://127.0.0.1:{port}/metrics", headers={"authorization": f"Bearer {token}"}, timeout=60
    )
    told.raise_for_status()
    samples = [s for family in text_string_to_metric_families(told.text) for s in family.samples]

    def of(name: str, **labels: str) -> float:
        return sum(s.value for s in samples if s.name == f"secondlook_{name}" and s.labels == labels)

    quick = of("journal_seconds_bucket", le="0.25")
    return _Counted(
        reviewed=of("decisions_total", outcome="review"),
        disk=of("journal_seconds_sum"),
        stuck=of("journal_seconds_count") - quick,
    )


def _fixed_work() -> float:
    """The least seconds that one of three equal pieces of work takes this process."""
    took = []
    for _ in range(3):
        since = time.perf_counter()
        sum(number * number for number in range(1_000_000))
        took.append(time.perf_counter() - since)
    return min(took)


def _processor(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)


def _others(server: psutil.Process) -> float:
    """Seconds of processor time that other programs had so far, or that other guests of the host took."""
    all_of_it, own = psutil.cpu_times(), time.process_time()
    idle = all_of_it.idle + getattr(all_of_it, "iowait", 0.0)
    # Those of this machine are within user and nice, too.
    guests = getattr(all_of_it, "guest", 0.0) + getattr(all_of_it, "guest_nice", 0.0)
    return float(sum(all_of_it) - idle - guests) - own - _processor(server)


def is_flat(minutes: list[Minute]) -> bool:
    """Whether the last third is like the middle third, and nothing was refused."""
    third = max(1, len(minutes) // 3)
    middle, last = minutes[third : 2 * third] or minutes, minutes[-third:]
    before, after = max(m.resident for m in middle), max(m.resident for m in last)
    remembered = BYTES_A_PAYMENT * sum(m.answers for m in last) / 1e6
    memory = (after - remembered) / before
    latency = statistics.median(m.p50 for m in last) / statistics.median(m.p50 for m in middle)
    return memory <= MEMORY_GROWTH and latency <= LATENCY_GROWTH and not any(m.refused for m in minutes)


def row(number: int, minute: Minute) -> str:
    """One line of the table."""
    return (
        f"| {number + 1} | {minute.answers:,} | {minute.refused} | {minute.p50:.1f} | {minute.p99:.1f} "
        f"| {minute.worst:.0f} | {minute.resident:,.0f} | {minute.processor:.2f} | {minute.wal:.1f} "
        f"| {minute.reviewed:.1%} | {minute.disk:.0%} | {minute.stuck} "
        f"| {minute.speed:.2f} | {minute.others:.2f} |"
    )


def told(rate: float, minutes: list[Minute], share: float) -> list[str]:
    """The results in words and a table."""
    verdict = "flat" if is_flat(minutes) else "NOT FLAT"
    return [
        f"{rate:,.0f} decisions a second, {share:.0%} of what was measured just before: memory and latency are "
        f"**{verdict}** (last third against middle third: memory at most x {MEMORY_GROWTH}, not counting "
        f"{BYTES_A_PAYMENT} bytes for each payment between, which windows can still reach; median latency at most "
        f"x {LATENCY_GROWTH}; nothing refused or unanswered). {undisturbed(minutes)}",
        "",
        "| stretch | answers | refused | p50 ms | p99 ms | max ms | resident MB | processor | log MB | alerts | disk "
        "| over 0.25 s | machine | others |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(row(number, minute) for number, minute in enumerate(minutes)),
    ]


def undisturbed(minutes: list[Minute]) -> str:
    """What p50 was while others took little: that is the server's doing."""
    calm = [minute.p50 for minute in minutes if minute.others <= CALM]
    told = f"In {len(calm)} of {len(minutes)} stretches others took at most {CALM} processor seconds a second"
    return f"{told}: p50 {min(calm):.1f} to {max(calm):.1f} ms." if calm else f"{told}."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workspace", nargs="?", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--share", type=float, default=0.7, help="of the capacity")
    parser.add_argument("--no-page", action="store_true", help="leave docs/soak.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
