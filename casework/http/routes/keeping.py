"""How is the record backed up, taken away as evidence, and trimmed of what it may no longer hold?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Identifier, Moment, ShortText
from casework.keeping import backups, erasing, erasure_preview, evidence
from casework.people.permissions import Permission, Person
from data.errors import InputError, PermissionDenied

router = APIRouter(tags=["keeping"])
Reason = Annotated[str, Field(min_length=3, max_length=1000)]


class BackupForm(Body):
    """Why, and for a command on this machine alone where to (default: the folder the server was told of)."""

    reason: Reason
    folder: Annotated[str, Field(max_length=1000)] = ""


class EvidenceForm(Body):
    """Which decisions or cases; `unmask` takes personal values along, for a reason that goes into the record."""

    ids: Annotated[list[Identifier], Field(min_length=1, max_length=evidence.MOST)]
    reason: Annotated[str, Field(max_length=1000)] = ""
    unmask: bool = False


@router.post("/evidence", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def take_evidence(
    form: EvidenceForm, request: Request, person: Person = allowed(Permission.AUDIT_READ)
) -> Response:
    """A ZIP of everything about these decisions or cases, with a script that checks it without us."""
    wanted = evidence.Wanted(form.ids, form.reason, form.unmask)
    packed = evidence.pack(the_app(request), wanted, person.user_id)
    headers = {"content-disposition": 'attachment; filename="evidence.zip"'}
    return Response(packed, media_type="application/zip", headers=headers)


@router.post("/backups")
def make_backup(
    form: BackupForm, request: Request, person: Person = allowed(Permission.BACKUPS_MAKE)
) -> Response:
    """Copy the whole workspace while it is served. Writes wait for the copy of the ledger's file, decisions do not."""
    app = the_app(request)
    if form.folder and not person.local:
        raise PermissionDenied(
            "only a command on the server's own machine may say where a backup goes",
            hint="Leave `folder` out: the server's own folder is used.",
        )
    folder = Path(form.folder) if form.folder else app.workspace.backups
    return json_answer(backups.make(app, folder, person.user_id, form.reason))


class ScopeForm(Body):
    """Whose personal data: one value of an entity, or everything of payments recorded before a moment."""

    entity: ShortText = ""
    value: ShortText = ""
    recorded_before: Moment | None = None

    def scope(self, app: App) -> erasing.Scope:
        if bool(self.entity) == (self.recorded_before is not None):
            raise InputError("say whose data, or up to when", allowed="entity and value, or recorded_before")
        if self.recorded_before is not None:
            return erasing.recorded_before(self.recorded_before)
        return erasing.of_entity(app, self.entity, self.value)


class ErasureForm(ScopeForm):
    """Whose personal data, and why."""

    reason: Reason


@router.post("/erasures")
def erase(
    form: ErasureForm, request: Request, person: Person = allowed(Permission.PERSONAL_ERASE)
) -> Response:
    """Erase personal fields and what people wrote beside them; the chain still verifies. It cannot be undone.

    Backups made before still hold them: they are named in the answer.
    """
    app = the_app(request)
    return json_answer(erasing.erase(app, form.scope(app), by=person.user_id, reason=form.reason))


@router.post("/erasures/preview")
def preview_erasure(
    form: ScopeForm, request: Request, person: Person = allowed(Permission.PERSONAL_ERASE)
) -> Response:
    """What an erasure would take away, by kind; nothing is changed."""
    app = the_app(request)
    return json_answer(erasure_preview.preview(app, form.scope(app)))


@router.get("/erasures")
def list_erasures(request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """What was erased, by whom and why, the newest first; whose it was is not told."""
    return json_answer({"erasures": erasing.table(the_app(request).ledger)})


@router.get("/backups")
def list_backups(request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """Backups on record, the newest first."""
    return json_answer({"backups": backups.table(the_app(request).ledger)})
