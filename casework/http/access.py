"""Who may call this endpoint? Every route depends on exactly one of `Allowed(permission)` and `PUBLIC`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from casework.app import App
from casework.http.bounds import LARGEST_BODY, LARGEST_UNSIGNED, LARGEST_UPLOAD, Bound
from casework.people.permissions import Permission, Person, require
from casework.people.signin import NotSignedIn

_ASKED_UNSIGNED = ("/v1/sessions", "/v1/sessions/outside")
_UPLOADS = {
    "/v1/imports": Permission.TRANSACTIONS_IMPORT,
    "/v1/outcome-imports": Permission.OUTCOMES_REPORT,
}


def now() -> datetime:
    """The moment of this request: the one place where HTTP reads the clock."""
    return datetime.now(UTC)


def the_app(request: Request) -> App:
    """The application behind this API."""
    return request.app.state.app


def token_in(authorization: str) -> str:
    """The token of an Authorization header, or '' when there is none."""
    kind, _, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def bearer_token(request: Request) -> str:
    """The token of this request, or '' when there is none."""
    return token_in(request.headers.get("authorization", ""))


def body_bound(app: App, path: str, authorization: str) -> Bound:
    """How large a body to this path may be from whom this header belongs to: whole files from somebody who may send
    them, and little from nobody."""
    try:
        person = app.signin.known(token_in(authorization), now())
    except NotSignedIn:
        return Bound(LARGEST_UNSIGNED, 413 if path in _ASKED_UNSIGNED else 401)
    permission = _UPLOADS.get(path)
    return Bound(LARGEST_UPLOAD if permission and person.may(permission) else LARGEST_BODY)


class Allowed:
    """A dependency that gives the signed-in person, if their role has this permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Person:
        person = the_app(request).signin.person(bearer_token(request), now())
        require(person, self.permission)
        return person


async def _public() -> None:
    return None


PUBLIC = Depends(_public)


def allowed(permission: Permission) -> Any:
    """`person: Person = allowed(Permission.X)` in an endpoint's signature: FastAPI puts the person there."""
    return Depends(Allowed(permission))


def permission_of(route: APIRoute) -> Permission | str | None:
    """The permission a route declares, 'public' if it says it is, or None if it says nothing."""
    found: list[Permission | str] = []
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Allowed):
            found.append(dependency.call.permission)
        elif dependency.call is _public:
            found.append("public")
    return found[0] if len(found) == 1 else None
