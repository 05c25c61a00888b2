"""What does a team lead see of backlog and people, and what waits in somebody's inbox?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body
from casework.people.permissions import Permission, Person
from casework.review import flags, team

router = APIRouter(tags=["team"])


class AnswerForm(Body):
    answer: Annotated[str, Field(min_length=1, max_length=2000)]


@router.get("/team")
def backlog(request: Request, person: Person = allowed(Permission.TEAM_READ)) -> Response:
    """Queues, adjudications, people at work, and the forecast of the backlog against what people can do."""
    app = the_app(request)
    return json_answer(team.team_page(app.ledger, app.live.settings.policy, now()))


@router.get("/training-needs")
def training(request: Request, person: Person = allowed(Permission.TASKS_MOVE)) -> Response:
    """On which kinds of case adjudicators decided otherwise, by person; that you asked is recorded."""
    found = team.training_needs(the_app(request).ledger, person.user_id, now())
    return json_answer({"needs": found, "least": team.LEAST_OVERTURNED})


@router.get("/inbox")
def inbox(
    request: Request,
    answered: Annotated[bool, Query()] = False,
    person: Person = allowed(Permission.FLAGS_ANSWER),
) -> Response:
    """Flags and corrections of reviewers that your role can put right."""
    return json_answer({"flags": flags.inbox(the_app(request).ledger, person.role, answered=answered)})


@router.post("/inbox/{flag_id}/answer", status_code=204)
def answer(
    flag_id: str, form: AnswerForm, request: Request, person: Person = allowed(Permission.FLAGS_ANSWER)
) -> None:
    """Say what came of a flag."""
    with the_app(request).ledger.writing() as w:
        flags.answer(w, flag_id, person.role, form.answer, person.user_id, now())
