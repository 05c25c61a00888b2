"""How does a team lead put one set of cases before everybody, and what came of it?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from casework.deciding.intake import guideline_of
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body
from casework.people.permissions import Permission, Person
from casework.quality import looking
from casework.quality.pilots import batches, pages

router = APIRouter(tags=["quality"])
Word = Annotated[str, Field(max_length=200)]


class PilotForm(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    cases: Annotated[int, Field(ge=1, le=batches.MOST_CASES)] = 40
    transaction_ids: Annotated[list[Word], Field(max_length=batches.MOST_CASES)] = Field(default_factory=list)
    people: Annotated[list[Word], Field(max_length=200)] = Field(default_factory=list)
    follows: Word = ""
    days: Annotated[int, Field(ge=1, le=90)] = 7


@router.get("/consistency/pilots")
def pilots(request: Request, person: Person = allowed(Permission.TASKS_MOVE)) -> Response:
    """Every pilot, the newest first, with how many have answered."""
    return json_answer({"pilots": batches.listed(the_app(request).ledger)})


@router.post("/consistency/pilots", status_code=201)
def open_pilot(
    form: PilotForm, request: Request, person: Person = allowed(Permission.TASKS_MOVE)
) -> Response:
    """Put one set of past payments on everybody's desk, blind, under the guideline in force."""
    app, at = the_app(request), now()
    settings = app.settings()
    batch = batches.Batch(
        form.name, form.cases, tuple(form.transaction_ids), tuple(form.people), form.follows, form.days
    )
    batches.read_ahead(app.ledger, batch, app.key, person.user_id, at)
    with app.ledger.writing() as w:
        guideline = guideline_of(settings.files)
        pilot_id = batches.open_pilot(w, batch, guideline, settings.policy, app.key, person.user_id, at)
    return json_answer({"pilot_id": pilot_id}, status=201)


@router.get("/consistency/pilots/{pilot_id}")
def pilot(pilot_id: str, request: Request, person: Person = allowed(Permission.TASKS_MOVE)) -> Response:
    """Agreement over the batch, the matrix of each pair, and the change since the pilot before it; that you looked is
    recorded and shown to the people of the batch."""
    app, at = the_app(request), now()
    found = pages.page(app.ledger, pilot_id)
    looking.note(app.ledger, person.user_id, pages.people(app.ledger, pilot_id), f"pilot {found['name']}", at)
    return json_answer(found)


@router.post("/consistency/pilots/{pilot_id}/close", status_code=204)
def close(pilot_id: str, request: Request, person: Person = allowed(Permission.TASKS_MOVE)) -> None:
    """End a pilot; what nobody has answered is withdrawn."""
    with the_app(request).ledger.writing() as w:
        batches.close(w, pilot_id, person.user_id, now())
