"""How consistently do people decide: by slice, over time, twice over, by display, where they differ, at what pace?

Reviewers read all of it as of a quarter of an hour ago (`told_until`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Moment
from casework.http.kept import kept_answer
from casework.people.permissions import Permission, Person
from casework.quality import consistency_parts as parts
from casework.quality import ledger_verdicts as of_ledger
from casework.quality import looking
from casework.quality.consistency import pairs_report
from casework.quality.ledger_verdicts import Given
from casework.review.blindness import told_until

router = APIRouter(tags=["quality"])
Since = Annotated[Moment | None, Query()]


def _given(app: App, at: datetime, since: datetime | None, until: datetime | None = None) -> list[Given]:
    maturity = app.live.settings.policy.labels.maturity
    return of_ledger.given(app.ledger, at, maturity, since=since, until=until)


def _told(app: App, person: Person, at: datetime, since: datetime | None) -> list[Given]:
    return _given(app, at, since, told_until(person.role, at))


@router.get("/consistency/slices")
def slices(
    request: Request,
    by: Annotated[str, Query(pattern="^(week|queue|reason|rule|guideline|arm)$")] = "queue",
    since: Since = None,
    person: Person = allowed(Permission.QUALITY_READ),
) -> Response:
    """Agreement from random overlap in the same arm, by week, queue, reason, rule, guideline or arm."""
    app = the_app(request)
    return kept_answer(request, person, lambda at: parts.sliced(_told(app, person, at, since), by))


@router.get("/consistency/trend")
def trend(
    request: Request, since: Since = None, person: Person = allowed(Permission.QUALITY_READ)
) -> Response:
    """Agreement by week as observed and at a fixed mix of cases; and what the share of fraud alone does to it."""
    app = the_app(request)
    policy = app.live.settings.policy
    return kept_answer(
        request, person, lambda at: parts.trend(_told(app, person, at, since), policy.reviewer)
    )


@router.get("/consistency/second-looks")
def second_looks(
    request: Request, since: Since = None, person: Person = allowed(Permission.QUALITY_READ)
) -> Response:
    """Agreement of people with themselves, from blind re-serves; all together."""
    app = the_app(request)
    return kept_answer(request, person, lambda at: parts.second_looks(_told(app, person, at, since)))


@router.get("/consistency/display")
def display(
    request: Request, since: Since = None, person: Person = allowed(Permission.QUALITY_READ)
) -> Response:
    """Automation bias: whom verdicts follow, what the display changes, and what people change after the reveal."""
    app = the_app(request)
    return kept_answer(request, person, lambda at: parts.display(app.ledger, _told(app, person, at, since)))


@router.get("/consistency/disputes")
def disputes(
    request: Request,
    against: Annotated[str, Query(pattern="^(each_other|model|outcome)$")] = "each_other",
    since: Since = None,
    person: Person = allowed(Permission.CASES_ARRANGE),
) -> Response:
    """Where people differ from each other, the model or the outcome, in words with examples; for who writes guidelines,
    since examples tell how a payment was judged."""
    app = the_app(request)
    settings = app.live.settings
    phrases = {
        feature.name: feature.phrase + (" (minor units)" if feature.unit == "money" else "")
        for feature in settings.features.features
    }
    return kept_answer(
        request,
        person,
        lambda at: parts.disputes(app.ledger, _given(app, at, since), against=against, phrases=phrases),
        own=True,
    )


@router.get("/consistency/pace")
def pace(
    request: Request, since: Since = None, person: Person = allowed(Permission.QUALITY_READ)
) -> Response:
    """Seconds against case mix along a shift, everybody together."""
    app = the_app(request)
    return kept_answer(request, person, lambda at: parts.pace(_told(app, person, at, since)))


@router.get("/consistency/people")
def people(
    request: Request, since: Since = None, person: Person = allowed(Permission.SCORECARDS_READ)
) -> Response:
    """Agreement by pair among the people you lead, by name and in no order of merit; that you looked is recorded and
    shown to them."""
    app = the_app(request)
    led = looking.led_by(app.ledger, person)
    looking.note(app.ledger, person.user_id, led, "agreement by pair", now())
    return json_answer({"people": led, "by_pair": pairs_report(app.ledger, led, since=since)})


@router.get("/consistency/people/{reviewer}")
def one_person(
    reviewer: str, request: Request, since: Since = None, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """Pace of one person, and how steady: your own, or of somebody you lead, who is told that you looked."""
    app, at = the_app(request), now()
    looking.look(app.ledger, person, reviewer, "pace and steadiness", at)
    steady = parts.second_looks(_told(app, person, at, since), with_people=True)
    own = steady["by_reviewer"].get(reviewer)
    found = parts.pace_of(_given(app, at, since), reviewer, at, until=told_until(person.role, at))
    if reviewer != person.user_id:
        found["nudges"] = []  # between oneself and one's screen
    return json_answer({**found, "second_looks": own, "looked": looking.looks_at(app.ledger, reviewer)})
