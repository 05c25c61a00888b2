"""What does a person learn of his or her own work, and what may a team lead read of it after that?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Note
from casework.http.kept import kept_answer
from casework.people.permissions import Permission, Person
from casework.quality.consensus import of_ledger
from casework.quality.scorecards import editions, own_work

router = APIRouter(tags=["own work"])
JSON = dict[str, Any]
_FURTHER = """
    SELECT x.transaction_id, f.posterior, f.reason, f.opened_at, t.status
    FROM further_reviews f JOIN tasks t USING (task_id) JOIN transactions x ON x.seq = f.transaction_seq
    ORDER BY f.opened_at DESC, f.task_id LIMIT 50
"""


class CommentForm(Body):
    comment: Annotated[Note, Field(min_length=1, max_length=editions.LONGEST_COMMENT)]


@router.get("/me/work")
def my_work(request: Request, person: Person = allowed(Permission.TASKS_WORK)) -> Response:
    """Your session, your pace, settled disagreements and golden cases to learn from, and your scorecards by date."""
    app = the_app(request)
    return kept_answer(request, person, lambda at: _work_of(app, person.user_id, at), own=True)


def _work_of(app: App, who: str, at: datetime) -> JSON:
    policy = app.live.settings.policy
    return {
        "session": own_work.session(app.ledger, who, at),
        "pace": own_work.pace(app.ledger, who, at),
        "disagreements": own_work.disagreements(app.ledger, who, policy, app.key, at),
        "golden": own_work.golden(app.ledger, who, policy, at),
        "golden_feedback": policy.design.golden.feedback,
        "scorecards": editions.of_reviewer(app.ledger, who),
        "issued_every_days": policy.design.scorecards.every.days,
        "others_after_days": policy.design.scorecards.lead_after.days,
    }


@router.get("/me/scorecards/{scorecard_id}")
def my_scorecard(
    scorecard_id: str, request: Request, person: Person = allowed(Permission.TASKS_WORK)
) -> Response:
    """One of your scorecards. Opening it lets your team lead read it too."""
    return json_answer(editions.open_own(the_app(request).ledger, scorecard_id, person.user_id, now()))


@router.post("/me/scorecards/{scorecard_id}/comments", status_code=204)
def comment(
    scorecard_id: str,
    form: CommentForm,
    request: Request,
    person: Person = allowed(Permission.TASKS_WORK),
) -> None:
    """Say something to one of your scorecards; whoever may read it reads that too."""
    editions.comment(the_app(request).ledger, scorecard_id, person.user_id, form.comment, now())


@router.get("/scorecards")
def scorecards(request: Request, person: Person = allowed(Permission.SCORECARDS_READ)) -> Response:
    """Everybody's latest scorecard, by name and in no order of merit; that you asked is recorded."""
    app = the_app(request)
    found = editions.for_others(app.ledger, app.live.settings.policy, person.user_id, now())
    return json_answer({"scorecards": found})


@router.get("/scorecards/{scorecard_id}")
def scorecard(
    scorecard_id: str, request: Request, person: Person = allowed(Permission.SCORECARDS_READ)
) -> Response:
    """A scorecard whose reviewer has opened it, or could have for long enough; that you looked is recorded and shown
    to the reviewer."""
    app = the_app(request)
    policy = app.live.settings.policy
    return json_answer(editions.look_at(app.ledger, policy, scorecard_id, person.user_id, now()))


@router.get("/consensus")
def consensus(request: Request, person: Person = allowed(Permission.TEAM_READ)) -> Response:
    """On what labels take people's word: the last estimate, each lane's share of fraud, and further reviews asked for.
    What it says of single people is in their scorecards."""
    app = the_app(request)
    found = of_ledger.latest(app.ledger, now())
    if found is None:
        fit = None
    else:
        kept = ("identified", "sentence", "verdicts", "anchors", "prior", "overall", "shared")
        content = found.measures.as_json()
        fit = {"fit_id": found.fit_id, "fitted_at": found.fitted_at} | {name: content[name] for name in kept}
    return json_answer({"fit": fit, "further": app.ledger.read(_FURTHER)})
