"""What does somebody see who has to approve a change, or who looks for what became of one?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from casework.app import App
from casework.people.permissions import Permission, Person
from casework.review.review_design import REVIEWER_ROLES
from casework.settings import approving, checking, evidence, proposals
from casework.settings.drafts import diff
from casework.settings.proposals import OPEN, Proposal
from data import approved
from data.errors import InputError

JSON = dict[str, Any]


def row(proposal: Proposal) -> JSON:
    """A proposal as JSON, without its contents."""
    told = asdict(proposal)
    return {**told, "changes": [{"path": c.path, "change": c.change} for c in proposal.changes]}


def listing(app: App, person: Person, status: str, limit: int) -> JSON:
    """Proposals, newest first, and how many open ones wait for this very person."""
    found = proposals.listing(app.ledger, status, limit)
    waiting = proposals.listing(app.ledger, OPEN)
    may = person.may(Permission.SETTINGS_APPROVE)
    mine = sum(may and not approving.may_approve(p, person.user_id) for p in waiting)
    return {"proposals": [row(p) for p in found], "open": len(waiting), "waiting_for_you": mine}


def page(app: App, proposal_id: str, person: Person, at: datetime) -> JSON:
    """Everything about one proposal: text diff, and while it is open the checks, tests, loose numbers, steps to live
    with their evidence, and whether this person may approve it."""
    found = proposals.find(app.ledger, proposal_id)
    contents = approved.contents(app.ledger, {h for c in found.changes for h in (c.before, c.after)})
    files = [
        {
            **asdict(c),
            "diff": diff(c.path, contents.get(c.before, b""), contents.get(c.after, b"")),
            "text": contents[c.after].decode("utf-8", "replace") if c.after else None,
        }
        for c in found.changes
    ]
    told = {**row(found), "files": files}
    return {**told, **(_open(app, found, person, at) if found.status == OPEN else {})}


def _open(app: App, found: Proposal, person: Person, at: datetime) -> JSON:
    files = approving.resulting_files(app, found)
    problems = approving.problems(app, files, found.override_reason, at)
    try:
        steps = approving.promotions(app, files, at)
    except InputError:  # told among the problems
        steps = []
    against = approving.may_approve(found, person.user_id)
    if not against and not person.may(Permission.SETTINGS_APPROVE):
        against = f"the role {person.role} does not approve changes"
    return {
        **checking.check(app, files, found.paths, at),
        "resulting_set_id": approved.set_id_of(files),
        "overtaken": approving.overtaken(app, found),
        "problems": problems,
        "steps": [_for(person, step) for step in steps],
        "without_evidence": approving.without_evidence(steps),
        "you_may_not_approve": against,
    }


def _for(person: Person, step: JSON) -> JSON:
    """A step with its evidence as this person may read it."""
    if step["evidence"] is None or person.role not in REVIEWER_ROLES:
        return step
    return {**step, "evidence": evidence.for_reviewers(step["evidence"])}


def proposed_files(app: App, proposal_id: str) -> dict[str, bytes]:
    """The whole set as a proposal would make it, for previews of its effect."""
    return approving.resulting_files(app, proposals.find(app.ledger, proposal_id))
