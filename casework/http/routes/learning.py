"""Which models and jobs are there, and how does somebody ask for a retrain?"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body
from casework.learning.registry import cards, flips, models
from casework.learning.registry.flip_pages import flip_page
from casework.learning.retraining import runs
from casework.people.permissions import Permission, Person
from casework.watching import digest

router = APIRouter(tags=["models and jobs"])

CARD_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""A card is one page with its pictures and style inside; it runs nothing and asks for nothing."""


class ReasonForm(Body):
    reason: Annotated[str, Field(min_length=3, max_length=2000)]


class RetrainForm(ReasonForm):
    search_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="How long to search for better settings; 0 trains at once.")
    ] = 0


@router.get("/models")
def list_models(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """Every model, newest first, with its figures and the gates it met. `rates` says of those that decided how much of
    what they stopped was fraud and how much of the fraud they stopped, as the last digest estimated it beside the naive
    figures; null before the first digest. `can_roll_back` says whether a model decided before the champion."""
    ledger = the_app(request).ledger
    told = {"models": models.table(ledger), "rates": digest.of_models(ledger)}
    return json_answer({**told, "can_roll_back": models.can_roll_back(ledger)})


@router.get("/models/{model_id}")
def one_model(model_id: str, request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """One model: its figures, its gates, how it stands against the champion, and a sample of the payments on which the
    two would decide differently."""
    app = the_app(request)
    known = cards.with_payments(app.ledger, models.one(app.ledger, model_id))
    looked = {
        "flips_opened": sorted(flips.opened(app.ledger, model_id, person.user_id)),
        "flips_needed": app.settings().policy.retrain.flips,
        "looked_at_by": flips.views(app.ledger, model_id),
        "entities": list(app.mapping.entities),
    }
    return json_answer({**known, **looked})


@router.get("/models/{model_id}/{name}")
def card_file(
    model_id: str,
    name: Literal["card.json", "card.html", "beeswarm.png", "calibration.png", "dependence.png"],
    request: Request,
    person: Person = allowed(Permission.MODELS_READ),
) -> Response:
    """A file of the model's card, checked against the digests on record."""
    app = the_app(request)
    content = cards.read(app.ledger, app.workspace.models, model_id, name)
    return Response(
        content, media_type=cards.MEDIA_TYPES[name], headers={"content-security-policy": CARD_POLICY}
    )


@router.post("/models/{model_id}/sign-off")
def sign_off(
    model_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.MODELS_RETRAIN)
) -> Response:
    """Promote a challenger that passed its gates, or bring a retired model back: not by who asked for it, and only by
    who has opened as many of its flips as the policy says."""
    app = the_app(request)
    least, folder, by = app.settings().policy.retrain.flips, app.workspace.models, person.user_id
    with app.changing_settings(), app.ledger.writing() as w:
        models.sign_off(w, model_id, by=by, reason=form.reason, at=now(), folder=folder, least_flips=least)
    return json_answer(models.one(app.ledger, model_id))


@router.post("/models/{model_id}/refusal")
def turn_down(
    model_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.MODELS_RETRAIN)
) -> Response:
    """Turn down a challenger that waits for a sign-off."""
    app = the_app(request)
    with app.changing_settings(), app.ledger.writing() as w:
        models.turn_down(w, model_id, by=person.user_id, reason=form.reason, at=now())
    return json_answer(models.one(app.ledger, model_id))


@router.post("/models/{model_id}/flips/{seq}")
def open_flip(
    model_id: str, seq: int, request: Request, person: Person = allowed(Permission.MODELS_RETRAIN)
) -> Response:
    """Look at a payment that champion and challenger would decide differently; that you did is put on record."""
    app = the_app(request)
    with app.ledger.writing() as w:
        flips.open_one(w, model_id, seq, by=person.user_id, at=now())
    return json_answer(flip_page(app, model_id, seq))


@router.post("/model-rollbacks", status_code=201)
def roll_back(
    form: ReasonForm, request: Request, person: Person = allowed(Permission.MODELS_RETRAIN)
) -> Response:
    """Have the champion before decide again, from the next decision on. Needs no second person: it decided before."""
    app = the_app(request)
    with app.changing_settings(), app.ledger.writing() as w:
        folder = app.workspace.models
        model_id = models.roll_back(w, by=person.user_id, reason=form.reason, at=now(), folder=folder)
    return json_answer(models.one(app.ledger, model_id), 201)


@router.get("/retrains")
def retrains(request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """Retrain runs, newest first: what came of each, and the sentence that says why."""
    return json_answer({"retrains": runs.table(the_app(request).ledger)})


@router.get("/retrains/{run_id}")
def one_retrain(run_id: str, request: Request, person: Person = allowed(Permission.MODELS_READ)) -> Response:
    """One run, with how far it is: the stage, the share done (0 to 1) and the seconds so far."""
    return json_answer(the_app(request).retraining.progress(run_id))


@router.post("/retrains/{run_id}/cancel", status_code=202)
def cancel_retrain(
    run_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.MODELS_RETRAIN)
) -> Response:
    """End a run that is under way: its child process is stopped, the champion stays."""
    retraining = the_app(request).retraining
    retraining.cancel(run_id, by=person.user_id, reason=form.reason)
    return json_answer(retraining.progress(run_id), 202)


@router.post("/retrains", status_code=202)
def ask_for_retrain(
    form: RetrainForm, request: Request, person: Person = allowed(Permission.MODELS_RETRAIN)
) -> Response:
    """Start training a challenger and answer at once; `GET /v1/retrains/{run_id}` says how far it is and, once it has
    ended, what came of it: promoted, refused, waiting for a sign-off, failed or cancelled."""
    app = the_app(request)
    run_id = app.start_retrain("person", person.user_id, form.reason, form.search_seconds)
    return json_answer(app.retraining.progress(run_id), 202)


@router.get("/jobs")
def jobs(request: Request, person: Person = allowed(Permission.JOBS_READ)) -> Response:
    """The scheduled jobs, their last run and their next."""
    return json_answer({"jobs": the_app(request).schedule.table()})


@router.post("/jobs/{name}/pause", status_code=204)
def pause_job(
    name: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.JOBS_RUN)
) -> Response:
    """Keep a job from running by itself, also over restarts, until somebody resumes it."""
    the_app(request).schedule.pause(name, by=person.user_id, reason=form.reason)
    return Response(status_code=204)


@router.post("/jobs/{name}/resume", status_code=204)
def resume_job(
    name: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.JOBS_RUN)
) -> Response:
    """Have a paused job run by itself again."""
    the_app(request).schedule.resume(name, by=person.user_id, reason=form.reason)
    return Response(status_code=204)


@router.post("/jobs/{name}/run")
def run_job(name: str, request: Request, person: Person = allowed(Permission.JOBS_RUN)) -> Response:
    """Run a job now and wait for it."""
    return json_answer(the_app(request).schedule.run_now(name, by=person.user_id))
