"""How are cases arranged, written on, and given files, and how is an automatic decision reversed?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, UploadFile
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.cases import arranging, attachments, cases, notes, reversing
from casework.deciding import decisions
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer, seq_of
from casework.http.bodies import Body, Identifier, Note
from casework.people.permissions import Permission, Person
from casework.review import blindness, tasks
from data.errors import NotFoundError

router = APIRouter(tags=["cases"])

Reason = Annotated[str, Field(min_length=3, max_length=2000)]


class OtherForm(Body):
    other: Identifier
    reason: Reason


class SplitForm(Body):
    transaction_ids: Annotated[list[Identifier], Field(min_length=1, max_length=200)]
    reason: Reason


class NoteForm(Body):
    text: Note


class ReversalForm(Body):
    reason: Reason


@router.post("/cases/{case_id}/merge")
def merge(
    case_id: str, form: OtherForm, request: Request, person: Person = allowed(Permission.CASES_ARRANGE)
) -> Response:
    """Move all payments of another open case into this one."""
    with the_app(request).ledger.writing() as w:
        into, other = cases.find(w, case_id), cases.find(w, form.other)
        arranging.merge(w, into, other, form.reason, person.user_id, now())
    return json_answer({"case_id": case_id})


@router.post("/cases/{case_id}/split", status_code=201)
def split(
    case_id: str, form: SplitForm, request: Request, person: Person = allowed(Permission.CASES_ARRANGE)
) -> Response:
    """Move some payments of an open case into a new one."""
    app = the_app(request)
    seqs = [seq_of(app, name) or 0 for name in form.transaction_ids]
    with app.ledger.writing() as w:
        made = arranging.split(w, cases.find(w, case_id), seqs, form.reason, person.user_id, app.key, now())
    return json_answer({"case_id": made.case_id}, 201)


@router.post("/cases/{case_id}/links", status_code=201)
def link(
    case_id: str, form: OtherForm, request: Request, person: Person = allowed(Permission.CASES_ARRANGE)
) -> Response:
    """Note that two cases belong together."""
    with the_app(request).ledger.writing() as w:
        one, other = cases.find(w, case_id), cases.find(w, form.other)
        arranging.link(w, one, other, form.reason, person.user_id, now())
    return json_answer({"case_id": case_id, "other": form.other}, 201)


@router.post("/cases/{case_id}/notes", status_code=201)
def write_note(
    case_id: str, form: NoteForm, request: Request, person: Person = allowed(Permission.NOTES_WRITE)
) -> Response:
    """Write a note on a case. While it is open to review, others read it only once it is settled."""
    app = the_app(request)
    case = _visible(app, case_id, person)
    with app.ledger.writing() as w:
        made = notes.write(
            w,
            case_id=case_id,
            transaction_seq=case.transaction_seq,
            author=person.user_id,
            content=form.text,
            at=now(),
        )
    return json_answer({"note_id": made["note_id"]}, 201)


@router.post("/cases/{case_id}/files", status_code=201)
def attach(
    case_id: str, file: UploadFile, request: Request, person: Person = allowed(Permission.NOTES_WRITE)
) -> Response:
    """Attach a PNG, JPEG, PDF or text file to a case."""
    app = the_app(request)
    case = _visible(app, case_id, person)
    return _keep(app, file, case_id, case.transaction_seq, person)


@router.post("/tasks/{task_id}/files", status_code=201)
def attach_to_task(
    task_id: str, file: UploadFile, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Attach a PNG, JPEG, PDF or text file to the payment of a task you hold."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        task = tasks.held(w, task_id, person.user_id)
        tasks.touch(w, task, policy, now())
    return _keep(app, file, task.case_id, task.transaction_seq, person, task.claimed_at)


@router.get("/files/{file_id}")
def download(file_id: str, request: Request, person: Person = allowed(Permission.TASKS_LIST)) -> Response:
    """A file, always as a download: nothing in it is run or drawn by the browser."""
    app = the_app(request)
    row, content = attachments.read(app.ledger, app.workspace.files, file_id, person.user_id, person.role)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(row['name'])}",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    kind = row["media_type"] + ("; charset=utf-8" if row["media_type"] == "text/plain" else "")
    return Response(content, headers=headers, media_type=kind)


@router.post("/decisions/{transaction_id}/reversal", status_code=201)
def reverse(
    transaction_id: str,
    form: ReversalForm,
    request: Request,
    person: Person = allowed(Permission.CASES_DISPOSE),
) -> Response:
    """Reverse what the engine decided by itself: a payment that went through is reversed, a declined one released."""
    app = the_app(request)
    stored = decisions.required(app.ledger, seq_of(app, transaction_id), transaction_id)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        made = reversing.reverse(w, stored, form.reason, person.user_id, policy, now())
    return json_answer(made.as_json(), 201)


def _visible(app: App, case_id: str, person: Person) -> cases.Case:
    case = cases.find(app.ledger, case_id)
    for payment in cases.payments(app.ledger, case_id):
        if not blindness.visible_to(app.ledger, person.user_id, person.role, payment["transaction_seq"]):
            raise NotFoundError("there is no such case", where=case_id)
    return case


def _keep(
    app: App, file: UploadFile, case_id: str, seq: int, person: Person, since: datetime | None = None
) -> Response:
    policy = app.live.settings.policy
    content = file.file.read(policy.work.largest_file + 1)
    folder = app.workspace.files
    with attachments.none_left_unrecorded(app.ledger, folder, content), app.ledger.writing() as w:
        kept = attachments.keep(
            w,
            folder,
            case_id=case_id,
            transaction_seq=seq,
            author=person.user_id,
            name=file.filename or "file",
            content=content,
            policy=policy,
            at=now(),
            since=since,
        )
    told = ("file_id", "name", "media_type", "bytes", "sha256")
    return json_answer({name: kept[name] for name in told}, 201)
