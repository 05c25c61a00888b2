"""What does training believe, on whose word, what changed, and whose word no longer counts?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer, seq_of
from casework.http.bodies import Body, Identifier, Moment, ShortText
from casework.learning.labels import label_changes, label_report, voiding
from casework.people.permissions import Permission, Person
from data.errors import InputError, NotFoundError

router = APIRouter(tags=["labels"])
Name = Annotated[str, Query(max_length=120)]


class VoidForm(Body):
    verdicts: list[Identifier] = Field(default=[], max_length=10_000)
    reviewer: ShortText = ""
    since: Moment | None = None
    until: Moment | None = None
    reason: ShortText


@router.get("/labels")
def labels(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """What training would believe now: labels and frauds by source, with what each source weighs, when it counts and
    how many of its claims a stronger source outranks."""
    app = the_app(request)
    return json_answer(label_report.by_source(app.ledger, app.live.settings.policy, now()))


@router.get("/labels/changes")
def changes(
    request: Request,
    before: Name = "",
    after: Name = "",
    person: Person = allowed(Permission.MODELS_READ),
) -> Response:
    """What two snapshots believe differently, and why; without names, the last one and what is believed now."""
    app = the_app(request)
    policy, at = app.live.settings.policy, now()
    sides = label_changes.chosen(app.ledger, app.workspace, policy, before, after, at)
    found = label_changes.changes(app.ledger, *sides)
    names = [each.name for each in label_changes.snapshots(app.workspace)]
    return json_answer({**found, "snapshots": names})


@router.get("/labels/{transaction_id}")
def label(
    transaction_id: str, request: Request, person: Person = allowed(Permission.MODELS_READ)
) -> Response:
    """Every claim about one transaction, strongest first: the first that counts is the label."""
    app = the_app(request)
    seq = seq_of(app, transaction_id)
    if seq is None:
        raise NotFoundError("no transaction of that id was ever seen", where=transaction_id[:128])
    return json_answer(label_report.of_one(app.ledger, app.live.settings.policy, seq, now()))


@router.get("/voided-verdicts")
def voided(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """Verdicts that no longer count for anything that learns, newest first."""
    return json_answer({"voided": voiding.listed(the_app(request).ledger)})


@router.post("/voided-verdicts", status_code=201)
def void(form: VoidForm, request: Request, person: Person = allowed(Permission.LABELS_MANAGE)) -> Response:
    """Declare verdicts void: those named, or all that one reviewer gave in a stretch of time. The next snapshot leaves
    them out; what they led to for payments stays."""
    app, at = the_app(request), now()
    if bool(form.verdicts) == bool(form.reviewer):
        raise InputError("name either verdicts or a reviewer", where="verdicts", allowed="one of the two")
    if form.reviewer and (form.since is None or form.until is None):
        raise InputError(
            "a reviewer's verdicts are voided for a stretch of time", where="since", allowed="since and until"
        )
    with app.ledger.writing() as w:
        ids = form.verdicts
        if form.since is not None and form.until is not None and form.reviewer:
            ids = voiding.given_by(w, form.reviewer, form.since, form.until)
        count = voiding.void(w, ids, form.reason, by=person.user_id, at=at)
    return json_answer({"voided": count}, 201)
