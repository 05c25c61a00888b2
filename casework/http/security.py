"""Which headers does every answer carry, and how large may a request be?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.http.problems import HINTS, problem

LARGEST_UNSIGNED = 64 * 1024
"""What a body may have from whoever shows no valid token: it is read, and parsed, before anybody is asked for one."""
LARGEST_BODY = 4 * 1024 * 1024
LARGEST_UPLOAD = 4 * 1024 * 1024 * 1024
_DOCS = ("/docs", "/redoc", "/openapi.json")

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
STRICT = "default-src 'none'; frame-ancestors 'none'"


class Bound(NamedTuple):
    """How many bytes a body may have, and the status of the answer to a larger one: 413, or 401 where it needs a
    token."""

    most: int
    status: int = 413

    @property
    def sentence(self) -> str:
        """What whoever sent a larger one is told."""
        whose = " without a valid token" if self.most == LARGEST_UNSIGNED else ""
        return f"The body may have at most {self.most} bytes{whose}."


class TooLarge(HTTPException):
    """A body grew beyond its bound while it was read."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(bound.status, bound.sentence)


class SecurityHeaders:
    """ASGI middleware: adds the headers, and refuses a body that is too large before reading it.

    `bound_of(path, authorization header)` says what is too large there: bodies are read before endpoints ask who sends.
    """

    def __init__(self, app: ASGIApp, bound_of: Callable[[str, str], Bound]) -> None:
        self._app, self._bound_of = app, bound_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if path not in _DOCS:
                    headers.setdefault("content-security-policy", STRICT)
            await send(message)

        headers = Headers(scope=scope)
        bound = self._bound_of(path, headers.get("authorization", ""))
        if _declared_length(headers) > bound.most:
            title = "Too large" if bound.status == 413 else "Sign in first"
            answer = problem(bound.status, title, bound.sentence, HINTS[bound.status])
            await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, _limited(receive, bound), send_with_headers)


def _declared_length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


def _limited(receive: Receive, bound: Bound) -> Receive:
    seen = 0

    async def receive_within_limit() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > bound.most:
            # A chunked body declares no length. Raised where the body is read, this becomes the answer.
            raise TooLarge(bound)
        return message

    return receive_within_limit
