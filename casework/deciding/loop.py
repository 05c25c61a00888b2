"""How do many requests at once become few commits, with no answer before its decision is on disk?

Requests are decided by the event loop's own thread, all that came in together at once: handing them to another thread
and back costs more than the deciding of one, and two threads that compute take Python's lock from each other. Where
deciding would have to wait (for an import, a change of rules, the disk) a thread of its own does the waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from time import perf_counter

from casework.serving.refusals import NotNow, Overloaded, Stopping
from data.errors import SecondLookError
from data.transactions import Transaction

LARGEST_BATCH = 512
MOST_WAITING = 4096
"""Payments that wait at most: about three seconds of work. Whoever came later would time out before being answered."""
PATIENCE_SECONDS = 3.0
KEEPING_UP = 32
"""Payments that may wait in a server that keeps up: some 20 ms of work, or what is sent at once."""
AGAIN_SECONDS = 1.0
"""How often it is looked afterwards whether a hindrance has come up meanwhile."""
Answer = bytes | SecondLookError
Decide = Callable[[Sequence[Transaction], datetime], list[Answer]]
DecideNow = Callable[[Sequence[Transaction], datetime], list[Answer] | None]
Hindered = Callable[[bool], NotNow | None]
"""What is in the way; asked with whether senders have waited long for it already."""
Refused = Callable[[str, int], None]
Tell = Callable[[list[Answer] | Exception], None]
log = logging.getLogger("secondlook.decisions")


@dataclass(slots=True)
class _Request:
    """`answers` are those of the first transactions; `taken` says how many are decided or being decided."""

    transactions: Sequence[Transaction]
    tell: Tell
    answers: list[Answer] = field(default_factory=list)
    taken: int = 0
    told: bool = False


@dataclass(slots=True)
class _Part:
    """Transactions of one request that are decided in one go."""

    request: _Request
    transactions: Sequence[Transaction]


class DecisionLoop:
    """Takes whatever requests are waiting, decides them in one commit, and answers after it.

    `decide(transactions, at)` returns one answer each, in order, when all of them are durable; `decide_now` does so
    if it need not wait, and else returns None. A long request is decided in parts, so that others need not wait for
    all of it. But for `start` and `stop`, everything happens in one event loop's thread.

    No more than `most_waiting` payments wait, and none longer than `patience` seconds while `hindered` says what is in
    the way: whoever sent them is told to come again. `refused` is told why, and how many payments.
    """

    def __init__(
        self,
        decide: Decide,
        decide_now: DecideNow,
        clock: Callable[[], datetime],
        *,
        hindered: Hindered = lambda long: None,
        refused: Refused = lambda why, payments: None,
        most_waiting: int = MOST_WAITING,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._decide, self._decide_now, self._clock = decide, decide_now, clock
        self._hindered, self._refused = hindered, refused
        self._most_waiting, self._patience = most_waiting, patience
        self._waiting: deque[_Request] = deque()
        self._unanswered = 0
        self._moved = 0.0  # when the last payment was answered, or the first of those that wait came
        self._slow = ThreadPoolExecutor(1, "decisions")
        self._home: asyncio.AbstractEventLoop | None = None
        self._turn_is_coming = self._elsewhere = self._held_up = False
        self._timer: asyncio.TimerHandle | None = None
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open

    @property
    def waiting(self) -> int:
        """How many payments were taken and are not answered yet."""
        return self._unanswered

    def is_behind(self) -> bool:
        """Whether more payments wait than where decisions keep up. From any thread."""
        return self._unanswered > KEEPING_UP

    @property
    def still_seconds(self) -> float:
        """For how long payments have waited without any being answered; 0 where none waits. From any thread."""
        return perf_counter() - self._moved if self._unanswered else 0.0

    def start(self) -> None:
        self._open = True

    def stop(self) -> None:
        """Finish what is being decided, then end. Later requests are refused."""
        self._open = False
        self._slow.shutdown(wait=True)

    async def ask(self, transactions: Sequence[Transaction]) -> list[Answer]:
        """One answer each, in order, once they are on disk."""
        answer: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self.take(transactions, lambda told: _settle(answer, told))
        return await answer

    def take(self, transactions: Sequence[Transaction], tell: Tell) -> None:
        """The same without a future: `tell` is called with the answers, or with what went wrong.

        Stopping when the loop is not open any more, Overloaded when too many wait, or what `hindered` says when that
        has been in the way for some time.
        """
        try:
            self._check_room(len(transactions))
        except NotNow as refusal:
            self._refused(refusal.why, len(transactions))
            raise
        self._home = asyncio.get_running_loop()
        if not self._unanswered:
            self._moved = perf_counter()
        self._waiting.append(_Request(transactions, tell))
        self._unanswered += len(transactions)
        self._come_again()

    def _check_room(self, more: int) -> None:
        if not self._open:
            raise Stopping("the server is stopping", 5)
        if hindrance := self._hindered(self._held_up):
            raise hindrance
        # A batch longer than the bound is taken where nothing else waits, or it never would be.
        if self._unanswered and self._unanswered + more > self._most_waiting:
            wait = max(1, ceil(self._patience * self._unanswered / self._most_waiting))
            raise Overloaded("too many payments are waiting to be decided", wait)

    def _come_again(self) -> None:
        if self._waiting and not self._turn_is_coming and not self._elsewhere and self._home is not None:
            self._turn_is_coming = True
            self._home.call_soon(self._turn)

    def _turn(self) -> None:
        """Decide what has come in; between two turns the event loop reads what else there is."""
        self._turn_is_coming = False
        if self._elsewhere or not self._open:
            return
        parts = self._gather()
        try:
            answers = self._decide_now(_together(parts), self._clock())
        except NotNow as refusal:
            self._deliver(parts, self._refusals(parts, refusal))
            self._come_again()
            return
        except Exception:
            # The waiting thread tries again, each alone if need be; what is on disk by now gets its stored answer.
            log.exception("%d requests could not be decided at once", len(parts))
            answers = None
        if answers is None:
            self._elsewhere = True
            self._slow.submit(self._wait_for, parts)
            self._look_again(self._patience, parts)
        else:
            self._deliver(parts, _shares(parts, answers))
        self._come_again()

    def _look_again(self, seconds: float, parts: Sequence[_Part]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up, parts)

    def _give_up(self, parts: Sequence[_Part]) -> None:
        """Have senders come again where their wait has been long, and its end cannot be foreseen.

        What they wait for may turn into such a wait: an import ends, and then what decides is built anew.
        """
        self._look_again(AGAIN_SECONDS, parts)
        hindrance = self._hindered(True)
        if hindrance is None:
            return
        self._held_up = True
        for request in [*(part.request for part in parts), *self._waiting]:
            if not request.told:
                self._refused(hindrance.why, len(request.transactions))
                self._tell(request, hindrance)
        self._waiting.clear()

    def _tell(self, request: _Request, told: list[Answer] | Exception) -> None:
        """Each request is answered once, though one that was given up may be decided all the same."""
        if not request.told:
            request.told = True
            self._moved = perf_counter()
            self._unanswered -= len(request.transactions)
            request.tell(told)

    def _gather(self) -> list[_Part]:
        parts, room = [], LARGEST_BATCH
        while self._waiting and room:
            request = self._waiting[0]
            some = request.transactions[request.taken : request.taken + room]
            request.taken += len(some)
            room -= len(some)
            parts.append(_Part(request, some))
            if request.taken == len(request.transactions):
                self._waiting.popleft()
        return parts

    def _wait_for(self, parts: Sequence[_Part]) -> None:
        """In the thread that may wait."""
        found = self._tried(parts)
        assert self._home is not None
        with suppress(RuntimeError):  # the event loop has closed: nobody is left to be told
            self._home.call_soon_threadsafe(self._back, parts, found)

    def _tried(self, parts: Sequence[_Part]) -> list[list[Answer] | Exception]:
        """One request that cannot be decided must not fail its neighbours: then each is tried alone."""
        try:
            return _shares(parts, self._decide(_together(parts), self._clock()))
        except NotNow as refusal:
            return self._refusals(parts, refusal)
        except Exception as error:
            log.exception("%d requests could not be decided together", len(parts))
            return [error] if len(parts) == 1 else [self._tried([part])[0] for part in parts]

    def _refusals(self, parts: Sequence[_Part], refusal: NotNow) -> list[list[Answer] | Exception]:
        """What keeps one from being decided keeps its neighbours."""
        self._refused(refusal.why, sum(len(part.transactions) for part in parts))
        return [refusal] * len(parts)

    def _back(self, parts: Sequence[_Part], found: Sequence[list[Answer] | Exception]) -> None:
        self._elsewhere = self._held_up = False
        if self._timer is not None:
            self._timer.cancel()
        self._deliver(parts, found)
        self._come_again()

    def _deliver(self, parts: Sequence[_Part], found: Sequence[list[Answer] | Exception]) -> None:
        for part, answers in zip(parts, found, strict=True):
            request = part.request
            if isinstance(answers, Exception):
                if self._waiting and self._waiting[0] is request:
                    self._waiting.popleft()  # the rest of it is not decided
                self._tell(request, answers)
                continue
            request.answers += answers
            if len(request.answers) == len(request.transactions):
                self._tell(request, request.answers)


def _together(parts: Sequence[_Part]) -> list[Transaction]:
    return [transaction for part in parts for transaction in part.transactions]


def _shares(parts: Sequence[_Part], answers: list[Answer]) -> list[list[Answer] | Exception]:
    shares: list[list[Answer] | Exception] = []
    start = 0
    for part in parts:
        shares.append(answers[start : start + len(part.transactions)])
        start += len(part.transactions)
    return shares


def _settle(answer: asyncio.Future[list[Answer]], told: list[Answer] | Exception) -> None:
    if answer.done():  # the caller has gone
        return
    if isinstance(told, Exception):
        answer.set_exception(told)
    else:
        answer.set_result(told)
