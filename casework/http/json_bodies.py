"""Does a JSON body say everything once, in a kind of content that is read here?

JSON lets a key be given twice, and parsers silently take the last one: `{"amount": 5, "amount": 5000}` would be
decided as one of them. Nothing sent is ever dropped in silence, so such a body is refused.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.http import problems
from data.errors import InputError

JSON = "application/json"
_READ = (JSON, "multipart/form-data")
_CARRYING = ("POST", "PUT", "PATCH", "DELETE")


def parsed(body: bytes) -> Any:
    """The value of a JSON text. orjson.JSONDecodeError where it is none; InputError naming a key given twice."""
    value = orjson.loads(body)
    # What is written anew has a colon less for each key that was dropped. Only where the colons do not add up is the
    # body read again, by a parser that sees every key; an escape may hide a colon, and so never adds up.
    if b"\\u" in body or body.count(b":") != _colons(value):
        try:
            json.loads(body, object_pairs_hook=_once)
        except RecursionError as problem:
            raise InputError("the body is nested too deeply to be read", where="body") from problem
    return value


def _colons(value: Any) -> int:
    """The colons it takes to write a value; -1 for one that is too deep to be written."""
    try:
        return orjson.dumps(value).count(b":")
    except orjson.JSONEncodeError:
        return -1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Each name is looked at once: this runs in the event loop's thread, and for anybody's body.
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(
                f"the key {name[:64]!r} is given more than once", where="body", hint="Say everything once."
            )
        found[name] = value
    return found


class JsonBodies:
    """ASGI middleware: refuses bodies that are no JSON, say something twice, or are of a kind that nobody reads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _CARRYING:
            await self._app(scope, receive, send)
            return
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        if kind == _READ[1]:
            await self._app(scope, receive, send)
            return
        body = await whole(scope, receive, send)
        if body is None:
            return
        if body and (answer := _refusal(kind, body)):
            await answer(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


def _refusal(kind: str, body: bytes) -> Any:
    if kind != JSON:
        told = (
            f"a body of the kind {kind[:64]!r} is not read here"
            if kind
            else "the kind of the body is missing"
        )
        hint = f"Send the header content-type: {JSON}, or multipart/form-data with a file."
        return problems.problem(
            415, "Unsupported kind of body", f"{told} (allowed: {', '.join(_READ)}).", hint
        )
    try:
        parsed(body)
    except orjson.JSONDecodeError as error:
        return problems.of_json(error)
    except InputError as error:
        return problems.of_error(error)
    return None


async def whole(scope: Scope, receive: Receive, send: Send) -> bytes | None:
    """The whole body, or None if the caller has gone, or was told that it is too large."""
    parts = []
    while True:
        try:
            message = await receive()
        except HTTPException as refused:  # nobody further out makes this an answer
            await problems.of_http(refused, scope["method"], scope["path"])(scope, receive, send)
            return None
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands a body that was read already on to whoever reads it next."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
