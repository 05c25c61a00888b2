"""How do many requests at once become few commits, with no answer before its decision is on disk?"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from data.errors import LedgerError, SecondLookError
from data.transactions import Transaction

LARGEST_BATCH = 256
Answer = bytes | SecondLookError
Decide = Callable[[Sequence[Transaction], datetime], list[Answer]]
log = logging.getLogger("secondlook.decisions")


Waiter = Future[list[Answer]] | asyncio.Future[list[Answer]]


@dataclass(slots=True)
class _Request:
    """`home` is the event loop that an asyncio future belongs to."""

    transactions: Sequence[Transaction]
    answer: Waiter = field(default_factory=Future)
    home: asyncio.AbstractEventLoop | None = None


class DecisionLoop:
    """One thread that takes whatever requests are waiting, decides them in one commit, and answers after it.

    `decide(transactions, at)` returns one answer each, in order, when all of them are durable.
    """

    def __init__(self, decide: Decide, clock: Callable[[], datetime]) -> None:
        self._decide, self._clock = decide, clock
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="decisions", daemon=True)
        self._closing = threading.Lock()
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open

    def start(self) -> None:
        self._open = True
        self._thread.start()

    def stop(self) -> None:
        """Decide what is waiting, then end. Later requests are refused."""
        with self._closing:
            if not self._open:
                return
            self._open = False
            self._waiting.put(None)
        self._thread.join()

    def submit(self, transactions: Sequence[Transaction]) -> Future[list[Answer]]:
        """Queue transactions; the future holds one answer each once they are on disk."""
        answer: Future[list[Answer]] = Future()
        self._put(_Request(transactions, answer))
        return answer

    async def ask(self, transactions: Sequence[Transaction]) -> list[Answer]:
        """The same from an event loop, which is woken once for all the answers of a commit."""
        home = asyncio.get_running_loop()
        answer: asyncio.Future[list[Answer]] = home.create_future()
        self._put(_Request(transactions, answer, home))
        return await answer

    def _put(self, request: _Request) -> None:
        with self._closing:
            if not self._open:
                raise LedgerError("the server is stopping", hint="Send the request again when it is back.")
            self._waiting.put(request)

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batch, ended = self._gather(first)
            self._answer(batch)
            if ended:
                return

    def _gather(self, first: _Request) -> tuple[list[_Request], bool]:
        batch, size = [first], len(first.transactions)
        while size < LARGEST_BATCH:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return batch, True
            batch.append(request)
            size += len(request.transactions)
        return batch, False

    def _answer(self, batch: Sequence[_Request]) -> None:
        together = [transaction for request in batch for transaction in request.transactions]
        try:
            answers = self._decide(together, self._clock())
        except Exception as error:
            log.exception("%d requests could not be decided together", len(batch))
            self._fail(batch, error)
            return
        _deliver(batch, _shares(batch, answers))

    def _fail(self, batch: Sequence[_Request], error: Exception) -> None:
        """One request that cannot be decided must not fail its neighbours: each is tried alone."""
        if len(batch) == 1:
            _deliver(batch, [error])
            return
        for request in batch:
            self._answer([request])


def _shares(batch: Sequence[_Request], answers: list[Answer]) -> list[list[Answer]]:
    shares, start = [], 0
    for request in batch:
        end = start + len(request.transactions)
        shares.append(answers[start:end])
        start = end
    return shares


def _deliver(batch: Sequence[_Request], shares: Sequence[list[Answer] | Exception]) -> None:
    """Give each request its share; every event loop is woken once, since each wake-up costs the deciding thread."""
    by_home: dict[asyncio.AbstractEventLoop | None, list[tuple[Waiter, list[Answer] | Exception]]] = {}
    for request, share in zip(batch, shares, strict=True):
        by_home.setdefault(request.home, []).append((request.answer, share))
    for home, given in by_home.items():
        if home is None:
            _settle(given)
        else:
            with suppress(RuntimeError):  # the event loop has closed: nobody is left to be told
                home.call_soon_threadsafe(_settle, given)


def _settle(given: Sequence[tuple[Waiter, list[Answer] | Exception]]) -> None:
    for waiter, share in given:
        if waiter.done():  # the caller has gone
            continue
        if isinstance(share, Exception):
            waiter.set_exception(share)
        else:
            waiter.set_result(share)
