"""Which endpoints are there, and what do they share?"""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from casework.app import App
from casework.http import problems
from casework.http.access import body_bound
from casework.http.crowd import Crowd
from casework.http.door import DecisionDoor
from casework.http.routes import (
    api_keys,
    arranging,
    audit,
    campaigns,
    cases,
    consistency,
    decisions,
    health,
    imports,
    keeping,
    labels,
    learning,
    metrics,
    outside,
    own_work,
    pilots,
    previews,
    proposals,
    quality,
    review_design,
    safety,
    sessions,
    settings,
    tasks,
    team,
    trials,
    unsent,
    watching,
    webhooks,
    work,
)
from casework.http.security import SecurityHeaders

_ABOUT = (
    "A fraud decision engine that knows when to ask a person. Send transactions to /v1/decisions; reviewers work "
    "through /v1/tasks. Errors are problem+json with a hint. Sign in with POST /v1/sessions."
)
ROUTERS = (
    sessions,
    outside,
    api_keys,
    decisions,
    imports,
    tasks,
    work,
    cases,
    arranging,
    team,
    webhooks,
    quality,
    consistency,
    pilots,
    review_design,
    own_work,
    previews,
    proposals,
    safety,
    trials,
    settings,
    labels,
    campaigns,
    watching,
    learning,
    unsent,
    audit,
    keeping,
)


def create_api(app: App) -> FastAPI:
    """The HTTP interface of one application."""
    api = FastAPI(title="Second Look", version="1", description=_ABOUT, redirect_slashes=False)
    api.state.app = app
    problems.install(api)
    for subject in ROUTERS:
        api.include_router(subject.router, prefix="/v1")
    api.include_router(health.router)
    api.include_router(metrics.router)
    app.measures.watch(metrics.State(app))
    api.add_middleware(Crowd, refused=app.measures.refused)
    api.add_middleware(DecisionDoor, serving=app)
    api.add_middleware(SecurityHeaders, bound_of=partial(body_bound, app))
    return api
