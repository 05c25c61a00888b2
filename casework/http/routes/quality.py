"""How consistently do people decide, how does the institution stand, and who is treated how?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from casework.http.access import allowed, the_app
from casework.http.bodies import Moment
from casework.http.kept import kept_answer
from casework.people.permissions import Permission, Person
from casework.quality.consistency import consistency_report
from casework.quality.subgroups import for_reviewers, subgroup_table
from casework.quality.summary import summary
from casework.review.blindness import told_until
from casework.review.review_design import REVIEWER_ROLES

router = APIRouter(tags=["quality"])


@router.get("/consistency")
def consistency(
    request: Request,
    arm: Annotated[str, Query(pattern="^(score_shown|blind_first)?$")] = "",
    since: Moment | None = None,
    person: Person = allowed(Permission.QUALITY_READ),
) -> Response:
    """Agreement among reviewers on blind random second reviews, with intervals. No person is named: figures by pair are
    for team leads, at /consistency/people. Reviewers read it as of a quarter of an hour ago."""
    ledger = the_app(request).ledger
    return kept_answer(
        request,
        person,
        lambda at: consistency_report(
            ledger, arm=arm, since=since, until=told_until(person.role, at), with_people=False
        ),
    )


@router.get("/summary")
def how_it_stands(request: Request, person: Person = allowed(Permission.QUALITY_READ)) -> Response:
    """Decisions, cases, tasks, verdicts and dispositions in numbers, and the subgroup table.

    Reviewers get no count that another one's verdict moves.
    """
    app = the_app(request)
    attribute = app.live.settings.policy.protected_attribute
    return kept_answer(request, person, lambda at: summary(app.ledger, attribute, at, role=person.role))


@router.get("/subgroups")
def subgroups(
    request: Request,
    since: Moment | None = None,
    person: Person = allowed(Permission.QUALITY_READ),
) -> Response:
    """Rates by each value of the policy's protected attribute, with Wilson intervals; to reviewers without what people
    said, which another one's verdict moves."""
    app = the_app(request)
    attribute = app.live.settings.policy.protected_attribute
    shown = for_reviewers if person.role in REVIEWER_ROLES else dict[str, Any]
    return kept_answer(request, person, lambda at: shown(subgroup_table(app.ledger, attribute, since=since)))
