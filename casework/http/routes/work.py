"""How does a task wait, go up or go to somebody else, and how are several answered at once?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Identifier, Moment, Note, ShortText
from casework.http.routes.tasks import VerdictBody, verdict_form
from casework.people.permissions import Permission, Person
from casework.review import bulk, moves, reviewers

router = APIRouter(tags=["review"])

Why = Annotated[str, Field(min_length=1, max_length=400)]
Ids = Annotated[list[Identifier], Field(min_length=1, max_length=bulk.MOST)]
Names = Annotated[list[ShortText], Field(default_factory=list, max_length=50)]


class SnoozeForm(Body):
    until: Moment
    reason: Why


class EscalationForm(Body):
    note: Annotated[Note, Field(min_length=3)]


class MovesForm(Body):
    """`queue` '' leaves each where it is; `assignee` '' leaves it to anybody."""

    task_ids: Ids
    queue: ShortText = ""
    assignee: ShortText = ""
    reason: Why


class BulkForm(VerdictBody):
    """`applied_from` names the verdict that these repeat, where one task's verdict is applied to its whole case."""

    task_ids: Ids
    applied_from: ShortText = ""


class BulkUndoForm(Body):
    verdict_ids: Ids


class AwayForm(Body):
    """`until` null: back again."""

    until: Moment | None = None


class PlaceForm(Body):
    teams: Names
    languages: Names
    held_limit: Annotated[int, Field(ge=0, le=reviewers.MOST_HELD)] = 0


@router.post("/tasks/{task_id}/snooze", status_code=204)
def snooze(
    task_id: str, form: SnoozeForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> None:
    """Set a task aside until a moment before its deadline; then it is offered to you first."""
    with the_app(request).ledger.writing() as w:
        moves.snooze(w, task_id, person.user_id, form.until, form.reason, now())


@router.post("/tasks/{task_id}/escalate", status_code=204)
def escalate(
    task_id: str, form: EscalationForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> None:
    """Hand a task up to a team lead, whose verdict settles it."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        moves.escalate(w, task_id, person.user_id, form.note, policy, now())


@router.post("/task-moves")
def move(form: MovesForm, request: Request, person: Person = allowed(Permission.TASKS_MOVE)) -> Response:
    """Move open tasks to another queue or onto somebody's desk; a result for each."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        done = moves.move(
            w,
            form.task_ids,
            queue=form.queue,
            assignee=form.assignee,
            reason=form.reason,
            policy=policy,
            by=person.user_id,
            at=now(),
        )
    return json_answer({"results": done})


@router.post("/bulk-verdicts")
def bulk_verdicts(
    form: BulkForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Give one verdict on several tasks you hold or may choose; a result for each."""
    app = the_app(request)
    body = VerdictBody(**form.model_dump(exclude={"task_ids", "applied_from"}))
    done = bulk.apply(
        app.ledger,
        form.task_ids,
        person.user_id,
        person.role,
        verdict_form(app, body),
        app.live.settings.policy,
        now(),
        app.desk,
        applied_from=form.applied_from,
    )
    return json_answer({"results": done})


@router.post("/bulk-verdicts/undo")
def undo_bulk(
    form: BulkUndoForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Take several of your verdicts back; a result for each."""
    app = the_app(request)
    done = bulk.undo(app.ledger, form.verdict_ids, person.user_id, app.live.settings.policy, now())
    return json_answer({"results": done})


@router.put("/me/away")
def away(form: AwayForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)) -> Response:
    """Say that you are away until a moment, or back. Your tasks go to others."""
    return _away(the_app(request), person.user_id, form, person)


@router.put("/reviewers/{user}/away")
def away_of(
    user: str, form: AwayForm, request: Request, person: Person = allowed(Permission.TASKS_MOVE)
) -> Response:
    """Say that somebody is away until a moment, or back. His or her tasks go to others."""
    return _away(the_app(request), user, form, person)


def _away(app: App, user: str, form: AwayForm, person: Person) -> Response:
    with app.ledger.writing() as w:
        place, given_back = moves.go_away(w, user, form.until, person.user_id, now())
    return json_answer({"user": user, "away_until": place.away_until, "tasks_given_back": given_back})


@router.put("/reviewers/{user}")
def place(
    user: str, form: PlaceForm, request: Request, person: Person = allowed(Permission.REVIEWERS_PLACE)
) -> Response:
    """Say which teams somebody is in, which languages he or she reads, and how many tasks may be held at once."""
    with the_app(request).ledger.writing() as w:
        made = reviewers.place(
            w,
            user,
            teams=form.teams,
            languages=form.languages,
            held_limit=form.held_limit,
            by=person.user_id,
            at=now(),
        )
    return json_answer(made)
