"""Can decisions be made just now, and what do those hear who ask while they cannot?"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from casework.serving.refusals import NotNow, NotRecorded, Rebuilding
from data.errors import DiskError

_DISK_PAUSE_SECONDS = 5.0
_REBUILD_WAIT = 2
_SENTENCES = {
    Rebuilding.why: "{} payments were sent back with the fail-safe outcome while what decides was built anew.",
    NotRecorded.why: "{} payments were sent back with the fail-safe outcome because the disk took no decision.",
}


def sentence(why: str, payments: int) -> str:
    """What an alarm says of so many that were sent back for this reason."""
    return _SENTENCES[why].format(payments)


class Readiness:
    """What stands in the way of decisions, and how many payments were sent back for it.

    `loaded` says whether what decides is in memory. After the disk refused a decision nothing is tried for five
    seconds: each attempt spoils the memory of the past, which is then built anew.
    """

    def __init__(self, loaded: Callable[[], bool]) -> None:
        self._loaded = loaded
        self._disk_failed_at: float | None = None
        self._missed: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.fail_safe = ""

    @property
    def disk_refuses(self) -> bool:
        failed = self._disk_failed_at
        return failed is not None and monotonic() - failed < _DISK_PAUSE_SECONDS

    def hindrance(self, waited_long: bool) -> NotNow | None:
        """What to tell somebody who asks for a decision now, if it cannot be made. A short rebuild is waited for."""
        if self.disk_refuses:
            return self._not_recorded()
        if waited_long and not self._loaded():
            what = "what decides is being built anew from the ledger"
            return Rebuilding(what, _REBUILD_WAIT, self.fail_safe)
        return None

    def refused(self, why: str, payments: int) -> None:
        """Remember how many were sent back, where an alarm should tell of it."""
        if why in _SENTENCES:
            with self._lock:
                self._missed[why] += payments

    def missed(self) -> dict[str, int]:
        """How many were sent back since this was last asked, by reason."""
        if not self._missed:
            return {}
        with self._lock:
            missed, self._missed = self._missed, Counter()
        return missed

    @contextmanager
    def watching_the_disk(self) -> Iterator[None]:
        """NotRecorded in place of a DiskError inside the block."""
        try:
            yield
        except DiskError as error:
            self._disk_failed_at = monotonic()
            raise self._not_recorded() from error
        if self._disk_failed_at is not None and not self.disk_refuses:
            self._disk_failed_at = None

    def _not_recorded(self) -> NotRecorded:
        what = "the disk does not take the decision, so none was made"
        return NotRecorded(what, int(_DISK_PAUSE_SECONDS), self.fail_safe)
