"""Does a connection get the same answers in its own lane as by the general server, however its bytes arrive?"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from uvicorn.server import ServerState

from casework.http import lane
from casework.http.lane import read_head
from tests.http.institution import Institution, payment

HEAD = b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2"


def request(institution: Institution, body: Any, *more: str, path: str = "/v1/decisions") -> bytes:
    content = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: localhost", "content-type: application/json", *more]
    lines += [f"authorization: Bearer {institution.token('integrator-1')}", f"content-length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@contextmanager
def connected(institution: Institution) -> Iterator[socket.socket]:
    host, port = institution.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Status, headers and parsed body of the next response."""
    with connection.makefile("rb", buffering=0) as file:
        status = int(file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        content = b""
        while len(content) < int(headers["content-length"]):
            content += file.read(int(headers["content-length"]) - len(content))
    return status, headers, json.loads(content)


def test_requests_follow_each_other_on_one_connection_also_unasked(institution: Institution) -> None:
    bodies = [payment(n, transaction_id=f"lane-{n}") for n in (1, 2, 3)]
    with connected(institution) as connection:
        connection.sendall(b"".join(request(institution, body) for body in bodies))
        told = [answer(connection) for _ in bodies]
    assert [(status, decided["transaction_id"]) for status, _, decided in told] == [
        (200, "lane-1"),
        (200, "lane-2"),
        (200, "lane-3"),
    ]


def test_a_thousand_refusals_of_one_read_are_told_one_after_the_other() -> None:
    """Deeper than Python's stack, had each been told inside the one before; in between others have their turns."""
    asked = [b"POST /v1/decisions HTTP/1.1\r\nhost: a\r\n\r\n"] * 1_500
    turns = 0

    async def told() -> list[bytes]:
        nonlocal turns
        transport = _Closing()
        connection = lane.DecisionLane(_Refusing(), ServerState(), asyncio.Protocol)  # type: ignore[arg-type]
        connection.connection_made(transport)
        connection.data_received(b"".join(asked))
        while len(transport.written) < len(asked):
            turns += 1
            await asyncio.sleep(0)
        connection.connection_lost(None)
        return transport.written

    assert asyncio.run(told()) == [b"%d" % n for n in range(len(asked))]
    assert turns > len(asked) // 2


def test_whoever_reads_no_answers_is_given_no_more_of_them() -> None:
    async def told() -> list[list[bytes]]:
        transport = _Closing()
        connection = lane.DecisionLane(_Refusing(), ServerState(), asyncio.Protocol)  # type: ignore[arg-type]
        connection.connection_made(transport)
        transport.fills_up = connection.pause_writing
        connection.data_received(b"POST /v1/decisions HTTP/1.1\r\nhost: a\r\n\r\n" * 3)
        for _ in range(5):
            await asyncio.sleep(0)
        unread = list(transport.written)
        transport.fills_up = None
        connection.resume_writing()
        for _ in range(5):
            await asyncio.sleep(0)
        connection.connection_lost(None)
        return [unread, transport.written]

    assert asyncio.run(told()) == [[b"0"], [b"0", b"1", b"2"]]


def test_a_request_that_comes_byte_by_byte_is_answered(institution: Institution) -> None:
    with connected(institution) as connection:
        for byte in request(institution, payment(4, transaction_id="slowly")):
            connection.sendall(bytes([byte]))
        assert answer(connection)[2]["transaction_id"] == "slowly"


def test_a_connection_that_asks_for_something_else_is_served_on(institution: Institution) -> None:
    with connected(institution) as connection:
        connection.sendall(request(institution, payment(5, transaction_id="first")))
        _, lane, _ = answer(connection)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert answer(connection)[0] == 200
        connection.sendall(request(institution, payment(6, transaction_id="second")))
        status, general, decided = answer(connection)
    assert (status, decided["transaction_id"]) == (200, "second")
    assert lane.keys() == general.keys()
    assert {**lane, "date": "", "content-length": ""} == {**general, "date": "", "content-length": ""}


@pytest.mark.parametrize(
    "body", [{"transaction_id": ""}, [1], payment(1, amount="1e99"), payment(1, entities={"nobody": "x"})]
)
def test_a_refusal_is_the_same_in_the_lane_as_by_the_general_server(
    institution: Institution, body: Any
) -> None:
    told = []
    for more in ((), ("x-request-id: 1",)):  # a header that the lane does not know
        with connected(institution) as connection:
            connection.sendall(request(institution, body, *more))
            status, headers, problem = answer(connection)
            told.append((status, {**headers, "date": ""}, problem))
    assert told[0][0] == 422
    assert told[0] == told[1]


def test_nobody_gets_a_decision_without_a_token(institution: Institution) -> None:
    content = request(institution, payment(7)).replace(b"Bearer ", b"Bearer not-")
    with connected(institution) as connection:
        connection.sendall(content)
        status, headers, problem = answer(connection)
    assert (status, headers["www-authenticate"], problem["title"]) == (401, "Bearer", "Sign in first")


def test_a_batch_is_answered_in_the_lane(institution: Institution) -> None:
    body = {"transactions": [payment(8, transaction_id="in-batch"), {"transaction_id": "broken"}]}
    with connected(institution) as connection:
        connection.sendall(request(institution, body, path="/v1/decisions/batch"))
        _, _, told = answer(connection)
    assert told["decisions"][0]["transaction_id"] == "in-batch"
    assert "problem" in told["decisions"][1]


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"POST", b"PUT"),
        HEAD.replace(b"/v1/decisions", b"/v1/decisions?x=1"),
        HEAD.replace(b"application/json", b"text/plain"),
        HEAD.replace(b"content-length: 2", b"content-length: +2"),
        HEAD.replace(b"host: x\r\n", b""),
        HEAD + b"\r\ncontent-length: 2",
        HEAD + b"\r\ntransfer-encoding: chunked",
        HEAD + b"\r\nexpect: 100-continue",
        HEAD + b"\r\nconnection: close",
        HEAD + b"\r\n folded",
        HEAD + b"\naccept: x",
        HEAD + b"\r\naccept : x",
    ],
)
def test_every_head_that_is_not_plain_is_left_to_the_general_server(head: bytes) -> None:
    assert read_head(HEAD) is not None
    assert read_head(head) is None


