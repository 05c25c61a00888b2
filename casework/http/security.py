"""Which headers does every answer carry, and how large may a request be?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.http.problems import problem

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
_IN_PARTS = "Send it in parts."
STRICT = "default-src 'none'; frame-ancestors 'none'"


def _too_large(limit: int) -> str:
    return f"The body may have at most {limit} bytes."


class TooLarge(HTTPException):
    """A body grew beyond the limit while it was read."""

    def __init__(self, detail: str) -> None:
        super().__init__(413, detail)


class SecurityHeaders:
    """ASGI middleware: adds the headers, and refuses a body that is too large before reading it.

    `may_upload(path, authorization header)` says who may send a large one there: bodies are read before endpoints ask.
    """

    def __init__(self, app: ASGIApp, may_upload: Callable[[str, str], bool]) -> None:
        self._app, self._may_upload = app, may_upload

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
        large = self._may_upload(path, headers.get("authorization", ""))
        limit = LARGEST_UPLOAD if large else LARGEST_BODY
        if _declared_length(headers) > limit:
            answer = problem(413, "Too large", _too_large(limit), _IN_PARTS)
            await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, _limited(receive, limit), send_with_headers)


def _declared_length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_within_limit() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            # A chunked body declares no length. Raised where the body is read, this becomes the answer.
            raise TooLarge(_too_large(limit))
        return message

    return receive_within_limit
