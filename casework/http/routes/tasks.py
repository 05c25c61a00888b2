"""How does a reviewer take a task, read it, and say what they think?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.cases import revealing, unmasking
from casework.cases.beside import parts
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Note
from casework.people.permissions import Permission, Person
from casework.review import drafts, handing_out, task_pages, tasks, verdicts
from casework.review.verdicts import VerdictForm

router = APIRouter(tags=["review"])

Code = Annotated[str, Field(max_length=80)]
Correction = Annotated[str, Field(max_length=400)] | float | bool | None
Corrections = Annotated[dict[Code, Correction], Field(default_factory=dict, max_length=50)]
Flags = Annotated[list[Code], Field(default_factory=list, max_length=10)]


class ReleaseForm(Body):
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class UnmaskForm(Body):
    field: Code
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class DraftForm(Body):
    value: Code = ""
    typology: Code = ""
    reason_code: Code = ""
    note: Note = ""
    confidence: Code = ""
    corrections: Corrections
    flags: Flags
    deserved: Literal["", "yes", "no"] = ""
    loss_minor: Annotated[int | None, Field(ge=0, le=10**15)] = None


class VerdictBody(DraftForm):
    """`version` is that of the task's page as it was read; an alert that joined since is refused with 409."""

    value: Literal["confirmed_fraud", "legitimate", "inconclusive"]
    version: Annotated[str | None, Field(max_length=40)] = None


def verdict_form(app: App, body: VerdictBody) -> VerdictForm:
    """What the reviewer said, without the version of the page that it was said on."""
    known = frozenset(rule.typology for rule in app.live.settings.rules.rules)
    given = {**body.model_dump(exclude={"version"}), "flags": tuple(body.flags)}
    return VerdictForm(**given, known=known)


def _page(app: App, task_id: str, person: Person) -> dict[str, Any]:
    return task_pages.task_page(app.ledger, task_id, person.user_id, person.role)


@router.get("/queue")
def queue(request: Request, person: Person = allowed(Permission.QUEUE_READ)) -> Response:
    """How much waits in each lane, what you hold, and what you did today."""
    summary = task_pages.queue_summary(the_app(request).ledger, person.user_id, now(), role=person.role)
    return json_answer(summary)


@router.post("/tasks/next")
def take_next(request: Request, person: Person = allowed(Permission.TASKS_WORK)) -> Response:
    """Take the next task, or get back the one you hold. 204 when nothing is left for you."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        task = handing_out.take_next(
            w, person.user_id, policy, app.key, now(), role=person.role, desk=app.desk
        )
    if task is None:
        return Response(status_code=204)
    return json_answer(_page(app, task.task_id, person))


@router.get("/tasks")
def list_tasks(
    request: Request,
    status: Annotated[str, Query(pattern="^(open|claimed|done|expired|withdrawn|escalated)$")] = "open",
    lane: Annotated[str, Query(max_length=64)] = "",
    queue: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    order: Literal["", "deadline"] = "",
    due_within_hours: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    person: Person = allowed(Permission.TASKS_LIST),
) -> Response:
    """Tasks by status, lane and how soon they are due, the largest first or the nearest deadline. A reviewer sees
    open ones that may be chosen by hand, and not all of these: the others are handed out only."""
    app = the_app(request)
    lines = task_pages.task_list(
        app.ledger,
        person.user_id,
        now(),
        role=person.role,
        status=status,
        lane=lane,
        queue=queue,
        limit=limit,
        policy=app.live.settings.policy,
        order=order,
        due_within=timedelta(hours=due_within_hours) if due_within_hours else None,
        key=app.key,
    )
    return json_answer({"tasks": lines})


@router.post("/tasks/{task_id}/claim")
def claim(task_id: str, request: Request, person: Person = allowed(Permission.TASKS_WORK)) -> Response:
    """Take one task by its id. Claiming what you hold changes nothing."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        task = handing_out.claim(w, task_id, person.user_id, policy, now(), role=person.role, desk=app.desk)
    return json_answer(_page(app, task.task_id, person))


@router.get("/tasks/{task_id}")
def task(task_id: str, request: Request, person: Person = allowed(Permission.TASKS_LIST)) -> Response:
    """The task's page, rendered from what was stored when it opened.

    Once answered it shows the engine's opinion; reading that after a blind verdict ends the time for undo.
    """
    app = the_app(request)
    seq = tasks.find(app.ledger, task_id).transaction_seq
    revealing.note(app.ledger, person.user_id, person.role, seq, now())
    return json_answer(_page(app, task_id, person))


@router.get("/tasks/{task_id}/parts/{part}")
def task_part(
    task_id: str,
    part: Literal["links", "what_if", "similar", "behind_rules"],
    request: Request,
    person: Person = allowed(Permission.TASKS_LIST),
) -> Response:
    """One part beside the task's page: linked entities, what would have changed the outcome, similar cases, or the
    payments behind the rules. Worked out and stored when the task's holder first opens it."""
    app = the_app(request)
    if part in parts.OPINIONS:
        revealing.note(
            app.ledger, person.user_id, person.role, tasks.find(app.ledger, task_id).transaction_seq, now()
        )
    return json_answer(parts.part(app, task_id, part, person, now()))


@router.post("/tasks/{task_id}/unmasked")
def unmask(
    task_id: str, form: UnmaskForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Read one masked personal field of the payment of a task you hold; the reading and its reason are recorded."""
    app = the_app(request)
    value = unmasking.unmask(app.ledger, task_id, person.user_id, form.field, form.reason, now())
    return json_answer({"field": form.field, "value": value})


@router.post("/tasks/{task_id}/release", status_code=204)
def release(
    task_id: str, form: ReleaseForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> None:
    """Give a task back; it goes to somebody else."""
    with the_app(request).ledger.writing() as w:
        tasks.release(w, task_id, person.user_id, form.reason, now())


@router.put("/tasks/{task_id}/draft")
def save_draft(
    task_id: str, form: DraftForm, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Keep what you have filled in so far. `lock_expires_at` says until when the task is held for you now: typing is a
    sign of life."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        until = drafts.save(w, task_id, person.user_id, form.model_dump(), policy, now())
    return json_answer({"lock_expires_at": until})


@router.post("/tasks/{task_id}/verdict", status_code=201)
def give_verdict(
    task_id: str, form: VerdictBody, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Say what you think: confirmed_fraud, legitimate or inconclusive. Seconds are counted from the claim."""
    app = the_app(request)
    policy, said = app.live.settings.policy, verdict_form(app, form)
    with app.ledger.writing() as w:
        verdict = verdicts.give(w, task_id, person.user_id, said, policy, now(), seen=form.version)
    return json_answer({"verdict": verdict.as_json(), "next": None}, 201)


@router.post("/verdicts/{verdict_id}/undo")
def undo(verdict_id: str, request: Request, person: Person = allowed(Permission.TASKS_WORK)) -> Response:
    """Take your verdict back, within a quarter of an hour, before anybody built on it and before you
    read what the engine thinks of what you judged blind."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        again = verdicts.undo(w, verdict_id, person.user_id, policy, now())
    return json_answer(_page(app, again.task_id, person))
