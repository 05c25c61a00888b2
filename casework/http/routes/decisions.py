"""How does a payment system ask for a decision, and how is one looked up later?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from casework.app import App
from casework.cases import revealing
from casework.deciding import decision_pages, decisions
from casework.http import payments
from casework.http.access import allowed, now, the_app
from casework.http.answers import cursor_of, json_answer, seq_of
from casework.http.bodies import Body, Moment, ShortText
from casework.http.payments import BatchForm, Name, TransactionForm
from casework.people.permissions import Permission, Person
from casework.review import blindness
from data.blanks import trimmed
from data.errors import SecondLookError
from data.transactions import Transaction

router = APIRouter(tags=["decisions"])


class ValueForm(Body):
    """A value of an entity as it is sent."""

    entity: Name
    value: ShortText


async def answer_one(app: App, form: TransactionForm) -> Response:
    """The answer to one transaction once it is durable. Raises what stands in the decision's way."""
    answers = await app.loop.ask([payments.transaction_of(app, form)])
    if isinstance(answers[0], SecondLookError):
        raise answers[0]
    return _json(answers[0])


async def answer_batch(app: App, form: BatchForm) -> Response:
    """The same for several, each with its decision or its problem."""
    sent = [payments.read(app, each) for each in form.transactions]
    usable = [each for each in sent if isinstance(each, Transaction)]
    return _json(payments.together(sent, await app.loop.ask(usable) if usable else []))


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


@router.post("/decisions")
async def decide(
    form: TransactionForm, request: Request, person: Person = allowed(Permission.DECISIONS_REQUEST)
) -> Response:
    """Decide one transaction. The answer leaves when the decision is on disk.

    An id seen before returns the stored decision, or 409 if the content, or a personal value, differs.
    """
    return await answer_one(the_app(request), form)


@router.post("/decisions/batch")
async def decide_batch(
    form: BatchForm, request: Request, person: Person = allowed(Permission.DECISIONS_REQUEST)
) -> Response:
    """Decide up to 1,000 transactions in the order given; they see each other.

    Each answer is a decision, or the problem with that transaction; the others are decided all the same.
    """
    return await answer_batch(the_app(request), form)


@router.get("/decisions/{transaction_id}")
def decision(
    transaction_id: str, request: Request, person: Person = allowed(Permission.DECISIONS_READ)
) -> Response:
    """The stored decision exactly as it was answered, with the payment and the features' phrases and units.

    Not for somebody who is to judge it unseen.
    """
    app = the_app(request)
    seq = seq_of(app, transaction_id)
    if seq is not None:
        revealing.note(app.ledger, person.user_id, person.role, seq, now(), whole=True)
    if seq is None or not blindness.visible_to(app.ledger, person.user_id, person.role, seq):
        raise decisions.not_found(transaction_id)
    return json_answer(decision_pages.decision_page(app, seq, transaction_id, person))


@router.get("/decisions")
def search(
    request: Request,
    entity: Annotated[str, Query(max_length=64)] = "",
    value: Annotated[str, Query(max_length=128)] = "",
    outcome: Annotated[str, Query(pattern="^(approve|review|decline)?$")] = "",
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=32)] = "",
    person: Person = allowed(Permission.DECISIONS_READ),
) -> Response:
    """Decisions, newest first, and the currency their amounts are in minor units of. `next_cursor` continues where
    this page ended; `value` is the one asked for as payments have it, which may be a pseudonym."""
    app = the_app(request)
    who = (person.user_id, person.role)
    unread = revealing.unread(app.ledger, *who, now())
    hidden = sorted(blindness.blind_transactions(app.ledger, *who) | unread)
    held = app.mapping.held(entity, trimmed(value))
    wanted = decisions.Search(entity, held, outcome, since, until, cursor_of(cursor), limit, hidden)
    rows = decisions.search(app.ledger, wanted, list(app.mapping.entities))
    following = str(rows[-1]["seq"]) if len(rows) == limit else None
    currency = app.live.settings.policy.currency
    return json_answer({"decisions": rows, "currency": currency, "value": held, "next_cursor": following})


@router.post("/pseudonyms")
def pseudonym(
    form: ValueForm, request: Request, person: Person = allowed(Permission.DECISIONS_READ)
) -> Response:
    """What payments hold in place of a value: its pseudonym, or the value where the mapping asks for none. The value is
    asked for in a body, since addresses end up in the logs of proxies; a search can then be by the pseudonym."""
    mapping = the_app(request).mapping
    decisions.check_entity(form.entity, list(mapping.entities))
    return json_answer({"entity": form.entity, "value": mapping.held(form.entity, trimmed(form.value))})
