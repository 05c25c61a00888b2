"""How does an error of ours look to somebody who called over HTTP (RFC 9457 problem+json)?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from casework.failures import detail_of
from casework.people.guessing import TooManyAttempts
from casework.people.keys import TooManyRequests
from casework.people.outside import ProviderAway
from casework.people.signin import NotSignedIn
from casework.serving.refusals import NotNow, Overloaded
from data import errors
from data.storage.disk import DISK_HINT, takes_nothing

_log = logging.getLogger("secondlook.http")
INPUT_HINT = "See the fields of this endpoint at /docs."

_AGAIN_SECONDS = 5
_ENDPOINTS = "The endpoints are listed at /docs."
HINTS = {
    400: "Send the file as multipart/form-data with a boundary.",
    401: "Sign in with POST /v1/sessions.",
    404: _ENDPOINTS,
    405: _ENDPOINTS,
    408: "Send it again, all of it at once.",
    413: "Send it in parts.",
    429: "Wait, and try again.",
}

# What an error of ours advises that has no advice of its own.
_ADVICE = {
    401: "Sign in with POST /v1/sessions.",
    403: "Ask somebody whose role may do this.",
    404: "Ask the list it should be in for the ids there are.",
    409: "Read it again to see how it stands now.",
    422: "Correct what is named, and send it again.",
    429: "Wait, and try again.",
    503: "Try again in a moment.",
}

# The first class that fits decides, so that the narrower ones come first.
STATUS: tuple[tuple[type[errors.SecondLookError], int, str], ...] = (
    (NotSignedIn, 401, "Sign in first"),
    (TooManyAttempts, 429, "Too many attempts"),
    (TooManyRequests, 429, "Too many requests"),
    (errors.PermissionDenied, 403, "Not allowed"),
    (errors.NotFoundError, 404, "Not found"),
    (errors.ConflictError, 409, "Not possible now"),
    (Overloaded, 429, "Too much at once"),
    (NotNow, 503, "Not possible just now"),
    (ProviderAway, 503, "The identity provider is away"),
    (errors.DiskError, 503, "The disk takes nothing"),
    (errors.LedgerBusyError, 503, "The ledger is busy"),
    (errors.CheckpointBusyError, 503, "A longer query is under way"),
    (errors.MemoryShortError, 503, "Not enough memory"),
    (errors.ChainBrokenError, 500, "The record does not verify"),
    (errors.LedgerError, 500, "The ledger cannot be used"),
    (errors.InputError, 422, "This input cannot be used"),
    (errors.SecondLookError, 400, "This request cannot be done"),
)


def problem(status: int, title: str, detail: str, hint: str = "", **more: Any) -> Response:
    """One problem+json answer; `more` are extension members."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "hint": hint, **more}
    headers: dict[str, str] = {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(orjson.dumps(body), status, headers, "application/problem+json")


def of_error(error: errors.SecondLookError) -> Response:
    """The answer for one of our own errors. Where the ledger or its disk is at fault, the log names the place."""
    status, title = next((code, title) for kind, code, title in STATUS if isinstance(error, kind))
    if status >= 500 and isinstance(error, errors.LedgerError):
        _log.warning("%s at %s", type(error).__name__, error.where or "no place")
    outcome = {"fail_safe": error.fail_safe} if isinstance(error, NotNow) and error.fail_safe else {}
    answer = problem(
        status, title, detail_of(error), error.hint or _ADVICE.get(status, _ENDPOINTS), **outcome
    )
    if isinstance(error, TooManyAttempts | TooManyRequests | NotNow | ProviderAway):
        answer.headers["retry-after"] = str(error.wait_seconds)
    elif status == 503:
        answer.headers["retry-after"] = str(_AGAIN_SECONDS)
    return answer


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"


def complaint(found: Mapping[str, Any]) -> tuple[str, str]:
    """Where a value does not fit and what is wrong with it, without the value."""
    return _place(tuple(found["loc"])), str(found["msg"])


def of_validation(found: list[Mapping[str, Any]]) -> Response:
    """The answer for a body or query that does not fit: the first ten complaints, without echoing values."""
    complaints = [dict(zip(("where", "what"), complaint(each), strict=True)) for each in found[:10]]
    first = complaints[0]
    detail = f"{first['where']}: {first['what']}."
    if len(found) > 1:
        detail += f" And {len(found) - 1} more."
    return problem(422, "This input cannot be used", detail, INPUT_HINT, problems=complaints)


def of_json(error: orjson.JSONDecodeError) -> Response:
    """The answer for a body that is not JSON, with the place where it stops being."""
    return of_validation([{"loc": (), "msg": f"JSON decode error: {error}"}])


def of_http(error: HTTPException, method: str, path: str) -> Response:
    """The answer for a refusal of the framework's own kind."""
    detail = f"{method} {path[:200]}: {str(error.detail).rstrip('.')}."
    answer = problem(error.status_code, str(error.detail), detail, HINTS.get(error.status_code, INPUT_HINT))
    answer.headers.update(error.headers or {})
    return answer


def of_full_disk(error: OSError) -> Response:
    """The answer where the system says that a disk is full or read-only; the log says where that was."""
    _log.error("the disk takes nothing", exc_info=error)
    what = f"the disk does not take what is written ({error.strerror})"
    return of_error(errors.DiskError(what, hint=DISK_HINT))


def surprise() -> Response:
    """The answer for an error that nobody planned for, and that is in the log."""
    detail = "Something went wrong here that nobody planned for; it is in the server's log."
    return problem(500, "Unexpected error", detail, "Try again; if it stays, tell whoever runs the server.")


def install(api: FastAPI) -> None:
    """Make every error that leaves this API a problem+json answer."""

    @api.exception_handler(errors.SecondLookError)
    async def ours(_: Request, error: errors.SecondLookError) -> Response:
        return of_error(error)

    @api.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return of_validation(list(error.errors()))

    @api.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        cause = error.__cause__
        # A body is put on disk as it comes in, and what goes wrong there is taken for a fault in it.
        if isinstance(cause, OSError) and takes_nothing(cause):
            return of_full_disk(cause)
        return of_http(error, request.method, request.url.path)

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        route = getattr(request.scope.get("route"), "path", "")  # the path itself may name somebody
        _log.error("unexpected error in %s %s", request.method, route, exc_info=error)
        return surprise()

    @api.exception_handler(OSError)
    async def of_the_system(request: Request, error: OSError) -> Response:
        if not takes_nothing(error):
            return await unexpected(request, error)
        return of_full_disk(error)
