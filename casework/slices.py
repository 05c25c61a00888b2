"""How is much done to the record without holding up decisions, which wait for every write but their own?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from data.ledger import Ledger
from data.writer import Writer

_PAUSE_SECONDS = 0.02
"""Long enough that whoever waits for the lock gets it, since nothing else makes it fair."""
_REST = 3
"""After each slice decisions have so many times as long as it took: one slice right after another would be to them like
a single long one."""
Item = TypeVar("Item")


def in_slices(
    ledger: Ledger,
    items: Sequence[Item],
    size: int,
    act: Callable[[Writer, Sequence[Item]], int],
    *,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Do `act` with so many items at a time, each slice in a write of its own; the sum of what it returned.

    Decisions are made between the writes. What one write has done stays if a later one fails.
    """
    done, took = 0, 0.0
    for start in range(0, len(items), size):
        if start:
            pause(ledger, _REST * took, sleep)
        since = clock()
        with ledger.writing() as w:
            done += act(w, items[start : start + size])
        took = clock() - since
    return done


def pause(ledger: Ledger, seconds: float = 0.0, sleep: Callable[[float], None] = time.sleep) -> None:
    """Let decisions have their turn, and settle, so that the next write need not do it while they wait."""
    sleep(max(_PAUSE_SECONDS, seconds))
    ledger.settle()
