"""Who proposes which change of rules and policy, who looks at it, and who brings it into force?"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Identifier, Moment, Note, ShortText
from casework.http.routes.previews import Wait, effect
from casework.people.permissions import Permission, Person
from casework.review.review_design import REVIEWER_ROLES
from casework.settings import (
    approving,
    checking,
    drafts,
    evidence,
    previews,
    proposal_pages,
    proposals,
    steps,
)
from casework.settings.approving import Approval
from casework.settings.proposals import Asked
from data import approved
from data.errors import NotFoundError

router = APIRouter(tags=["rules and policy"])
Reason = Annotated[Note, Field(min_length=3)]
Path = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=proposals.LARGEST_FILE)]
Texts = Annotated[dict[Path, Text | None], Field(min_length=1, max_length=proposals.MOST_FILES)]
Limit = Annotated[int, Query(ge=0, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**7)]


class Step(Body):
    """A rule, and the status it shall have; without one, the next in an ordinary life."""

    rule: Identifier
    to: ShortText = ""


class ProposalForm(Body):
    """Why, and exactly one of: `files` (path to content, null to remove one), `edited` (paths of files edited in the
    workspace, [] for all of them), `step` (a rule's next status), `back_to` (an earlier set's id)."""

    reason: Reason
    files: Texts | None = None
    edited: Annotated[list[Path], Field(max_length=proposals.MOST_FILES)] | None = None
    step: Step | None = None
    back_to: Identifier | None = None
    override_reason: Note = ""
    replaces: ShortText = ""
    origin: Literal["http", "console", "cli"] = "http"

    @model_validator(mode="after")
    def _one_kind(self) -> ProposalForm:
        given = [x for x in (self.files, self.edited, self.step, self.back_to) if x is not None]
        if len(given) != 1:
            raise ValueError("exactly one of files, edited, step, back_to is needed")
        return self


class ApprovalForm(Body):
    """Which proposal, and the hash of the content that was looked at; `set_id` is the set that it said would
    result, if that shall be held to as well."""

    proposal_id: Identifier
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    reason: Reason
    set_id: ShortText = ""


class ReasonForm(Body):
    """Why."""

    reason: Reason


class CheckForm(Body):
    """Texts to look at, saved nowhere: path to content, null to leave one out."""

    files: Texts


@router.post("/proposals", status_code=201)
def propose(
    form: ProposalForm, request: Request, person: Person = allowed(Permission.SETTINGS_PROPOSE)
) -> Response:
    """Put a change before a second person. The one who asks is its author, and never its approver."""
    app = the_app(request)
    texts, kind = _texts(app, form)
    asked = Asked(
        by=person.user_id,
        reason=form.reason,
        origin=f"{form.origin}: {kind}",
        override_reason=_override(form),
        replaces=form.replaces,
    )
    made = proposals.propose(app, texts, asked, at=now())
    return json_answer(proposal_pages.page(app, made.proposal_id, person, now()), 201)


def _override(form: ProposalForm) -> str:
    """Going back to what ran before speaks for itself, and is still marked as going without evidence."""
    return form.override_reason.strip() or (f"it ran in {form.back_to}" if form.back_to else "")


def _texts(app: App, form: ProposalForm) -> tuple[dict[str, bytes | None], str]:
    """The contents proposed, by path, and what kind of change it is."""
    if form.files is not None:
        return {path: None if text is None else text.encode() for path, text in form.files.items()}, "texts"
    if form.edited is not None:
        return drafts.edited(app, form.edited or None), "edited files"
    if form.step is not None:
        override = form.override_reason.strip()
        found = steps.step(
            app, form.step.rule, form.step.to, reason=form.reason, override_reason=override, at=now()
        )
        return found, f"step of {form.step.rule}"
    return steps.back_to(app, form.back_to or "", reason=form.reason, at=now()), f"back to {form.back_to}"


@router.get("/proposals")
def listed(
    request: Request,
    status: Literal["", "open", "approved", "rejected", "withdrawn", "replaced"] = "",
    limit: Limit = 200,
    person: Person = allowed(Permission.SETTINGS_READ),
) -> Response:
    """Proposals, newest first."""
    return json_answer(proposal_pages.listing(the_app(request), person, status, limit))


@router.get("/proposals/{proposal_id}")
def one(proposal_id: str, request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """One proposal: text diff, checks, tests, unpinned numbers, steps to live with their evidence."""
    return json_answer(proposal_pages.page(the_app(request), proposal_id, person, now()))


@router.get("/proposals/{proposal_id}/preview")
def preview(
    proposal_id: str,
    request: Request,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
    wait: Wait = None,
    person: Person = allowed(Permission.SETTINGS_PREVIEW),
) -> Response:
    """What the proposal would have changed in a past period, against the set that runs."""
    app = the_app(request)
    files = proposal_pages.proposed_files(app, proposal_id)
    return effect(app, files, (since, until), (limit, offset), wait)


@router.post("/approvals", status_code=201)
def approve(
    form: ApprovalForm, request: Request, person: Person = allowed(Permission.SETTINGS_APPROVE)
) -> Response:
    """Bring a proposal of somebody else into force: it decides from the next transaction on."""
    approval = Approval(person.user_id, form.reason, form.content_sha256, form.set_id)
    return json_answer(approving.approve(the_app(request), form.proposal_id, approval, at=now()), 201)


@router.post("/proposals/{proposal_id}/rejection")
def reject(
    proposal_id: str,
    form: ReasonForm,
    request: Request,
    person: Person = allowed(Permission.SETTINGS_APPROVE),
) -> Response:
    """Decline a proposal of somebody else, with a reason."""
    done = proposals.reject(the_app(request), proposal_id, by=person.user_id, reason=form.reason, at=now())
    return json_answer(proposal_pages.row(done))


@router.post("/proposals/{proposal_id}/withdrawal")
def withdraw(
    proposal_id: str,
    form: ReasonForm,
    request: Request,
    person: Person = allowed(Permission.SETTINGS_PROPOSE),
) -> Response:
    """Take one's own proposal back."""
    done = proposals.withdraw(the_app(request), proposal_id, by=person.user_id, reason=form.reason, at=now())
    return json_answer(proposal_pages.row(done))


