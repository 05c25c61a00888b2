"""Which past payments are people asked to label, and what came of it?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Moment, ShortText
from casework.learning.campaigns import campaign_results, campaigns
from casework.people.permissions import Permission, Person

router = APIRouter(prefix="/campaigns", tags=["labels"])


class CampaignForm(Body):
    name: ShortText
    design: Literal["random", "stratified"]
    wanted: int
    since: Moment | None = None
    until: Moment | None = None
    days: int = 30


class CloseForm(Body):
    reason: ShortText


@router.get("")
def listed(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """Labelling campaigns, newest first, with their progress or result."""
    app = the_app(request)
    found = campaign_results.table(app.ledger, app.live.settings.policy, now())
    return json_answer({"campaigns": found})


@router.post("", status_code=201)
def launch(
    form: CampaignForm, request: Request, person: Person = allowed(Permission.LABELS_MANAGE)
) -> Response:
    """Draw past payments that nobody has said anything of, and put them before people."""
    design = campaigns.Design(form.name, form.design, form.wanted, form.since, form.until, form.days)
    return json_answer(campaigns.launch(the_app(request), design, by=person.user_id), 201)


@router.post("/{campaign_id}/close")
def close(
    campaign_id: str, form: CloseForm, request: Request, person: Person = allowed(Permission.LABELS_MANAGE)
) -> Response:
    """End a campaign: open tasks are withdrawn, verdicts are labels by the policy's rules, the result is kept."""
    return json_answer(campaigns.close(the_app(request), campaign_id, form.reason, by=person.user_id))
