"""Which of one entity value's transactions are known to be fraud or good, seen from any moment?

A label row counts from `known_us` on; of several rows of one transaction, the latest that counts is in force.
Transactions with one label row, almost all of them, are held in running counts; those whose label was revised
are held row by row.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from engine.features.history import RunningSum

_NEVER = -(2**63)


class LabelRow(NamedTuple):
    """One outcome row; comparing two rows of a transaction says which one replaces the other.

    Times are microseconds. `known_us` is not before the transaction: nothing is known of it earlier.
    """

    reported_seq: int
    known_us: int
    recorded_us: int
    is_fraud: bool


def in_force(rows: list[LabelRow], now: int) -> LabelRow | None:
    """The latest of `rows` that is known at `now`."""
    return max((row for row in rows if row.known_us <= now), default=None)


class LabelRun:
    """Single-row labels in order of the transaction's time, with a running count of frauds."""

    __slots__ = ("frauds", "known", "latest_known", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.known = array("q")
        self.frauds = RunningSum()
        self.latest_known = _NEVER

    def insert(self, time: int, row: LabelRow) -> None:
        place = bisect_right(self.times, time)
        self.times.insert(place, time)
        self.known.insert(place, row.known_us)
        self.frauds.insert(place, int(row.is_fraud))
        self.latest_known = max(self.latest_known, row.known_us)

    def load(self, times: array, known: array, frauds: array) -> None:
        """Take columns in order of time; `frauds` is the running count, one longer."""
        self.times, self.known = times, known
        self.frauds = RunningSum.continuing(frauds)
        self.latest_known = max(known, default=_NEVER)

    def remove(self, time: int, row: LabelRow) -> None:
        """Take out one label with this time, moment of knowledge and value (any of them: they count alike)."""
        place = bisect_left(self.times, time)
        while self.known[place] != row.known_us or self._fraud(place) != row.is_fraud:
            place += 1
        del self.times[place], self.known[place]
        self.frauds.remove(place)

    def _fraud(self, place: int) -> int:
        return self.frauds.totals[place + 1] - self.frauds.totals[place]

    def counts(self, low_us: int, high_us: int, now: int) -> tuple[int, int]:
        """(labels, frauds) known at `now` of transactions in [low_us, high_us)."""
        low = bisect_left(self.times, low_us)
        high = bisect_left(self.times, high_us, low)
        if now >= self.latest_known:
            return high - low, self.frauds.totals[high] - self.frauds.totals[low]
        known = [place for place in range(low, high) if self.known[place] <= now]
        return len(known), sum(self._fraud(place) for place in known)

    def forget_before(self, time: int) -> None:
        rows = bisect_left(self.times, time)
        del self.times[:rows], self.known[:rows]
        self.frauds.forget(rows)


class PromptRun(LabelRun):
    """Labels that are known by the time their transaction enters a label window, so that nobody has to ask."""

    __slots__ = ()

    def counts(self, low_us: int, high_us: int, now: int) -> tuple[int, int]:
        low = bisect_left(self.times, low_us)
        high = bisect_left(self.times, high_us, low)
        return high - low, self.frauds.totals[high] - self.frauds.totals[low]


class KnownLabels:
    """Everything learned about the transactions of one entity value.

    `delay_us` is the label delay. `learned` are the moments at which single-row frauds became known, in order,
    `learned_times` the times of their transactions, `longest_lag` the longest of the differences.
    """

    __slots__ = ("delay_us", "late", "learned", "learned_times", "longest_lag", "prompt", "revised")

    def __init__(self, delay_us: int) -> None:
        self.delay_us = delay_us
        self.prompt = PromptRun()
        self.late = LabelRun()
        self.learned = array("q")
        self.learned_times = array("q")
        self.longest_lag = 0
        self.revised: dict[int, tuple[int, list[LabelRow]]] = {}

    def observe(self, seq: int, time: int, row: LabelRow) -> None:
        """Add the first label row of the transaction `seq` at `time`, or a further one if it is revised."""
        if seq in self.revised:
            self.revised[seq][1].append(row)
        else:
            self._run(time, row).insert(time, row)
            if row.is_fraud:
                self.learn(time, row.known_us)

    def revise(self, seq: int, time: int, rows: list[LabelRow]) -> None:
        """From now on hold the transaction row by row; `rows` are those observed so far (one or none)."""
        if seq not in self.revised:
            for row in rows:
                self._remove(time, row)
            self.revised[seq] = (time, list(rows))

    def _run(self, time: int, row: LabelRow) -> LabelRun:
        return self.prompt if row.known_us <= time + self.delay_us + 1 else self.late

    def learn(self, time: int, known_us: int) -> None:
        """Note the moment at which a transaction at `time` became known as fraud."""
        place = bisect_right(self.learned, known_us)
        self.learned.insert(place, known_us)
        self.learned_times.insert(place, time)
        self.longest_lag = max(self.longest_lag, known_us - time)

    def _remove(self, time: int, row: LabelRow) -> None:
        self._run(time, row).remove(time, row)
        if row.is_fraud:
            place = bisect_left(self.learned, row.known_us)
            while self.learned_times[place] != time:
                place += 1
            del self.learned[place], self.learned_times[place]

    def counts(self, low_us: int, high_us: int, now: int) -> tuple[int, int]:
        """(labels, frauds) known at `now` of transactions in [low_us, high_us)."""
        labels, frauds = self.prompt.counts(low_us, high_us, now)
        if self.late.times:
            more_labels, more_frauds = self.late.counts(low_us, high_us, now)
            labels, frauds = labels + more_labels, frauds + more_frauds
        for time, rows in self.revised.values():
            if low_us <= time < high_us and (row := in_force(rows, now)) is not None:
                labels, frauds = labels + 1, frauds + row.is_fraud
        return labels, frauds

    def frauds_learned(self, since_us: int, now: int, oldest_us: int) -> int:
        """Frauds known since `since_us`, before `now`, of transactions not older than `oldest_us`."""
        low = bisect_left(self.learned, since_us)
        high = bisect_left(self.learned, now, low)
        found = high - low
        if self.longest_lag > since_us - oldest_us:
            found = sum(time >= oldest_us for time in self.learned_times[low:high])
        for time, rows in self.revised.values():
            row = in_force(rows, now) if time >= oldest_us else None
            found += row is not None and row.is_fraud and since_us <= row.known_us < now
        return found

    @property
    def is_empty(self) -> bool:
        return not (self.prompt.times or self.late.times or self.learned or self.revised)

    def forget_before(self, time: int) -> None:
        """Drop the labels of transactions before `time` (learned moments go when they are that old themselves)."""
        self.prompt.forget_before(time)
        self.late.forget_before(time)
        rows = bisect_left(self.learned, time)
        del self.learned[:rows], self.learned_times[:rows]
        for seq in [seq for seq, (at, _) in self.revised.items() if at < time]:
            del self.revised[seq]