@router.post("/rules/check")
def check(
    form: CheckForm, request: Request, person: Person = allowed(Permission.SETTINGS_PROPOSE)
) -> Response:
    """Findings, inline tests and unpinned numbers of texts that are saved nowhere, within the set that runs."""
    app = the_app(request)
    files = previews.proposed_files(app, form.files)
    found: dict[str, Any] = checking.check(app, files, form.files, now())
    return json_answer(found)


@router.get("/rules/{rule_id}/evidence")
def rule_evidence(
    rule_id: str, request: Request, person: Person = allowed(Permission.SETTINGS_READ)
) -> Response:
    """What an approved rule has shown in shadow with its present condition, and what is lacking for it to go live; to
    reviewers without what people said."""
    found = steps.shown_in_shadow(the_app(request), rule_id, now())
    return json_answer(evidence.for_reviewers(found) if person.role in REVIEWER_ROLES else found)


@router.get("/approved-set/files/{path:path}")
def file_of_the_set(
    path: str, request: Request, person: Person = allowed(Permission.SETTINGS_READ)
) -> Response:
    """One file of the set that runs, as text, such as catalogue/card_testing_burst.yaml or lists.yaml."""
    content = the_app(request).settings().files.get(path)
    if content is None:
        raise NotFoundError(
            f"the approved set has no file {path[:120]!r}", hint="GET /v1/approved-set lists them."
        )
    return json_answer({"path": path, "text": content.decode("utf-8", "replace")})


@router.get("/approved-sets")
def approved_sets(request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """Every set that was ever approved, newest first; one can go back to any of them by a proposal."""
    return json_answer({"sets": approved.history(the_app(request).ledger)})
