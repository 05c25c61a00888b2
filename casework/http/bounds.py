"""How large may a body be, and how many bytes of bodies are held at once?

Bodies are read before an endpoint asks who sends them, and before it is known whether there is room for one more
request: a slow sender must not take a place from others. So what all of them hold together is bounded, and strangers
have a room of their own, which is no business of those who are signed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

LARGEST_UNSIGNED = 64 * 1024
"""What a body may have from whoever shows no valid token: it is read, and parsed, before anybody is asked for one."""
LARGEST_BODY = 4 * 1024 * 1024
LARGEST_UPLOAD = 4 * 1024 * 1024 * 1024
"""A whole file, from somebody who may send one; it goes to a file as it comes, and is not held."""
MOST_HELD_UNSIGNED = 16 * 1024 * 1024
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
    """The rooms of one server."""

    def __init__(self, most: int = MOST_HELD, most_unsigned: int = MOST_HELD_UNSIGNED) -> None:
        self._signed, self._unsigned = Room(most), Room(most_unsigned)

    @contextmanager
    def reading(self, receive: Receive, bound: Bound) -> Iterator[Receive]:
        """`receive` for one request, within its bound and its room.

        A body that grows beyond them is refused by an HTTPException where it is read, which becomes the answer.
        """
        seen = taken = 0
        room = self._unsigned if bound.is_unsigned else self._signed

        async def within_bounds() -> Message:
            nonlocal seen, taken
            message = await receive()
            more = len(message.get("body", b""))
            seen += more
            if seen > bound.most:
                raise HTTPException(bound.status, bound.sentence)
            if bound.most != LARGEST_UPLOAD:
                room.take(more)
                taken += more
            return message

        try:
            yield within_bounds
        finally:
            room.give_back(taken)
