"""How far is a walk over the record that takes long, and what did the last one find?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from casework.failures import in_words
from casework.serving.refusals import Stopping
from data.integrity import chain

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]


@dataclass
class Walk:
    """One walk over the chain, in a thread of its own. It reads a moment of the ledger and writes nothing."""

    started_at: datetime
    started_by: str
    checked: int = 0
    total: int = 0
    finished_at: datetime | None = None
    report: JSON | None = None
    problem: str = ""
    _failure: Exception | None = field(default=None, repr=False)
    _done: threading.Event = field(default_factory=threading.Event, repr=False)
    _wanted: bool = field(default=True, repr=False)

    def told(self) -> JSON:
        """Who began it when, how many of how many events are checked, and the report once it is there."""
        names = ("started_at", "started_by", "checked", "total", "finished_at", "report", "problem")
        return {**{name: getattr(self, name) for name in names}, "running": not self._done.is_set()}

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        return self._done.wait(seconds)

    def found(self) -> JSON:
        """The report of a walk that has ended. Raises what stopped it."""
        if self._failure is not None:
            raise self._failure
        return self.report or {}

    def work(self, app: App) -> JSON:
        """What the walk finds."""
        return asdict(chain.verify(app.ledger, progress=self._progress))

    def go(self, app: App) -> None:
        """Walk to the end. What stops it is kept, because nobody waits for this thread."""
        try:
            self.report = self.work(app)
        except _NotWantedError:
            self.problem = "the server stopped before the walk had ended"
            self._failure = Stopping("the server is stopping", 5)
        except Exception as error:  # noqa: BLE001  (whatever it is must be told to whoever asks how far the walk is)
            self.problem = f"{type(error).__name__}: {in_words(error)}"
            self._failure = error
        finally:
            self.finished_at = app.clock()
            self._done.set()

    def stop(self) -> None:
        """End the walk at its next step and wait until it has let go of the ledger."""
        self._wanted = False
        self._done.wait()

    def _progress(self, checked: int, total: int) -> None:
        if not self._wanted:
            raise _NotWantedError
        self.checked, self.total = checked, total


class _NotWantedError(Exception):
    """The walk is to end where it is."""


class Walks:
    """The walk that is under way, or the last one; two people who ask share one."""

    def __init__(self) -> None:
        self._last: Walk | None = None
        self._lock = threading.Lock()

    @property
    def last(self) -> Walk | None:
        return self._last

    def begin(self, app: App, by: str) -> Walk:
        """The walk under way, or a new one."""

        def new() -> Walk:
            head = app.ledger.last_event
            return Walk(app.clock(), by, total=head.seq if head else 0)

        return self._begun(app, new)

    def _begun(self, app: App, new: Callable[[], Walk]) -> Walk:
        with self._lock:
            if self._last is not None and not self._last.wait(0):
                return self._last
            self._last = new()
            threading.Thread(target=self._last.go, args=(app,), name="walk", daemon=True).start()
            return self._last

    def stop(self) -> None:
        """No walk reads the ledger after this; what it found so far is told to nobody any more."""
        with self._lock:
            if self._last is not None:
                self._last.stop()
