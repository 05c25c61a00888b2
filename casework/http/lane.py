"""How does a payment system's connection get its decisions without the detours of a general server?

A connection starts in this lane and stays as long as it asks for nothing but decisions, in the plain form that HTTP
clients use. The first request that is anything else hands the connection over, with every byte not yet answered, to
uvicorn's own protocol, and that serves it from then on; also the two deciding endpoints, only slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.responses import Response
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from casework.app import App
from casework.http.bounds import LARGEST_UNSIGNED
from casework.http.clerk import Clerk
from casework.http.security import HEADERS, STRICT

_LONGEST_HEAD = 8192
_MOST_HEADS = 512
_IDLE_SECONDS = 5.0
_END = b"\r\n\r\n"
_PATHS = {b"POST /v1/decisions HTTP/1.1": False, b"POST /v1/decisions/batch HTTP/1.1": True}
_STARTS = b"POST /v1/decisions"
_KNOWN = frozenset((b"content-length", b"content-type", b"authorization"))
_HARMLESS = frozenset(
    (b"host", b"accept", b"accept-encoding", b"user-agent", b"connection", b"accept-language")
)
_SECURITY = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()).encode()
_SECURITY += f"content-security-policy: {STRICT}\r\n".encode()


class Head(NamedTuple):
    """What a plain request's head says."""

    batch: bool
    length: int
    authorization: bytes


def read_head(head: bytes) -> Head | None:
    """A plain head for one of the deciding endpoints, without its last empty line; None for every other."""
    lines = head.split(b"\r\n")
    batch = _PATHS.get(lines[0])
    found: dict[bytes, bytes] = {}
    if batch is None or b"\n" in head.replace(b"\r\n", b"") or b"\0" in head:
        return None
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name in found or (name not in _KNOWN and name not in _HARMLESS):
            return None
        found[name] = value.strip(b" \t")
    length = found.get(b"content-length", b"")
    plain = found.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"application/json"
    if (
        not plain
        or not length.isdigit()
        or len(length) > 8
        or found.get(b"connection", b"").lower()
        not in (
            b"",
            b"keep-alive",
        )
    ):
        return None
    return Head(batch, int(length), found.get(b"authorization", b"")) if b"host" in found else None


class Lanes:
    """What all connections of one server share. Called by uvicorn for each new one."""

    def __init__(self, app: App) -> None:
        self.clerk = Clerk(app)
        self._heads: dict[bytes, Head] = {}
        self._told: list[tuple[bytes, bytes]] | None = None
        self._start = b""

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> DecisionLane:
        return DecisionLane(
            self, server_state, lambda: HttpToolsProtocol(config, server_state, app_state, _loop)
        )

    def head(self, content: bytes) -> Head | None:
        """Clients send the same head again and again, so each is read once."""
        found = self._heads.get(content)
        if found is None and (found := read_head(content)) is not None:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            self._heads[content] = found
        return found

    def takes(self, head: Head) -> bool:
        """Whether a body of this length is waited for here; what is too large is refused by the general server."""
        return head.length <= LARGEST_UNSIGNED or head.length <= self.clerk.longest(head.authorization)

    def waits_for(self, head: Head) -> bool:
        """Whether the rest of a body is waited for here: a stranger's has an end in time, and a room with others, which
        the general server keeps."""
        return self.clerk.longest(head.authorization) > LARGEST_UNSIGNED

    def decided(self, state: ServerState, body: bytes) -> bytes:
        """The whole response with a decision."""
        if self._told is not state.default_headers:  # uvicorn makes a new list when the date changes
            self._told = state.default_headers
            common = b"".join([b"%b: %b\r\n" % header for header in self._told])
            self._start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + common + _SECURITY
        return b"%bcontent-length: %d\r\n\r\n%b" % (self._start, len(body), body)


def refused(state: ServerState, response: Response) -> bytes:
    """The whole response with a problem."""
    told = [*response.raw_headers, *state.default_headers]
    lines = b"".join([b"%b: %b\r\n" % header for header in told])
    return b"HTTP/1.1 %d \r\n%b%b\r\n%b" % (response.status_code, lines, _SECURITY, bytes(response.body))


class DecisionLane(asyncio.Protocol):
    """One connection. `shutdown` is uvicorn's word for: answer what was asked, then close."""

    def __init__(self, lanes: Lanes, state: ServerState, general: Callable[[], asyncio.Protocol]) -> None:
        self._lanes, self._state, self._general = lanes, state, general
        self._transport: asyncio.Transport
        self._got = b""
        self._asked = self._closing = self._full = False
        self._timer: asyncio.TimerHandle | None = None
        self._moved = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def shutdown(self) -> None:
        self._closing = True
        if not self._asked:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._moved = True
        self._got = self._got + data if self._got else data
        if self._asked:  # a second request before the first was answered waits, and its sender with it
            self._transport.pause_reading()
        else:
            self._next()

    def _next(self) -> None:
        """Take the next request if all of it is there."""
        got = self._got
        end = got.find(_END)
        if end < 0:
            if len(got) > _LONGEST_HEAD or not (got.startswith(_STARTS) or _STARTS.startswith(got)):
                self._hand_over()
            return
        head = self._lanes.head(got[:end])
        if head is None or not self._lanes.takes(head):
            self._hand_over()
            return
        whole = end + 4 + head.length
        if len(got) < whole:
            if not self._lanes.waits_for(head):
                self._hand_over()
            return
        body, self._got = got[end + 4 : whole], got[whole:]
        self._asked = True
        self._lanes.clerk.take(head.batch, head.authorization, body, self._answer)

    def _answer(self, answer: bytes | Response) -> None:
        if self._transport.is_closing():
            return
        if isinstance(answer, bytes):
            self._transport.write(self._lanes.decided(self._state, answer))
        else:
            self._transport.write(refused(self._state, answer))
        self._moved = True  # idle from now on, however long the answer took
        if self._full:
            return  # whoever does not read answers gets no more of them
        if self._got:
            # In a turn of its own: refusals are told at once, so that each would be made inside the one before it.
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            self._go_on()

    def _go_on(self) -> None:
        """What comes after an answer; until now the request counts as unanswered, and nothing more is read."""
        if self._transport.is_closing():
            return
        self._asked = False
        if self._closing:
            self._transport.close()
            return
        self._transport.resume_reading()
        if self._got:
            self._next()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    def _hand_over(self) -> None:
        self._leave()
        general = self._general()
        self._transport.set_protocol(general)
        general.connection_made(self._transport)
        general.data_received(self._got)

    def _leave(self) -> None:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self) -> None:
        """Close a connection on which nothing came for a while, as uvicorn does."""
        if self._timer is not None and not self._moved and not self._asked:
            self._transport.close()
            return
        self._moved = False
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._watch)
