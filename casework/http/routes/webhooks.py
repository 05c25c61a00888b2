"""How does an institution register where it wants to hear of dispositions, and see what was sent?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Reason
from casework.outbox import endpoints, messages
from casework.people.permissions import Permission, Person

router = APIRouter(tags=["webhooks"])


class WebhookForm(Body):
    url: Annotated[str, Field(min_length=8, max_length=endpoints.LONGEST_URL)]
    reason: Reason


@router.get("/webhooks")
def list_webhooks(request: Request, person: Person = allowed(Permission.WEBHOOKS_READ)) -> Response:
    """Where messages go, which hosts policy allows and which of them hear the chain's heads, and how many messages
    wait, arrived, or were given up."""
    app = the_app(request)
    return json_answer(
        {
            "webhooks": endpoints.active(app.ledger),
            "allowed_hosts": list(app.live.settings.policy.work.webhook_hosts),
            "head_hosts": list(app.live.settings.policy.work.head_hosts),
            "messages": messages.counts(app.ledger),
        }
    )


@router.post("/webhooks", status_code=201)
def add_webhook(
    form: WebhookForm, request: Request, person: Person = allowed(Permission.WEBHOOKS_MANAGE)
) -> Response:
    """Register an address. The answer holds its secret, which is never shown again."""
    app = the_app(request)
    hosts = app.live.settings.policy.work.webhook_hosts
    with app.ledger.writing() as w:
        row, secret = endpoints.add(w, form.url, hosts, person.user_id, app.key, now(), form.reason)
    return json_answer({"webhook_id": row["webhook_id"], "url": row["url"], "secret": secret}, 201)


@router.delete("/webhooks/{webhook_id}", status_code=204)
def remove_webhook(
    webhook_id: str,
    request: Request,
    reason: Annotated[Reason, Query()],
    person: Person = allowed(Permission.WEBHOOKS_MANAGE),
) -> None:
    """Send nothing more there."""
    with the_app(request).ledger.writing() as w:
        endpoints.remove(w, webhook_id, person.user_id, now(), reason)


@router.post("/webhooks/{webhook_id}/ping", status_code=202)
def ping(webhook_id: str, request: Request, person: Person = allowed(Permission.WEBHOOKS_MANAGE)) -> Response:
    """Send a message that says nothing, to try the address."""
    with the_app(request).ledger.writing() as w:
        message_id = messages.ping(w, webhook_id, person.user_id, now())
    return json_answer({"message_id": message_id}, 202)


@router.get("/deliveries")
def deliveries(
    request: Request,
    status: Annotated[str, Query(pattern="^(waiting|sent|dead)?$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    person: Person = allowed(Permission.WEBHOOKS_READ),
) -> Response:
    """Messages, the newest first; `status=dead` are those that were given up."""
    return json_answer({"deliveries": messages.listed(the_app(request).ledger, status, limit)})


@router.post("/deliveries/{delivery_id}/resend", status_code=202)
def resend(
    delivery_id: str, request: Request, person: Person = allowed(Permission.WEBHOOKS_MANAGE)
) -> Response:
    """Have a message sent again."""
    with the_app(request).ledger.writing() as w:
        messages.resend(w, delivery_id, person.user_id, now())
    return json_answer({"delivery_id": delivery_id}, 202)
