"""How does the console keep what somebody has typed and not sent?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body
from casework.people.permissions import Permission, Person
from casework.review import unsent

router = APIRouter(tags=["people"])


class UnsentForm(Body):
    """`place` says where it was typed, such as rule:catalogue/x.yaml or case:ID."""

    place: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=unsent.LONGEST)] = ""


@router.get("/me/unsent")
def read_unsent(
    request: Request,
    place: Annotated[str, Query(min_length=1, max_length=200)],
    person: Person = allowed(Permission.SIGNED_IN),
) -> Response:
    """What you typed at a place and have not sent; nobody else can read it."""
    return json_answer({"place": place, "text": unsent.kept(the_app(request).ledger, person.user_id, place)})


@router.put("/me/unsent", status_code=204)
def keep_unsent(form: UnsentForm, request: Request, person: Person = allowed(Permission.UNSENT_KEEP)) -> None:
    """Keep it; an empty text forgets it."""
    unsent.keep(the_app(request).ledger, person.user_id, form.place, form.text, now())
