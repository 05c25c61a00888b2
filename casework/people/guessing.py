"""How fast may somebody guess a password, and how many passwords are checked at once?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.errors import SecondLookError

FREE_FAILURES = 4
LONGEST_WAIT = timedelta(minutes=5)
CHECKED_AT_ONCE = 2
"""One check takes 64 MiB and a tenth of a second of a processor: more at once would take both from decisions."""
MOST_WAITING = 20
"""Who waits for a check holds a thread of the server; the others are asked to come back, so that some stay free."""
_MANY_NAMES = 10_000


class TooManyAttempts(SecondLookError):
    """Too many wrong passwords in a row: HTTP 429. `wait_seconds` says how long to wait."""

    def __init__(self, wait_seconds: int, what: str = "too many wrong passwords for this user") -> None:
        self.wait_seconds = wait_seconds
        super().__init__(what, hint=f"Wait {wait_seconds} seconds, then try again.")


class CheckingBusy(TooManyAttempts):
    """More passwords are being checked than can be: HTTP 429."""

    def __init__(self) -> None:
        super().__init__(1, "too many people sign in just now")


@dataclass(slots=True)
class _Failures:
    count: int
    wait_until: datetime


class Attempts:
    """Counts wrong passwords by user, and for unknown names too. In memory: a restart forgets them."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()
        self._checks = threading.BoundedSemaphore(CHECKED_AT_ONCE)
        self._places = threading.BoundedSemaphore(CHECKED_AT_ONCE + most_waiting)

    @contextmanager
    def checking(self, user_id: str, at: datetime) -> Iterator[None]:
        """Check one password within. It counts as wrong from the start, so that guesses sent together are no more
        than guesses sent one by one; `right` takes that back.

        TooManyAttempts while this user has to wait, CheckingBusy where too many checks wait already.
        """
        with self._lock:
            self._refuse_while_waiting(user_id, at)
        if not self._places.acquire(blocking=False):
            raise CheckingBusy
        try:
            with self._checks:
                self._count(user_id, at)
                yield
        finally:
            self._places.release()

    def right(self, user_id: str) -> None:
        """The password was right: the next wrong one is the first again."""
        with self._lock:
            self._failures.pop(user_id, None)

    def _refuse_while_waiting(self, user_id: str, at: datetime) -> None:
        failures = self._failures.get(user_id)
        if failures and at < failures.wait_until:
            raise TooManyAttempts(max(1, round((failures.wait_until - at).total_seconds())))

    def _count(self, user_id: str, at: datetime) -> None:
        with self._lock:
            self._refuse_while_waiting(
                user_id, at
            )  # others may have guessed while this one waited for its turn
            if len(self._failures) > _MANY_NAMES:  # someone is trying names; forget those who need not wait
                self._failures = {u: f for u, f in self._failures.items() if at < f.wait_until}
            count = self._failures[user_id].count + 1 if user_id in self._failures else 1
            doubled = timedelta(seconds=2 ** min(max(0, count - FREE_FAILURES), 12))
            wait = min(doubled, LONGEST_WAIT) if count >= FREE_FAILURES else timedelta(0)
            self._failures[user_id] = _Failures(count, at + wait)
