"""What does the ledger's key cost: for a decision that is recorded, for a write, for an import of a thousand rows?

    python -m benchmarks.sealing

Ledgers with and without a key take turns; processor time of this process, the median of the rounds. The ratio is what
to look at: absolute times are those of this machine.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from data.events import EventDraft
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.ledger import Ledger

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUNDS, PER_ROUND = 15, 300
PAYLOAD = {f"feature_{n}": n / 7 for n in range(120)}


def main() -> None:
    """Print a line for each kind of work: microseconds without and with a key, and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ledgers = [
            Ledger.create(root / "plain.duckdb", at=AT),
            Ledger.create(root / "sealed.duckdb", at=AT, keyring=Keyring(root / "keys")),
        ]
        try:
            for name, work in (("a recorded event", _record), ("a write with an update", _write)):
                plain, sealed = _timed(ledgers, work)
                print(
                    f"{name}: {plain:.0f} us without a key, {sealed:.0f} with one: {sealed / plain:.2f} times"
                )
            verified = [_verified(ledger) for ledger in ledgers]
            print(f"verifying an event: {verified[0]:.1f} us without a key, {verified[1]:.1f} with one")
        finally:
            for ledger in ledgers:
                ledger.close()


def _timed(ledgers: list[Ledger], work: Callable[[Ledger, int], None]) -> list[float]:
    found: list[list[float]] = [[] for _ in ledgers]
    for number in range(ROUNDS):
        for ledger, times in zip(ledgers, found, strict=True):
            ledger.settle()
            began = process_time()
            work(ledger, number)
            ledger.settle()
            times.append((process_time() - began) * 1e6)
    return [statistics.median(times) / (PER_ROUND if work is _record else 20) for times in found]


def _record(ledger: Ledger, number: int) -> None:
    for each in range(PER_ROUND):
        with ledger.recording() as w:
            w.event(EventDraft("engine", "payment.seen", f"transaction:{number}-{each}", PAYLOAD), AT)
            row = {"task_id": f"k{number}-{each}", "transaction_seq": each, "reviewer": "analyst-1"}
            w.insert("skips", [{**row, "reason": "benchmark", "skipped_at": AT}])


def _write(ledger: Ledger, number: int) -> None:
    for each in range(20):
        with ledger.writing() as w:
            w.execute("UPDATE skips SET reason = ? WHERE task_id = ?", [f"again {number}", f"k0-{each}"])
            w.event(EventDraft("engine", "skip.changed", f"task:k0-{each}", {}), AT)


def _verified(ledger: Ledger) -> float:
    began = process_time()
    report = chain.verify(ledger)
    return (process_time() - began) * 1e6 / report.events


if __name__ == "__main__":
    main()
