"""What is being worked out for people who should not have to wait for it, and how far is it?

Some questions take seconds on a large record. Whoever asks hears at once how far it is, and asks again; many who ask
the same have it worked out once. One question is worked out at a time, so that deciding goes on beside it; one nobody
has asked for in a minute is given up, and so is everything when the server ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.serving.refusals import Stopping

PATIENCE = timedelta(minutes=1)
"""How long an answer is said again, and how long nobody may ask before a question is given up."""
Told = Callable[[str, float], None]
"""Hears what is being done, and which share of it is over."""


def nobody(what: str, share: float) -> None:
    """Tells nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Going:
    """How far a question is: what is being done, which share is over, and for how many seconds it has been asked."""

    what: str
    share: float
    seconds: float


@dataclass(slots=True)
class _Piece:
    began: datetime
    asked: datetime
    future: Future[Any] | None = None
    answered: datetime | None = None
    what: str = "Waiting for another question to be answered"
    share: float = 0.0
    given_up: bool = False

    def told(self, what: str, share: float) -> None:
        """Called by whoever works it out, now and then; the way in which it learns that nobody wants it."""
        if self.given_up:
            raise Stopping("nobody waits for this answer any more", 1)
        self.what, self.share = what, share

    def is_over(self, at: datetime) -> bool:
        last = self.answered or self.asked
        return at - last > PATIENCE


class InHand:
    """The questions of one workspace that are being worked out, or were within the last minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: dict[Hashable, _Piece] = {}
        self._thread = ThreadPoolExecutor(1, "in-hand")
        self._open = True

    def ask(
        self, key: Hashable, work_out: Callable[[Told], Any], at: datetime, seconds: float = 0.0
    ) -> Any | Going:
        """What `work_out` returned for this key, at most a minute ago; or, after `seconds`, how far it is.

        What it raises is raised here, once; the next one who asks has it tried anew. Stopping when the server ends.
        """
        piece = self._piece(key, work_out, at)
        assert piece.future is not None
        wait([piece.future], seconds)
        if not piece.future.done():
            return Going(piece.what, piece.share, max(0.0, (at - piece.began) / timedelta(seconds=1)))
        with self._lock:
            piece.answered = piece.answered or at
            if piece.future.cancelled() or piece.future.exception() is not None:
                self._pieces.pop(key, None)
        return piece.future.result()

    def _piece(self, key: Hashable, work_out: Callable[[Told], Any], at: datetime) -> _Piece:
        with self._lock:
            if not self._open:
                raise Stopping("the server is stopping", 5)
            for other in [k for k, piece in self._pieces.items() if piece.is_over(at)]:
                self._give_up(self._pieces.pop(other))
            piece = self._pieces.get(key)
            if piece is None:
                piece = self._pieces[key] = _Piece(at, at)
                piece.future = self._thread.submit(work_out, piece.told)
            piece.asked = at
            return piece

    @staticmethod
    def _give_up(piece: _Piece) -> None:
        piece.given_up = True
        if piece.future is not None:
            piece.future.cancel()

    def stop(self) -> None:
        """Give up what is in hand, at its next step, and take nothing more."""
        with self._lock:
            self._open = False
            for piece in self._pieces.values():
                self._give_up(piece)
        self._thread.shutdown(wait=True)
