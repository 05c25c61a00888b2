"""Is what comes in still what was learned from, how well does it go, and what changed this week?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, ShortText
from casework.people.permissions import Permission, Person
from casework.watching import digest, digest_pages, reports, widening
from data.errors import NotFoundError

router = APIRouter(prefix="/watch", tags=["watching"])
MEDIA = {"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8"}


class EndForm(Body):
    reason: ShortText


@router.get("/drift")
def drift(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """The latest look at drift with every input, and the looks before it."""
    ledger = the_app(request).ledger
    return json_answer({"latest": reports.latest(ledger), "reports": reports.table(ledger)})


@router.get("/drift/{report_id}")
def drift_report(
    report_id: str, request: Request, person: Person = allowed(Permission.MODELS_READ)
) -> Response:
    """One stored look at drift, with the bins and counts that everything was computed from."""
    found = reports.one(the_app(request).ledger, report_id)
    if found is None:
        raise NotFoundError("there is no such drift report", where=report_id[:80])
    return json_answer(found)


@router.get("/widenings")
def widenings(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """Where reviews are or were widened because inputs had drifted, newest first."""
    return json_answer({"widenings": widening.table(the_app(request).ledger, now())})


@router.post("/widenings/{segment}/end")
def end_widening(
    segment: str, form: EndForm, request: Request, person: Person = allowed(Permission.SETTINGS_APPROVE)
) -> Response:
    """End wider reviews in a segment before their time."""
    app = the_app(request)
    with app.changing_control(), app.ledger.writing() as w:
        ended = widening.end(w, segment, form.reason, by=person.user_id, at=now())
    if not ended:
        raise NotFoundError("reviews are not widened in this segment", where=segment[:80])
    return json_answer({"segment": segment, "ended": True})


@router.get("/digests")
def digests(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """Digests, newest first, without their contents."""
    return json_answer({"digests": digest.table(the_app(request).ledger)})


@router.get("/digests/{digest_id}")
def one_digest(
    digest_id: str,
    request: Request,
    form: Literal["json", "html", "md"] = "json",
    person: Person = allowed(Permission.MODELS_READ),
) -> Response:
    """One digest, `latest` for the last: as JSON, as a page to print or send (`form=html`), or as Markdown."""
    found = digest.latest(the_app(request).ledger, "" if digest_id == "latest" else digest_id)
    if found is None:
        raise NotFoundError(
            "there is no such digest",
            where=digest_id[:80],
            hint="The job 'digest' writes one a week; run it.",
        )
    if form == "json":
        return json_answer(found)
    text = digest_pages.markdown(found) if form == "md" else digest_pages.html(found)
    return Response(
        text,
        media_type=MEDIA[form],
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )
