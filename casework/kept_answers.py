"""Which reports were worked out just now, so that the next who asks the same need not wait for them again?

What is kept are bytes, ready to be sent. They are given again while nobody has acted since (a verdict, a disposition, a
change of the set: see `casework.changes`), no more than a thousandth of the record has flowed in, and for a minute at
most, because silence matures by the clock. Who asks while the same is being worked out waits for that.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from casework.changes import Changes, Stand

FRESH = timedelta(minutes=1)
MOST_BYTES = 16 * 1024 * 1024
"""What is held at most; the answers that were asked for longest ago go first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer and the moment it was worked out for."""

    body: bytes
    at: datetime
    stand: Stand


@dataclass(slots=True)
class _Turn:
    """Those who ask the same, one at a time; how many they are."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0


class KeptAnswers:
    """The latest answers of one workspace, by everything they depend on but the record."""

    def __init__(self, changes: Changes, most_bytes: int = MOST_BYTES) -> None:
        self._changes, self._most = changes, most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._turns: dict[Hashable, _Turn] = {}
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        return self._bytes

    def once(self, key: Hashable, at: datetime, work_out: Callable[[], bytes]) -> Answer:
        """The answer under this key; `work_out` is called if there is none that still holds.

        The key must name the question, the set in force, and whoever may read the answer: it is given to nobody else.
        What `work_out` raises goes to its caller, and the next one tries anew.
        """
        with self._turn(key):
            stand = self._changes.stand()  # before working out: what is recorded meanwhile makes it stale
            found = self._still(key, stand, at)
            if found is None:
                found = Answer(work_out(), at, stand)
                self._keep(key, found)
        return found

    def _still(self, key: Hashable, stand: Stand, at: datetime) -> Answer | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None or not found.stand.still_holds(stand) or abs(at - found.at) > FRESH:
                return None
            self._kept.move_to_end(key)
            return found

    def _keep(self, key: Hashable, answer: Answer) -> None:
        with self._lock:
            over = [k for k, old in self._kept.items() if k == key or abs(answer.at - old.at) > FRESH]
            for each in over:
                self._bytes -= len(self._kept.pop(each).body)
            self._kept[key] = answer
            self._bytes += len(answer.body)
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1].body)

    @contextmanager
    def _turn(self, key: Hashable) -> Iterator[None]:
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    del self._turns[key]