def test_a_connection_is_not_idle_for_the_time_that_its_answer_took() -> None:
    async def looked_at_after_an_answer() -> list[bool]:
        transport, state = _Closing(), ServerState()
        connection = lane.DecisionLane(_Taking(), state, asyncio.Protocol)  # type: ignore[arg-type]
        connection.connection_made(transport)
        connection.data_received(b"POST /v1/decisions HTTP/1.1\r\nhost: a\r\n\r\n")
        connection._watch()  # its answer is under way, and nothing comes meanwhile
        connection._answer(b"{}")
        connection._watch()
        just_answered = transport.closed
        connection._watch()
        connection.connection_lost(None)
        return [just_answered, transport.closed]

    assert asyncio.run(looked_at_after_an_answer()) == [False, True]


def test_an_unfinished_body_of_nobody_is_left_to_the_general_server(institution: Institution) -> None:
    """Which gives it five seconds and no more room than others have; here it could come for hours."""
    lanes = lane.Lanes(institution.app)

    async def handed_over(begun: bytes) -> bytes:
        general = _General()
        connection = lane.DecisionLane(lanes, ServerState(), lambda: general)
        connection.connection_made(_Closing())
        connection.data_received(begun)
        connection.connection_lost(None)
        return general.got

    known = request(institution, payment(1))[:-1]
    stranger = known.replace(b"Bearer ", b"Bearer x")
    assert asyncio.run(handed_over(known)) == b""
    assert asyncio.run(handed_over(stranger)) == stranger


class _General(asyncio.Protocol):
    """What takes a connection over, and what came on it."""

    got = b""

    def data_received(self, data: bytes) -> None:
        self.got += data


class _Closing(asyncio.Transport):
    """A transport that only remembers what was written to it, and whether it was closed."""

    closed = False
    fills_up: Callable[[], None] | None = None

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)
        if self.fills_up is not None:
            self.fills_up()

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...
    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class _Taking:
    """All that connections share: requests are taken and never answered."""

    def __init__(self) -> None:
        self.clerk = self

    def head(self, content: bytes) -> lane.Head:
        return lane.Head(False, 0, b"")

    def takes(self, head: lane.Head) -> bool:
        return True

    def take(self, *request: object) -> None: ...

    def decided(self, state: object, body: bytes) -> bytes:
        return body


class _Refusing(_Taking):
    """Each request is answered at once, with its number."""

    def __init__(self) -> None:
        super().__init__()
        self._told = 0

    def take(self, *request: Any) -> None:
        *_, tell = request
        self._told += 1
        tell(b"%d" % (self._told - 1))
