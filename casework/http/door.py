"""How does a payment system's request reach the decision loop without the detours of a general framework?

The two endpoints that decide are called thousands of times a second, and FastAPI's routing, dependencies and encoding
took twice as long as deciding. So a JSON body for them is taken here, checked by the same forms and permissions, and
answered in bytes. Their routes stay declared, for the documentation and for every other kind of body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from casework.app import App
from casework.http import decisions, problems
from casework.http.access import now, token_in
from casework.people.permissions import Permission, require
from data.errors import SecondLookError

Decide = Callable[[App, Any], Awaitable[Response]]
_DOORS: dict[str, tuple[TypeAdapter[Any], Decide]] = {
    "/v1/decisions": (TypeAdapter(decisions.TransactionForm), decisions.answer_one),
    "/v1/decisions/batch": (TypeAdapter(decisions.BatchForm), decisions.answer_batch),
}
_JSON = b"application/json"


class DecisionDoor:
    """ASGI middleware: answers JSON requests for decisions, and passes everything else on."""

    def __init__(self, app: ASGIApp, serving: App) -> None:
        self._app, self._serving = app, serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = _DOORS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        headers = dict(scope["headers"]) if door else {}
        if door is None or headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _JSON:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if body is not None:
            answer = await self._answer(door, headers.get(b"authorization", b""), body)
            await answer(scope, receive, send)

    async def _answer(
        self, door: tuple[TypeAdapter[Any], Decide], authorization: bytes, body: bytes
    ) -> Response:
        form, decide = door
        try:
            token = token_in(authorization.decode("latin-1"))
            require(self._serving.signin.person(token, now()), Permission.DECISIONS_REQUEST)
            return await decide(self._serving, form.validate_python(orjson.loads(body)))
        except SecondLookError as error:
            return problems.of_error(error)
        except orjson.JSONDecodeError as error:
            return problems.of_validation([{"loc": (), "msg": f"JSON decode error: {error}"}])
        except ValidationError as error:
            return problems.of_validation(list(error.errors()))


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None if the caller has gone or sent too much."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
