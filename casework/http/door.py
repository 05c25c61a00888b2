"""How does a request for a decision that comes by the general server skip the detours of a general framework?

The two endpoints that decide are called thousands of times a second, and FastAPI's routing, dependencies and encoding
took twice as long as deciding. So a JSON body for them goes to the clerk, as it does from a connection's own lane.
Their routes stay declared, for the documentation.
"""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from casework.app import App
from casework.http import json_bodies
from casework.http.clerk import Clerk

_DOORS = {"/v1/decisions": False, "/v1/decisions/batch": True}
_JSON = json_bodies.JSON.encode()


class DecisionDoor:
    """ASGI middleware: answers JSON requests for decisions, and passes on everything else that can be read."""

    def __init__(self, app: ASGIApp, serving: App) -> None:
        self._app, self._clerk = json_bodies.JsonBodies(app), Clerk(serving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        batch = _DOORS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        headers = dict(scope["headers"]) if batch is not None else {}
        if batch is None or headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _JSON:
            await self._app(scope, receive, send)
            return
        body = await json_bodies.whole(scope, receive, send)
        if body is not None:
            answer = await self._answer(batch, headers.get(b"authorization", b""), body)
            await answer(scope, receive, send)

    async def _answer(self, batch: bool, authorization: bytes, body: bytes) -> Response:
        told: asyncio.Future[bytes | Response] = asyncio.get_running_loop().create_future()
        self._clerk.take(batch, authorization, body, partial(_settle, told))
        answer = await told
        return Response(answer, media_type="application/json") if isinstance(answer, bytes) else answer


def _settle(told: asyncio.Future[bytes | Response], answer: bytes | Response) -> None:
    if not told.done():  # else the caller has gone
        told.set_result(answer)
