"""How many answers a second does an HTTP server give, and how late is each? A light client on raw sockets.

Requests are bytes made beforehand; one thread and one selector serve all connections, so that the generator takes
little of the machine it shares with the server.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_LAST_ANSWERS = 60.0


@dataclass
class Measured:
    """Seconds each answer took, seconds of the whole run, processor seconds of whoever answered, answers not 200."""

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0
    refused: int = 0
    unanswered: int = 0

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """The time within which this share of the answers came, in milliseconds."""
        ordered = sorted(self.took)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class _Connection:
    def __init__(self, port: int) -> None:
        self.open(port)
        self.due, self.waits = 0.0, False
        self._got = bytearray()
        self._whole = 0

    def open(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes, due: float) -> None:
        self.due, self.waits = due, True
        self.socket.sendall(request)

    def receive(self) -> int:
        """The status of the answer if it is all there, else 0. ConnectionError if the server hung up."""
        got = self.socket.recv(1 << 18)
        if not got:
            raise ConnectionError("the server closed the connection")
        self._got += got
        if not self._whole:
            end = self._got.find(_END_OF_HEAD)
            if end < 0:
                return 0
            head = bytes(self._got[:end]).lower()
            start = head.index(_LENGTH) + len(_LENGTH)
            self._whole = end + 4 + int(head[start : start + 12].split(b"\r\n")[0])
        if len(self._got) < self._whole:
            return 0
        status = int(self._got[9:12])
        self._got.clear()
        self._whole, self.waits = 0, False
        return status


def closed_loop(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Measured:
    """Each connection sends its next request when it has its answer. Ends with the requests or the seconds."""
    return _run(port, iter(requests), connections, seconds, None)


def open_loop(
    port: int,
    requests: Sequence[bytes],
    connections: int,
    seconds: float,
    rate: float,
    over: Callable[[], bool] = lambda: False,
) -> Measured:
    """Requests fall due at a fixed rate whatever the server does, and count from when they were due. Ends with the
    requests, the seconds, or when it is `over`."""
    return _run(port, iter(requests), connections, seconds, rate, over)


def _run(
    port: int,
    requests: Iterator[bytes],
    connections: int,
    seconds: float,
    rate: float | None,
    over: Callable[[], bool] = lambda: False,
) -> Measured:
    measured = Measured()
    selector = selectors.DefaultSelector()
    idle = deque(_Connection(port) for _ in range(connections))
    for connection in idle:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    start = time.perf_counter()
    sent, more = 0, True
    try:
        while True:
            now = time.perf_counter()
            more = more and now - start < seconds and not over()
            while more and idle and (rate is None or start + sent / rate <= now):
                request = next(requests, None)
                if request is None:
                    more = False
                    break
                idle.popleft().send(request, now if rate is None else start + sent / rate)
                sent += 1
            if len(idle) == connections and not more:
                break
            if now - start > seconds + _LAST_ANSWERS:
                measured.unanswered = connections - len(idle)
                break
            pause = 0.5 if rate is None or not idle else max(0.0, start + sent / rate - now)
            for key, _ in selector.select(min(pause, 0.5)):
                if key.data.waits:
                    _take(key.data, measured, idle)
                else:
                    _renew(key.data, port, selector)
        measured.seconds = time.perf_counter() - start
    finally:
        selector.close()
        for connection in idle:
            connection.socket.close()
    return measured


def _renew(connection: _Connection, port: int, selector: selectors.BaseSelector) -> None:
    """A server closes connections that nobody used for a while, as it may: here at the end of a run that it was behind
    in, while it answers the others."""
    selector.unregister(connection.socket)
    connection.socket.close()
    connection.open(port)
    selector.register(connection.socket, selectors.EVENT_READ, connection)


def _take(connection: _Connection, measured: Measured, idle: deque[_Connection]) -> None:
    status = connection.receive()
    if status:
        measured.took.append(time.perf_counter() - connection.due)
        measured.refused += status != 200
        idle.append(connection)
