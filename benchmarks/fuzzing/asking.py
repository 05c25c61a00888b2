"""What does the API answer to a fuzzed request, called in this process, and is that an answer it may give?"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from benchmarks.fuzzing.drawing import Drawn

_PROBLEM = "application/problem+json"
LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Given:
    """One answer, with the processor seconds it took this process."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


async def ask(api: ASGIApp, drawn: Drawn, token: str) -> Given:
    """Send one request to the application. TimeoutError after a minute."""
    path, _, query = drawn.target.partition("?")
    headers = [(b"host", b"testserver"), (b"content-length", str(len(drawn.body)).encode())]
    if drawn.kind:
        headers.append((b"content-type", drawn.kind.encode()))
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": drawn.operation.method,
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    return await asyncio.wait_for(_called(api, scope, drawn.body), LONGEST_SECONDS)


async def _called(api: ASGIApp, scope: dict[str, Any], body: bytes) -> Given:
    told: list[Message] = []
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.sleep(LONGEST_SECONDS)
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    began = time.process_time()
    await _unless_it_raised_after_answering(api, scope, receive, send, told)
    start = next(message for message in told if message["type"] == "http.response.start")
    parts = [message.get("body", b"") for message in told if message["type"] == "http.response.body"]
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Given(start["status"], headers, b"".join(parts), time.process_time() - began)


async def _unless_it_raised_after_answering(
    api: ASGIApp, scope: Any, receive: Any, send: Any, told: list[Message]
) -> None:
    """Starlette raises an unplanned error once more after its 500 went out; the 500 is what is judged here."""
    try:
        await api(scope, receive, send)
    except Exception:
        if not told:
            raise


def complaint(drawn: Drawn, given: Given, may: bool) -> str:
    """What is wrong with this answer, or ''. `may`: whether who asked has the permission of this endpoint."""
    if given.status >= 500:
        return f"{given.status} {given.body[:300]!r}"
    if given.status < 400:
        return "" if may else f"{given.status} for somebody who may not"
    if given.headers.get("content-type") != _PROBLEM:
        return f"{given.status} as {given.headers.get('content-type')}: {given.body[:200]!r}"
    told = json.loads(given.body)
    lacking = [name for name in ("type", "title", "status", "detail", "hint") if not told.get(name)]
    if lacking:
        return f"{given.status} without {', '.join(lacking)}: {told}"
    return "" if told["status"] == given.status else f"{given.status} says it is {told['status']}"
