"""How is much done to the record without holding up decisions, which wait for every write but their own?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from data.ledger import Ledger
from data.writer import Writer

_PAUSE_SECONDS = 0.02
"""Long enough that whoever waits for the lock gets it, since nothing else makes it fair."""
_REST = 9
"""After each slice decisions have so many times as long as it took: one slice right after another would be to them like
a single long one, and a quarter of the time is more than a server at 70 % of its capacity can safely spare."""
_LOOKS, _LOOK_SECONDS = 50, 0.1
"""How often it is looked whether decisions have caught up before a slice is done all the same, and how far apart."""
Item = TypeVar("Item")
Behind = Callable[[], bool]
"""Whether decisions are behind: then nobody should make them wait who can wait himself."""


def in_slices(
    ledger: Ledger,
    items: Sequence[Item],
    size: int,
    act: Callable[[Writer, Sequence[Item]], int],
    behind: Behind | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Do `act` with so many items at a time, each slice in a write of its own; the sum of what it returned.

    Decisions are made between the writes, and have their time for it; without `behind` nobody asks for any, and one
    write follows the other. What one has done stays if a later one fails.
    """
    done, took = 0, 0.0
    for start in range(0, len(items), size):
        if start and behind is not None:
            give_way(ledger, took, behind, sleep)
        since = clock()
        with ledger.writing() as w:
            done += act(w, items[start : start + size])
        took = clock() - since
    return done


def give_way(
    ledger: Ledger, took: float, behind: Behind, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Between two writes, the first of which took so many seconds: let decisions have their time, and while they are
    behind five seconds more at most."""
    sleep(max(_PAUSE_SECONDS, _REST * took))
    for _ in range(_LOOKS):
        if not behind():
            break
        sleep(_LOOK_SECONDS)
    ledger.settle()  # so that the next write need not do it while they wait


def pause(ledger: Ledger) -> None:
    """Let decisions have their turn, in the midst of what somebody waits for."""
    give_way(ledger, 0.0, lambda: False)
