"""How large may a body be, how long may it take, and how many bytes of bodies are held at once?

Bodies are read before an endpoint asks who sends them, and before it is known whether there is room for one more
request: a slow sender must not take a place from others. So what all of them hold together is bounded, and strangers
have rooms of their own, which are no business of those who are signed in.

Strangers are not told apart by their addresses: the server listens on its own machine and believes no forwarded ones,
so that all have the same. A sign-in stays possible beside long and slow bodies: those have another room, and an end.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

LARGEST_UNSIGNED = 64 * 1024
"""What a body may have from whoever shows no valid token: it is read, and parsed, before anybody is asked for one."""
UNSIGNED_SECONDS = 5.0
"""Within which such a body must be whole, from the end of its head on."""
USUAL_SIGN_IN = 8 * 1024
"""Few sign-ins are longer. So much of each such body has a room apart from what goes beyond."""
LARGEST_BODY = 4 * 1024 * 1024
LARGEST_UPLOAD = 4 * 1024 * 1024 * 1024
"""A whole file, from somebody who may send one; it goes to a file as it comes, and is not held."""
MOST_HELD_UNSIGNED = 16 * 1024 * 1024
"""One half for what sign-ins need, the other for what goes beyond."""
MOST_HELD = 128 * 1024 * 1024
_AGAIN_SECONDS = "2"


class Bound(NamedTuple):
    """How many bytes a body may have, and the status of the answer to a larger one: 413, or 401 where it needs a
    token."""

    most: int
    status: int = 413

    @property
    def is_unsigned(self) -> bool:
        """Whether nobody is known to send it."""
        return self.most == LARGEST_UNSIGNED

    @property
    def sentence(self) -> str:
        """What whoever sent a larger one is told."""
        whose = " without a valid token" if self.is_unsigned else ""
        return f"The body may have at most {self.most} bytes{whose}."


class Room:
    """The bytes of bodies that are held by some, until their requests are answered."""

    def __init__(self, most: int) -> None:
        self._most, self.held = most, 0

    def take(self, some: int) -> None:
        """HTTPException (429) where there is no room for so many more."""
        if self.held + some > self._most:
            why = "bodies of other requests take all the room there is"
            raise HTTPException(429, why, {"retry-after": _AGAIN_SECONDS})
        self.held += some

    def give_back(self, some: int) -> None:
        self.held -= some


class Rooms:
    """The rooms of one server. `unsigned_seconds` is how long a body may take whose sender nobody knows."""

    def __init__(
        self,
        most: int = MOST_HELD,
        most_unsigned: int = MOST_HELD_UNSIGNED,
        unsigned_seconds: float = UNSIGNED_SECONDS,
    ) -> None:
        self._signed = Room(most)
        self._sign_ins, self._beyond = Room(most_unsigned // 2), Room(most_unsigned // 2)
        self._unsigned_seconds = unsigned_seconds

    @contextmanager
    def reading(self, receive: Receive, bound: Bound) -> Iterator[Receive]:
        """`receive` for one request, within its bound, its room and its time.

        A body that goes beyond them is refused by an HTTPException where it is read, which becomes the answer.
        """
        seen, taken = 0, Counter[Room]()
        come = _in_time(receive, self._unsigned_seconds) if bound.is_unsigned else receive

        async def within_bounds() -> Message:
            nonlocal seen
            message = await come()
            before, seen = seen, seen + len(message.get("body", b""))
            if seen > bound.most:
                raise HTTPException(bound.status, bound.sentence)
            for room, some in self._asked(bound, before, seen):
                room.take(some)
                taken[room] += some
            return message

        try:
            yield within_bounds
        finally:
            for room, some in taken.items():
                room.give_back(some)

    def _asked(self, bound: Bound, before: int, after: int) -> list[tuple[Room, int]]:
        """How much a body takes of which rooms as it grows from `before` to `after` bytes."""
        if bound.most == LARGEST_UPLOAD:
            return []
        if not bound.is_unsigned:
            return [(self._signed, after - before)]
        beginning = min(after, USUAL_SIGN_IN) - min(before, USUAL_SIGN_IN)
        return [(self._sign_ins, beginning), (self._beyond, after - before - beginning)]


def _in_time(receive: Receive, seconds: float) -> Receive:
    """`receive` for a body that must be whole within so many seconds of now; HTTPException (408) where it is not.

    What comes after the body, which is that the caller has gone, is waited for without an end.
    """
    ends, is_whole = asyncio.get_running_loop().time() + seconds, False

    async def until_it_ends() -> Message:
        nonlocal is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError as late:
            why = "the body did not come in the time there is without a valid token"
            raise HTTPException(408, why, {"connection": "close"}) from late
        is_whole = not message.get("more_body")
        return message

    return until_it_ends
