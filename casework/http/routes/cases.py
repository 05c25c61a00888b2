"""How are cases read, opened by hand and followed by what happens to the payment?"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework import restoring
from casework.app import App
from casework.cases import case_pages, cases, dispositions, revealing
from casework.deciding import decisions
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer, seq_of
from casework.http.bodies import Body, Identifier, ShortText
from casework.people.permissions import Permission, Person
from casework.review import blindness
from data import reading
from data.errors import InputError

router = APIRouter(tags=["cases"])

Reason = Annotated[str, Field(min_length=3, max_length=2000)]


class CaseForm(Body):
    transaction_id: Identifier
    reason: Reason


class DispositionForm(Body):
    """`transaction_id` says which payment of a case with several; '' takes the one it was opened on."""

    value: Literal["released", "declined", "already_settled", "reversed"]
    reason: Reason
    transaction_id: ShortText = ""


@router.get("/cases")
def list_cases(
    request: Request,
    status: Annotated[str, Query(pattern="^(open|in_adjudication|closed|timed_out|merged)?$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=100)] = "",
    person: Person = allowed(Permission.CASES_READ),
) -> Response:
    """Cases, newest first, but for those you may still be asked to judge."""
    ledger = the_app(request).ledger
    found = case_pages.case_list(
        ledger,
        person.user_id,
        role=person.role,
        status=status,
        limit=limit,
        cursor=cursor,
        without=revealing.unread(ledger, person.user_id, person.role, now()),
    )
    return json_answer(found)


@router.get("/cases/{case_id}")
def case(case_id: str, request: Request, person: Person = allowed(Permission.CASES_READ)) -> Response:
    """A case with its decision, tasks, verdicts, dispositions and events."""
    ledger = the_app(request).ledger
    for payment in cases.payments(ledger, case_id):
        seq = payment["transaction_seq"]
        revealing.note(ledger, person.user_id, person.role, seq, now(), whole=True)
    return json_answer(case_pages.case_page(ledger, case_id, person.user_id, person.role))


@router.post("/cases", status_code=201)
def open_case(form: CaseForm, request: Request, person: Person = allowed(Permission.CASES_OPEN)) -> Response:
    """Open a case on any decided transaction, with a reason."""
    app = the_app(request)
    seq = seq_of(app, form.transaction_id)
    if seq is not None and not blindness.visible_to(app.ledger, person.user_id, person.role, seq):
        raise decisions.not_found(form.transaction_id)
    stored = decisions.required(app.ledger, seq, form.transaction_id)
    decision = restoring.restored(stored, reading.one(app.ledger, stored["seq"]))
    live, at = app.live, now()
    with app.ledger.writing() as w:
        opened = app.intake.by_hand(w, live, decision, person.user_id, form.reason, at)
    return json_answer({"case_id": opened.case_id, "transaction_id": form.transaction_id}, 201)


@router.post("/cases/{case_id}/disposition", status_code=201)
def dispose(
    case_id: str,
    form: DispositionForm,
    request: Request,
    person: Person = allowed(Permission.CASES_DISPOSE),
) -> Response:
    """Say what happens to the payment: released, declined, already_settled or reversed."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        found = cases.find(w, case_id)
        made = dispositions.record(
            w,
            _payment_of(app, found, form.transaction_id),
            form.value,
            form.reason,
            person.user_id,
            policy,
            now(),
            case_id=case_id,
            segment=found.segment,
        )
    return json_answer(made.as_json(), 201)


def _payment_of(app: App, found: cases.Case, transaction_id: str) -> int:
    if not transaction_id:
        return found.transaction_seq
    seq = seq_of(app, transaction_id)
    if seq not in {row["transaction_seq"] for row in cases.payments(app.ledger, found.case_id)}:
        raise InputError("this payment is not in the case", where="transaction_id")
    return seq or 0


@router.get("/dispositions")
def since(
    request: Request,
    since: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    person: Person = allowed(Permission.DISPOSITIONS_READ),
) -> Response:
    """What finally happened to payments after `since` (a disposition_seq); ask again with the last one seen."""
    found = [made.as_json() for made in dispositions.since(the_app(request).ledger, since, limit)]
    return json_answer({"dispositions": found, "last": found[-1]["disposition_seq"] if found else since})
