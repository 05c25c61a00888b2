"""Where was every thread when decisions stood still? Asked afterwards, nobody can tell."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from casework.serving.server_log import FACTS

EVERY_SECONDS, STILL_SECONDS = 0.25, 1.0
_PLACES = 6
log = logging.getLogger("secondlook.standstill")


class StandstillWatch:
    """Writes into the log where each thread is, once each time that payments wait and none is answered for a second.

    `still` says for how many seconds that has been so, 0 where nobody waits. The places are files, lines and functions:
    nothing of a payment or a person.
    """

    def __init__(self, still: Callable[[], float]) -> None:
        self._still = still
        self._longest = 0.0

    def look(self, late: float = 0.0) -> None:
        """One look. `late` is how many seconds it comes after its time: so long no thread here computed, or one did and
        let go of nothing."""
        still, before = self._still(), self._longest
        if before and still < before:
            log.info("payments are answered again after %.1f s", before)
            before = 0.0
        self._longest = still if still >= STILL_SECONDS else 0.0
        if self._longest and not before:
            facts = {"seconds": round(still, 2), "late": round(late, 2), "threads": places()}
            log.info("payments wait and none is answered", extra={FACTS: facts})

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look four times a second for the length of the block."""
        over = threading.Event()

        def run() -> None:
            due = time.perf_counter() + EVERY_SECONDS
            while not over.wait(max(0.0, due - time.perf_counter())):
                now = time.perf_counter()
                self.look(now - due)
                due = now + EVERY_SECONDS

        threading.Thread(target=run, name="standstill", daemon=True).start()
        try:
            yield
        finally:
            over.set()


def places() -> dict[str, str]:
    """The innermost places of every other thread, by its name and number."""
    frames, own = sys._current_frames(), threading.get_ident()
    return {
        f"{thread.name} {thread.native_id}": _place(frames[thread.ident])
        for thread in threading.enumerate()
        if thread.ident in frames and thread.ident != own
    }


def _place(frame: FrameType) -> str:
    found = traceback.extract_stack(frame)[-_PLACES:]
    return " > ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in found)
