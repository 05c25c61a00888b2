"""How does a person come in through the institution's identity provider, and who links the two?"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from casework.app import App
from casework.http.access import PUBLIC, allowed, now, the_app
from casework.http.bodies import Body, Reason
from casework.http.routes.sessions import SessionAnswer
from casework.people import outside
from casework.people.permissions import Permission, Person
from data.errors import ConflictError

router = APIRouter(tags=["sign-in"])


class OutsideForm(Body):
    id_token: Annotated[str, Field(min_length=1, max_length=outside.LONGEST_TOKEN)]


class LinkForm(Body):
    kind: Literal["email", "subject"]
    name: Annotated[str, Field(min_length=1, max_length=320)]
    reason: Reason


@router.post("/sessions/outside", status_code=201, dependencies=[PUBLIC])
def sign_in_from_outside(form: OutsideForm, request: Request) -> SessionAnswer:
    """Sign in with an ID token of the institution's identity provider, which is verified here."""
    app, at = the_app(request), now()
    digests = outside.digests_of(_provider(app), form.id_token, app.key, at)
    person = outside.person_linked(app.ledger, digests)
    session = app.signin.open(
        person, at, through="identity provider", still=lambda w: outside.check_linked(w, digests, person)
    )
    return SessionAnswer(
        token=session.token, user=person.user_id, role=person.role, expires_at=session.expires_at
    )


@router.post("/users/{user}/outside-names", status_code=204)
def link(
    user: str, form: LinkForm, request: Request, person: Person = allowed(Permission.USERS_MANAGE)
) -> None:
    """Let whom the identity provider calls so in as this user. The name is kept as a keyed hash only."""
    app = the_app(request)
    issuer = _provider(app).issuer
    with app.ledger.writing() as w:
        outside.link(
            w, user, issuer, form.kind, form.name, app.key, by=person.user_id, reason=form.reason, at=now()
        )


@router.delete("/users/{user}/outside-names", status_code=204)
def unlink(
    user: str,
    request: Request,
    reason: Annotated[Reason, Query()],
    person: Person = allowed(Permission.USERS_MANAGE),
) -> None:
    """Let nobody in as this user through the identity provider any more."""
    with the_app(request).ledger.writing() as w:
        outside.unlink(w, user, by=person.user_id, reason=reason, at=now())


def _provider(app: App) -> outside.Provider:
    if app.provider is None:
        raise ConflictError(
            "no identity provider is set up",
            hint="Sign in with a password. SECURITY.md says how one is set up.",
        )
    return app.provider
