"""Where does the past of all entity values lie, from the start until somebody asks for one of them?

In one set of columns for each entity, in order of (value, time). An entity value that is asked for is cut out as a
history of its own, so that millions of values nobody asks for cost some bytes a row and no object each.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from engine.features.history import Codes, Column, History, RunningSum
from engine.features.numbering import Keys

Summed = Callable[[int, int], RunningSum]
"""Makes the running sums of rows low..high."""


@dataclass
class LoadedHistories:
    """Value number i (see Keys) has rows bounds[i]..bounds[i + 1] of every column.

    `unpriced` says of each row whether it has no amount (None where all have one). `taken` marks the values that have
    been cut out; they are not given a second time.
    """

    keys: Keys
    bounds: array
    times: array
    newest: int
    sums: Summed | None
    squares: Summed | None
    columns: tuple[array, ...]
    codes: tuple[array, ...]
    unpriced: array | None
    rows: int = 0
    taken: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.rows = len(self.times)
        self.taken = bytearray(len(self.bounds) - 1)

    def take(self, key: Hashable) -> History | None:
        """The history of one entity value; None if it had none, or if it was taken before."""
        place = self.keys.of(key)
        if place < 0 or self.taken[place]:
            return None
        self.taken[place] = 1
        low, high = self.bounds[place], self.bounds[place + 1]
        self.rows -= high - low
        times = self.times[low:high]
        return History(
            times,
            self.sums(low, high) if self.sums else None,
            self.squares(low, high) if self.squares else None,
            tuple([Column(values[low:high]) for values in self.columns]) if self.columns else (),
            tuple([Codes(values[low:high]) for values in self.codes]) if self.codes else (),
            self._unpriced_times(times, low),
        )

    def _unpriced_times(self, times: array, low: int) -> list[int] | None:
        if self.unpriced is None:
            return None
        return [time for place, time in enumerate(times, low) if self.unpriced[place]] or None
