"""How does an admin give a payment system an API key, see which there are, and take one back?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Reason, ShortText
from casework.people import keys
from casework.people.permissions import Permission, Person

router = APIRouter(tags=["sign-in"])


class KeyForm(Body):
    user: ShortText
    name: Annotated[ShortText, Field(min_length=1)]
    scopes: Annotated[list[ShortText], Field(min_length=1, max_length=len(keys.SCOPES))]
    per_second: Annotated[int, Field(ge=1, le=keys.FASTEST)] = 1000
    days: Annotated[int, Field(ge=1, le=keys.LONGEST_LIFE.days)] = 365
    reason: Reason


@router.get("/api-keys")
def list_keys(request: Request, person: Person = allowed(Permission.USERS_READ)) -> Response:
    """Every API key there was, with its scopes, rate and end; never its secret."""
    scopes = {name: sorted(allows) for name, allows in keys.SCOPES.items()}
    return json_answer({"keys": keys.listed(the_app(request).ledger), "scopes": scopes})


@router.post("/api-keys", status_code=201)
def add_key(form: KeyForm, request: Request, person: Person = allowed(Permission.USERS_MANAGE)) -> Response:
    """Give a system (a user with the role integrator) a key. The answer holds the secret, never shown again."""
    life = timedelta(days=form.days)
    wanted = keys.Wanted(form.user, form.name, form.scopes, form.per_second, life, form.reason)
    made = the_app(request).signin.add_key(wanted, by=person.user_id, at=now())
    return json_answer(
        {"key_id": made.key_id, "user": form.user, "secret": made.secret, "expires_at": made.expires_at}, 201
    )


@router.delete("/api-keys/{key_id}", status_code=204)
def revoke_key(
    key_id: str,
    request: Request,
    reason: Annotated[Reason, Query()],
    person: Person = allowed(Permission.USERS_MANAGE),
) -> None:
    """Let a key in no more, at once."""
    the_app(request).signin.revoke_key(key_id, by=person.user_id, reason=reason, at=now())
