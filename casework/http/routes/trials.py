"""How are other settings tried on live traffic, as a shadow or for a share of the customers, and stopped?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body
from casework.people.permissions import Permission, Person
from casework.safety import actions, trial_report

router = APIRouter(tags=["safety"])

Reason = Annotated[str, Field(min_length=3, max_length=2000)]
Id = Annotated[str, Field(max_length=100)]
Path = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=1_000_000)]


class CandidateForm(Body):
    """The approved set with these files in place of its own: path to content, null to leave one out."""

    files: Annotated[dict[Path, Text | None], Field(min_length=1, max_length=500)]
    reason: Reason


class ShadowForm(Body):
    """A candidate or an approved set, by its id; or a model that does not decide."""

    set_id: Id = ""
    model_id: Id = ""
    name: Annotated[str, Field(max_length=100)] = ""
    reason: Reason


class RolloutForm(Body):
    """Either a set (approved, or a candidate that somebody else added) or a model, and for how many of whom."""

    set_id: Id = ""
    model_id: Id = ""
    entity: Id
    share: Annotated[float, Field(gt=0, lt=1)]
    reason: Reason


class StopForm(Body):
    reason: Reason


@router.post("/candidate-sets", status_code=201)
def add_candidate(
    form: CandidateForm, request: Request, person: Person = allowed(Permission.TRIALS_RUN)
) -> Response:
    """Keep a set that is not approved, so that it can be tried; it is linted and tested first."""
    made = actions.add_candidate(
        the_app(request), form.files, by=person.user_id, reason=form.reason, at=now()
    )
    return json_answer({"set_id": made}, 201)


@router.get("/trials")
def list_trials(request: Request, person: Person = allowed(Permission.SAFETY_READ)) -> Response:
    """Shadows and rollouts, newest first, with how often each answered otherwise.

    One that was not stopped but does not take part has other features than the set that decides by now.
    """
    app = the_app(request)
    active = app.live.guard.trials
    rows = trial_report.listed(app.ledger)
    return json_answer({"trials": [{**row, "takes_part": row["trial_id"] in active} for row in rows]})


@router.get("/trials/{trial_id}")
def trial(
    trial_id: str,
    request: Request,
    limit: Annotated[int, Query(ge=0, le=500)] = 50,
    person: Person = allowed(Permission.SETTINGS_PREVIEW),
) -> Response:
    """A trial beside what decides: outcomes, alert and decline rates with intervals, money, fraud known since."""
    return json_answer(trial_report.report(the_app(request).ledger, trial_id, limit))


@router.post("/shadows", status_code=201)
def start_shadow(
    form: ShadowForm, request: Request, person: Person = allowed(Permission.TRIALS_RUN)
) -> Response:
    """Have a set, or a model, answer every payment beside what decides: recorded, never obeyed."""
    made = actions.start_shadow(
        the_app(request),
        form.set_id,
        name=form.name,
        by=person.user_id,
        reason=form.reason,
        at=now(),
        model_id=form.model_id,
    )
    return json_answer({"trial_id": made}, 201)


@router.post("/rollouts", status_code=201)
def start_rollout(
    form: RolloutForm, request: Request, person: Person = allowed(Permission.TRIALS_RUN)
) -> Response:
    """Have a set or a model decide a share of an entity's values; the same values every time."""
    made = actions.start_rollout(
        the_app(request),
        set_id=form.set_id,
        model_id=form.model_id,
        entity=form.entity,
        share=form.share,
        by=person.user_id,
        reason=form.reason,
        at=now(),
    )
    return json_answer({"trial_id": made}, 201)


@router.post("/trials/{trial_id}/stop", status_code=204)
def stop(
    trial_id: str, form: StopForm, request: Request, person: Person = allowed(Permission.SAFETY_STOP)
) -> Response:
    """End a trial; from the next decision on only the approved set decides."""
    actions.stop_trial(the_app(request), trial_id, by=person.user_id, reason=form.reason, at=now())
    return Response(status_code=204)
