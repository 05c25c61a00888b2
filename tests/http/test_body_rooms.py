"""Do bodies take no more room and time than there is, and can somebody sign in beside those of others?"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from casework.http.bounds import LARGEST_BODY, LARGEST_UNSIGNED, USUAL_SIGN_IN, Bound, Rooms
from casework.http.json_bodies import JsonBodies
from casework.http.security import SecurityHeaders

STRANGER, KNOWN = Bound(LARGEST_UNSIGNED), Bound(LARGEST_BODY)


def part(of: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": of, "more_body": more}


def test_bodies_take_no_more_room_together_than_there_is_and_strangers_have_their_own() -> None:
    rooms = Rooms(most=LARGEST_BODY, most_unsigned=20)  # ten for what sign-ins need

    async def six() -> Message:
        return part(b"123456")

    async def read() -> None:
        with rooms.reading(six, STRANGER) as first, rooms.reading(six, STRANGER) as second:
            await first()
            with pytest.raises(HTTPException, match="all the room") as refused:
                await second()
            assert refused.value.headers == {"retry-after": "2"}
            with rooms.reading(six, KNOWN) as signed:
                await signed()
        with rooms.reading(six, STRANGER) as later:  # once the first is answered
            await later()

    asyncio.run(read())


def test_long_bodies_of_strangers_leave_room_for_a_sign_in() -> None:
    rooms = Rooms()

    async def long() -> Message:
        return part(bytes(LARGEST_UNSIGNED))

    async def sign_in() -> Message:
        return part(bytes(USUAL_SIGN_IN), more=False)

    async def fill() -> None:
        with ExitStack() as held:
            with pytest.raises(HTTPException, match="all the room"):
                while True:
                    await held.enter_context(rooms.reading(long, STRANGER))()
            with rooms.reading(sign_in, STRANGER) as read:
                assert await read() == await sign_in()

    asyncio.run(fill())


def test_a_body_of_nobody_that_is_not_whole_in_time_is_told_so_and_gives_its_room_back() -> None:
    rooms = Rooms(most_unsigned=20, unsigned_seconds=0.05)
    begun: list[Message] = [part(b"123456")]
    told: list[Message] = []

    async def receive() -> Message:
        if not begun:
            await asyncio.Event().wait()
        return begun.pop()

    async def unasked(*_: Any) -> None:
        raise AssertionError("half a body was taken for a whole one")

    async def send(message: Message) -> None:
        told.append(message)

    async def ask() -> None:
        app = SecurityHeaders(JsonBodies(unasked), lambda *_: STRANGER, rooms)
        headers = [(b"content-type", b"application/json")]
        await app({"type": "http", "method": "POST", "path": "/v1/x", "headers": headers}, receive, send)
        begun.append(part(b"1234567890"))
        with rooms.reading(receive, STRANGER) as later:
            await later()

    asyncio.run(asyncio.wait_for(ask(), 20))
    assert told[0]["status"] == 408 and (b"connection", b"close") in told[0]["headers"]
    assert json.loads(told[1]["body"])["hint"] == "Send it again, all of it at once."


def test_neither_who_is_known_nor_what_comes_after_a_body_is_hurried() -> None:
    rooms = Rooms(unsigned_seconds=0.01)
    gone: Message = {"type": "http.disconnect"}
    coming = [part(b"1", more=False), gone]

    async def slow() -> Message:
        await asyncio.sleep(0.03)
        return part(b"1")

    async def whole() -> Message:
        message = coming.pop(0)
        if message is gone:
            await asyncio.sleep(0.03)
        return message

    async def read() -> None:
        with rooms.reading(slow, KNOWN) as known:
            assert await known() == part(b"1")
        with rooms.reading(whole, STRANGER) as stranger:
            assert [await stranger(), await stranger()] == [part(b"1", more=False), gone]

    asyncio.run(read())
