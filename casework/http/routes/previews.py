"""What would a change do, what does each rule bring, and where would the cut-offs best lie?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Moment
from casework.http.kept import kept_answer
from casework.in_hand import Going
from casework.people.permissions import Permission, Person
from casework.settings import previews, tuning
from casework.settings.compared import Compared
from casework.settings.rule_report import rule_report
from casework.settings.rule_review import rule_review
from casework.settings.set_backtest import set_backtest

router = APIRouter(tags=["rules and policy"])
Share = Annotated[float, Field(ge=0, le=1)] | None
Limit = Annotated[int, Query(ge=0, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**7)]
Wait = Annotated[
    float | None,
    Query(
        ge=0, le=60, description="Seconds after which the answer is 202 with how far it is; ask again then."
    ),
]
Path = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=1_000_000)]


class PreviewForm(Body):
    """The period, and the files to try: path to content, null to leave one out. Without files, the drafts."""

    since: Moment | None = None
    until: Moment | None = None
    files: Annotated[dict[Path, Text | None], Field(max_length=500)] | None = None
    limit: Annotated[int, Field(ge=0, le=1000)] = 50
    offset: Annotated[int, Field(ge=0, le=10**7)] = 0


class BacktestForm(Body):
    """The period, and the files to try: path to content, null to leave one out. Without files, the workspace's own."""

    since: Moment | None = None
    until: Moment | None = None
    files: Annotated[dict[Path, Text | None], Field(max_length=500)] | None = None


class TunerQuery(Body):
    """Cut-offs, or other costs (minor units) and capacity than the policy's; what is left out stays as it is."""

    review_at: Share = None
    decline_at: Share = None
    missed_fraud_share: Annotated[float, Field(ge=0, le=10)] | None = None
    good_declined_minor: Annotated[int, Field(gt=0, le=10**12)] | None = None
    review_minor: Annotated[int, Field(ge=0, le=10**12)] | None = None
    reviews_per_day: Annotated[int, Field(ge=0, le=10**9)] | None = None
    by: Annotated[str, Field(max_length=64)] = ""
    since: Moment | None = None
    until: Moment | None = None
    with_rules: bool = True
    curves: bool = False


@router.get("/previews")
def preview_drafts(
    request: Request,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
    wait: Wait = None,
    person: Person = allowed(Permission.SETTINGS_PREVIEW),
) -> Response:
    """What the workspace's drafts would have changed in a past period, against the set that runs."""
    app = the_app(request)
    return effect(app, previews.proposed_files(app), (since, until), (limit, offset), wait)


def effect(
    app: App,
    files: Mapping[str, bytes],
    period: tuple[datetime | None, datetime | None],
    page: tuple[int, int],
    wait: float | None,
) -> Response:
    """The effect of some files; with `wait`, after so many seconds 202 and how far it is (`working`, `share`,
    `seconds`) if it is not known yet."""
    at = now()
    found: Compared | Going
    if wait is None:
        found = previews.compare(app, files, *period, at=at)
    else:
        asked = previews.question(app, files, *period)
        found = app.in_hand.ask(
            asked, lambda told: previews.compare(app, files, *period, at=at, told=told), at, wait
        )
    if isinstance(found, Going):
        return json_answer({"working": found.what, "share": found.share, "seconds": found.seconds}, 202)
    return json_answer(previews.told_of(app, files, found, limit=page[0], offset=page[1]))


@router.post("/previews")
def preview_files(
    form: PreviewForm, request: Request, person: Person = allowed(Permission.SETTINGS_PREVIEW)
) -> Response:
    """The same for files that are not saved anywhere: the approved set with those sent in their place."""
    app = the_app(request)
    files = previews.proposed_files(app, form.files)
    found = previews.preview(
        app, files, form.since, form.until, at=now(), limit=form.limit, offset=form.offset
    )
    return json_answer(found)


@router.post("/backtests")
def backtest_files(
    form: BacktestForm, request: Request, person: Person = allowed(Permission.SETTINGS_PREVIEW)
) -> Response:
    """How a set of files would have done over a past period, week by week, beside what was really decided."""
    app = the_app(request)
    files = previews.proposed_files(app, form.files)
    return json_answer(set_backtest(app, files, form.since, form.until, at=now()))


@router.get("/rules/report")
def report(
    request: Request,
    since: Moment | None = None,
    until: Moment | None = None,
    entity: Annotated[str, Query(max_length=64)] = "",
    person: Person = allowed(Permission.SETTINGS_PREVIEW),
) -> Response:
    """What each rule brought in a period: hits, precision by outcomes and by verdicts, overlap, what it adds, whom it
    hits again (by `entity`), what snoozes kept quiet, and whether it hits more or less than its own history."""
    app = the_app(request)
    return kept_answer(request, person, lambda at: rule_report(app, since, until, at=at, entity=entity))


@router.get("/rules/review")
def review(
    request: Request,
    since: Moment | None = None,
    until: Moment | None = None,
    person: Person = allowed(Permission.SETTINGS_PREVIEW),
) -> Response:
    """Rules that are dead, redundant or opposed, a proposal to retire some, and its effect on the same period."""
    return json_answer(rule_review(the_app(request), since, until, at=now()))


@router.get("/tuner")
def tune(
    request: Request,
    asked: Annotated[TunerQuery, Query()],
    person: Person = allowed(Permission.SETTINGS_PREVIEW),
) -> Response:
    """The present cut-offs, those asked for, and the best ones for the stated costs, over the same past payments."""
    wanted = tuning.Wanted(**asked.model_dump(exclude={"since", "until", "with_rules", "curves"}))
    found = tuning.tuned(
        the_app(request),
        wanted,
        asked.since,
        asked.until,
        at=now(),
        with_rules=asked.with_rules,
        curves=asked.curves,
    )
    return json_answer(found)
