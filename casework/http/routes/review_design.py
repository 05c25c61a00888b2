"""How are reviews drawn, reviewers measured and newcomers trained, and what does a design cost and tell?"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.deciding import decisions
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer, seq_of
from casework.http.bodies import Body, Identifier, Note
from casework.http.kept import kept_answer
from casework.people.permissions import Permission, Person
from casework.review import revising
from casework.review.measuring import calculator, feedback, golden, newcomers, rounds
from casework.review.revising import SecondThought

router = APIRouter(tags=["review design"])

Reason = Annotated[str, Field(min_length=3, max_length=2000)]
Share = Annotated[float | None, Query(ge=0, le=1)]


class ReasonForm(Body):
    reason: Reason


class NominationForm(Body):
    transaction_id: Identifier
    is_fraud: bool
    reason: Reason


class SecondThoughtForm(Body):
    value: Literal["confirmed_fraud", "legitimate", "inconclusive"]
    confidence: Literal["", "certain", "high", "medium", "low"] = ""
    note: Note = ""


@router.get("/review-design")
def design(
    request: Request,
    second_review: Share = None,
    third_review: Share = None,
    audit: Share = None,
    golden: Share = None,
    re_serve: Share = None,
    fraud_share: Share = None,
    again: Share = None,
    weeks: Annotated[int, Query(ge=1, le=calculator.MOST_WEEKS)] = calculator.WEEKS,
    person: Person = allowed(Permission.REVIEW_DESIGN_READ),
) -> Response:
    """What the policy's shares, or the ones given here, cost in reviews a week, which interval each figure gets, and
    when it can first be shown."""
    app = the_app(request)
    wanted = {
        "second_review": second_review, "third_review": third_review, "audit": audit, "golden": golden,
        "re_serve": re_serve, "fraud_share": fraud_share, "again": again,
    }  # fmt: skip
    policy = app.live.settings.policy
    return kept_answer(request, person, lambda at: calculator.report(app.ledger, policy, at, wanted, weeks))


@router.get("/golden-cases")
def golden_cases(request: Request, person: Person = allowed(Permission.REVIEW_DESIGN_READ)) -> Response:
    """Past payments of known truth that reviewers are measured on, with how often they were answered and how often
    rightly."""
    return json_answer({"golden_cases": golden.table(the_app(request).ledger)})


@router.post("/golden-cases", status_code=201)
def nominate(
    form: NominationForm, request: Request, person: Person = allowed(Permission.GOLDEN_CHOOSE)
) -> Response:
    """Make a past payment golden on your word, with how its truth is known."""
    app = the_app(request)
    seq = seq_of(app, form.transaction_id)
    if seq is None:
        raise decisions.not_found(form.transaction_id)
    with app.ledger.writing() as w:
        name = golden.nominate(w, seq, form.is_fraud, form.reason, person.user_id, app.key, now())
    return json_answer({"golden_id": name}, 201)


@router.post("/golden-cases/{golden_id}/retirement", status_code=204)
def retire(
    golden_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.GOLDEN_CHOOSE)
) -> None:
    """Show a golden case to nobody any more."""
    with the_app(request).ledger.writing() as w:
        golden.retire(w, golden_id, form.reason, person.user_id, now())


@router.get("/me/golden-feedback")
def golden_feedback(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    person: Person = allowed(Permission.TASKS_WORK),
) -> Response:
    """Your own golden cases that you missed (or all, as the policy says): what you said, and what was true."""
    app = the_app(request)
    found = feedback.golden_feedback(app.ledger, person.user_id, app.live.settings.policy, now(), limit=limit)
    return json_answer({"told": app.live.settings.policy.design.golden.feedback, "golden": found})


@router.get("/me/training")
def my_training(request: Request, person: Person = allowed(Permission.TASKS_WORK)) -> Response:
    """How far you have come in training, and what is still missing."""
    app = the_app(request)
    policy = app.live.settings.policy
    found = newcomers.progress(app.ledger, person.user_id, policy)
    return json_answer({**found.as_json(), "answers": newcomers.answers(app.ledger, found)})


@router.get("/newcomers")
def who_learns(request: Request, person: Person = allowed(Permission.REVIEWERS_TRAIN)) -> Response:
    """Everybody in training with what is still missing, by name; that you asked is recorded."""
    app = the_app(request)
    policy = app.live.settings.policy
    return json_answer({"newcomers": newcomers.everybody(app.ledger, policy, person.user_id, now())})


@router.post("/reviewers/{user}/training", status_code=204)
def begin_training(
    user: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.REVIEWERS_TRAIN)
) -> None:
    """Have somebody work past cases with feedback; his or her verdicts do not count until qualified."""
    app = the_app(request)
    with app.ledger.writing() as w:
        newcomers.begin(w, user, form.reason, person.user_id, now())
    rounds.draw_reviews(app)


@router.post("/reviewers/{user}/qualification", status_code=204)
def qualify(
    user: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.REVIEWERS_TRAIN)
) -> None:
    """Sign that a newcomer's verdicts count from now on; refused while the policy's rule is not met."""
    app = the_app(request)
    policy = app.live.settings.policy
    with app.ledger.writing() as w:
        newcomers.qualify(w, user, form.reason, policy, person.user_id, now())


@router.post("/verdicts/{verdict_id}/revision", status_code=201)
def revise(
    verdict_id: str,
    form: SecondThoughtForm,
    request: Request,
    person: Person = allowed(Permission.TASKS_WORK),
) -> Response:
    """Say what you think after seeing the engine's opinion of what you judged blind. Both answers are kept."""
    app = the_app(request)
    policy = app.live.settings.policy
    said = SecondThought(form.value, form.confidence, form.note)
    with app.ledger.writing() as w:
        kept = revising.revise(w, verdict_id, person.user_id, said, policy, now())
    told = ("verdict_id", "was", "value", "confidence", "given_at")
    return json_answer({name: kept[name] for name in told}, 201)
