"""How does a person sign in and out, and see who they are?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from casework.http.access import PUBLIC, allowed, bearer_token, now, the_app
from casework.http.bodies import Body, Reason, ShortText
from casework.people import signin
from casework.people.permissions import Permission, Person

router = APIRouter(tags=["sign-in"])


class SignInForm(Body):
    user: ShortText
    password: str = Field(min_length=1, max_length=200)


class SessionAnswer(Body):
    token: str
    user: str
    role: str
    expires_at: datetime


class UserForm(Body):
    user: ShortText
    role: ShortText
    password: str = Field(min_length=1, max_length=200)
    reason: Reason


class UserAnswer(Body):
    user: str
    role: str


@router.post("/sessions", status_code=201, dependencies=[PUBLIC])
def sign_in(form: SignInForm, request: Request) -> SessionAnswer:
    """Sign in. The token is good for twelve hours; wrong passwords make the next try wait."""
    session = the_app(request).signin.sign_in(form.user, form.password, now())
    person = session.person
    return SessionAnswer(
        token=session.token, user=person.user_id, role=person.role, expires_at=session.expires_at
    )


@router.delete("/sessions/current", status_code=204)
def sign_out(request: Request, person: Person = allowed(Permission.SIGNED_IN)) -> None:
    """Sign out: this token stops working at once."""
    the_app(request).signin.sign_out(bearer_token(request), now())


@router.get("/me")
def me(person: Person = allowed(Permission.SIGNED_IN)) -> UserAnswer:
    """Who is signed in with this token."""
    return UserAnswer(user=person.user_id, role=person.role)


@router.get("/users")
def users(request: Request, person: Person = allowed(Permission.USERS_READ)) -> dict[str, Any]:
    """Everyone who has, or had, a sign-in."""
    sql = "SELECT user_id AS user, role, created_at, disabled_at FROM users ORDER BY created_at, user_id"
    return {"users": the_app(request).ledger.read(sql)}


@router.post("/users", status_code=201)
def add_user(
    form: UserForm, request: Request, person: Person = allowed(Permission.USERS_MANAGE)
) -> UserAnswer:
    """Give somebody a sign-in."""
    with the_app(request).ledger.writing() as w:
        added = signin.add_user(
            w, form.user, form.role, form.password, by=person.user_id, at=now(), reason=form.reason
        )
    return UserAnswer(user=added.user_id, role=added.role)


@router.delete("/users/{user}", status_code=204)
def disable_user(
    user: str,
    request: Request,
    reason: Annotated[Reason, Query()],
    person: Person = allowed(Permission.USERS_MANAGE),
) -> None:
    """Take somebody's sign-in away; all their tokens and keys stop working at once."""
    the_app(request).signin.disable(user, by=person.user_id, at=now(), reason=reason)
