"""What has one entity value done so far, so that any window over it is two binary searches away?

Rows are kept in order of time. Sums are running sums of integers, so a window's sum is one exact subtraction
and a late row only shifts what follows it. Arrays of 8-byte integers are used while the numbers fit.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from itertools import accumulate

Integers = array | list

# Missing values in columns that are only ever compared: no amount or number is as small.
NO_INTEGER, NO_NUMBER = -(2**63), float("-inf")
_BLOCK = 256
_SHORT = 512


def integers(values: Iterable[int]) -> Integers:
    """An array of 8-byte integers, or a list where one does not fit."""
    whole = list(values)
    try:
        return array("q", whole)
    except OverflowError:
        return whole


class RunningSum:
    """Running totals of integers: the sum of rows low..high is `totals[high] - totals[low]`."""

    __slots__ = ("totals",)

    def __init__(self, values: Iterable[int] = ()) -> None:
        self.totals: Integers = integers(accumulate(values, initial=0)) if values else array("q", (0,))

    @classmethod
    def continuing(cls, totals: array) -> RunningSum:
        """Running totals that need not start at 0."""
        made = cls.__new__(cls)
        made.totals = totals
        return made

    def insert(self, place: int, value: int) -> None:
        try:
            self._insert(place, value)
        except OverflowError:
            self.totals = list(self.totals)
            self._insert(place, value)

    def _insert(self, place: int, value: int) -> None:
        totals = self.totals
        if place == len(totals) - 1:
            totals.append(totals[-1] + value)
            return
        if isinstance(totals, array):
            # All sums that follow fit, or none is changed: OverflowError comes before the array is touched.
            totals[place + 1 :] = array("q", [total + value for total in totals[place:]])
        else:
            totals[place + 1 :] = [total + value for total in totals[place:]]

    def remove(self, place: int) -> None:
        """Take out the value at `place`."""
        totals = self.totals
        value = totals[place + 1] - totals[place]
        del totals[place + 1]
        for later in range(place + 1, len(totals)):
            totals[later] -= value

    def forget(self, rows: int) -> None:
        del self.totals[:rows]


class Column:
    """Values that are compared (`max`), with the largest of each block of 256 kept for long windows."""

    __slots__ = ("blocks", "missing", "values")

    def __init__(self, values: array) -> None:
        self.values = values
        self.missing = NO_NUMBER if values.typecode == "d" else NO_INTEGER
        self.blocks: list[float] = []

    def insert(self, place: int, value: float) -> None:
        if place == len(self.values):
            self.values.append(value)
        else:
            self.values.insert(place, value)
            del self.blocks[place // _BLOCK :]

    def forget(self, rows: int) -> None:
        del self.values[:rows]
        self.blocks.clear()

    def largest(self, low: int, high: int) -> float:
        """The largest of values[low:high], which must not be empty."""
        values = self.values
        if high - low <= _SHORT:
            return max(values[low:high])
        blocks = self.blocks
        first, last = -(-low // _BLOCK), high // _BLOCK
        while len(blocks) < last:
            start = len(blocks) * _BLOCK
            blocks.append(max(values[start : start + _BLOCK]))
        ends = (*values[low : first * _BLOCK], *values[last * _BLOCK : high])
        return max(max(blocks[first:last]), *ends) if ends else max(blocks[first:last])


class Codes:
    """Category codes whose different values are counted; a missing value is -1 and not counted.

    For long windows a tally of the last asked window is kept per width and moved to the next one, which is
    cheap because windows mostly move forward.
    """

    __slots__ = ("tallies", "values")

    def __init__(self, values: array) -> None:
        self.values = values
        self.tallies: dict[int, _Tally] = {}

    def insert(self, place: int, code: int) -> None:
        if place == len(self.values):
            self.values.append(code)
            return
        self.values.insert(place, code)
        for tally in self.tallies.values():
            tally.row_inserted(place, code)

    def forget(self, rows: int) -> None:
        del self.values[:rows]
        self.tallies.clear()

    def different(self, width: int, low: int, high: int) -> int:
        """How many different codes values[low:high] holds; `width` names the tally to move."""
        if high - low <= _SHORT:
            seen = set(self.values[low:high])
            return len(seen) - (-1 in seen)
        tally = self.tallies.get(width)
        if tally is None:
            tally = self.tallies[width] = _Tally(low)
        tally.move(self.values, low, high)
        return len(tally.counts) - (-1 in tally.counts)


class _Tally:
    """How often each code occurs in values[low:high]."""

    __slots__ = ("counts", "high", "low")

    def __init__(self, low: int) -> None:
        self.low = self.high = low
        self.counts: dict[int, int] = {}

    def move(self, values: Sequence[int], low: int, high: int) -> None:
        if low >= self.high or high <= self.low:
            self.low = self.high = low
            self.counts.clear()
        self._enter(values[low : self.low])
        self._enter(values[self.high : high])
        self._leave(values[self.low : low])
        self._leave(values[high : self.high])
        self.low, self.high = low, high

    def row_inserted(self, place: int, code: int) -> None:
        if place < self.high:
            self.high += 1
            if place < self.low:
                self.low += 1
            else:
                self._enter((code,))

    def _enter(self, codes: Iterable[int]) -> None:
        counts = self.counts
        for code in codes:
            counts[code] = counts.get(code, 0) + 1

    def _leave(self, codes: Iterable[int]) -> None:
        counts = self.counts
        for code in codes:
            if counts[code] == 1:
                del counts[code]
            else:
                counts[code] -= 1


class History:
    """The earlier transactions of one entity value.

    `times` are microseconds in order. `sums` and `squares` are running totals of the amount in minor units and
    of its square (None where no feature needs them); `unpriced` are the times of rows without an amount (None
    if there are none). `columns` and `codes` are what max and distinct features read, one per attribute.
    """

    __slots__ = ("codes", "columns", "squares", "sums", "times", "unpriced")

    def __init__(
        self,
        times: array,
        sums: RunningSum | None,
        squares: RunningSum | None,
        columns: Sequence[Column] = (),
        codes: Sequence[Codes] = (),
        unpriced: list[int] | None = None,
    ) -> None:
        self.times = times
        self.sums = sums
        self.squares = squares
        self.unpriced = unpriced
        self.columns = columns
        self.codes = codes

    def insert(self, time: int, amount: int | None, values: list[float], codes: list[int]) -> None:
        """Add a row where its time belongs; `values` and `codes` are in the order of the columns."""
        times = self.times
        place = len(times) if not times or time >= times[-1] else bisect_right(times, time)
        times.insert(place, time)
        if self.sums is not None:
            self.sums.insert(place, amount or 0)
            if amount is None:
                self.unpriced = self.unpriced or []
                insort(self.unpriced, time)
        if self.squares is not None:
            self.squares.insert(place, amount * amount if amount is not None else 0)
        if values:
            for column, value in zip(self.columns, values, strict=True):
                column.insert(place, value)
        if codes:
            for held, code in zip(self.codes, codes, strict=True):
                held.insert(place, code)

    def priced(self, low: int, high: int) -> int:
        """How many of rows low..high (which share no time with rows outside) have an amount."""
        if not self.unpriced:
            return high - low
        first = bisect_left(self.unpriced, self.times[low])
        return high - low - bisect_right(self.unpriced, self.times[high - 1]) + first

    def forget(self, rows: int) -> None:
        """Drop the oldest `rows` rows."""
        last = self.times[rows - 1]
        del self.times[:rows]
        if self.unpriced:
            del self.unpriced[: bisect_right(self.unpriced, last)]
        for part in (self.sums, self.squares, *self.columns, *self.codes):
            if part is not None:
                part.forget(rows)
