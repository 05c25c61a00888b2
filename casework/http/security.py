"""Which headers does every answer carry, and which bodies are refused before they are read?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.http.bounds import Bound, Rooms
from casework.http.problems import HINTS, problem

_DOCS = ("/docs", "/redoc", "/openapi.json")

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
STRICT = "default-src 'none'; frame-ancestors 'none'"


class SecurityHeaders:
    """ASGI middleware: adds the headers, and refuses a body that is too large before reading it.

    `bound_of(path, authorization header)` says what is too large there: bodies are read before endpoints ask who sends.
    `rooms` are those that they have together.
    """

    def __init__(
        self, app: ASGIApp, bound_of: Callable[[str, str], Bound], rooms: Rooms | None = None
    ) -> None:
        self._app, self._bound_of, self._rooms = app, bound_of, rooms or Rooms()

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
        if bound.is_unsigned and headers.get("content-type", "").lower().startswith("multipart/"):
            # Such a body is read by the endpoint, and so in a place of those that are under way.
            answer = problem(401, "Sign in first", "Files are taken with a valid token only.", HINTS[401])
            await answer(scope, receive, send_with_headers)
            return
        with self._rooms.reading(receive, bound) as within_bounds:
            await self._app(scope, within_bounds, send_with_headers)


def _declared_length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0
