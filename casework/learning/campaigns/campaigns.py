"""Which past payments are put before people to build a training set, drawn how, and what came of it?

A campaign asks about payments that nobody has said anything of. They are drawn at random, or from bands of the score
(of novelty where no model decides), so that rare and risky payments are asked about more often than they come. Every
payment's chance of being drawn is kept, so that what people say of the sample still says something about all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from casework.cases import cases
from casework.cases.dossiers import build_dossier
from casework.learning.campaigns import campaign_results
from casework.learning.campaigns.campaign_draw import Drawn, draw_sample
from casework.review import tasks
from casework.review.review_design import AUDIT, BLIND_FIRST, draw_design, opaque_id
from casework.review.tasks import OPEN, Task
from casework.safety.naming import new_id, reason_of
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.costs import CapacityState
from engine.decision import Decision
from engine.policy import Policy

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
LANE = "campaign"
RANDOM, STRATIFIED = "random", "stratified"
DESIGNS = (RANDOM, STRATIFIED)
MOST_WANTED = 2_000
WITHDRAWN_BECAUSE = "the labelling campaign was closed"


@dataclass(frozen=True, slots=True)
class Design:
    """How many payments are `wanted`, drawn how, from those of a stretch of time (None: the whole record), within how
    many `days` people should have answered."""

    name: str
    design: str
    wanted: int
    since: datetime | None = None
    until: datetime | None = None
    days: int = 30

    def check(self) -> None:
        """InputError for a design that cannot be carried out."""
        if self.design not in DESIGNS:
            raise InputError(f"'{self.design}' is no design", where="design", allowed=", ".join(DESIGNS))
        if not 1 <= self.wanted <= MOST_WANTED:
            raise InputError("this many cannot be wanted", where="wanted", allowed=f"1 to {MOST_WANTED:,}")
        if not 1 <= self.days <= 365:
            raise InputError("people get 1 to 365 days", where="days", allowed="1 to 365")
        if self.since and self.until and self.since >= self.until:
            raise InputError("the stretch ends before it begins", where="until", allowed="since < until")


def launch(app: App, design: Design, *, by: str) -> JSON:
    """Draw the sample and open a task for each payment of it; the campaign's row with its progress.

    ConflictError while another campaign is open or the policy gives campaigns no share, InputError where there is
    nothing to ask about.
    """
    design.check()
    name = reason_of(design.name, "a campaign")
    _check_share(app.live.settings.policy)
    live, at = app.live, app.clock()
    if app.ledger.read("SELECT 1 FROM campaigns WHERE closed_at IS NULL LIMIT 1"):
        raise ConflictError("another labelling campaign is open", hint="Close it first.")
    campaign_id = new_id("campaign", name, at.isoformat())
    drawn = draw_sample(
        app, design.design == STRATIFIED, design.wanted, (design.since, design.until), campaign_id
    )
    if not drawn:
        raise InputError(
            "there is no payment in this stretch that nobody has said anything of",
            where="since",
            hint="Choose another.",
        )
    made = [(each, _answered(app, each, at)) for each in drawn]
    with app.lock, app.ledger.writing() as w:
        _record(w, campaign_id, name, design, drawn, by, at)
        for each, decision in made:
            background = app.intake.background(live, live.past.before_old(decision, at))
            dossier = {**build_dossier(decision, background), "lane": ""}
            _open(w, campaign_id, each, decision, dossier, design, live.settings.policy, app.key, at)
    return campaign_results.one(app.ledger, campaign_id, live.settings.policy, at)


def _check_share(policy: Policy) -> None:
    """ConflictError where the campaign's lane has no share: beside any other work its tasks would expire unread."""
    if policy.lanes.get(LANE, 0.0) <= 0:
        raise ConflictError(
            f"the lane {LANE} has no share, so beside other work nobody would ever be given a task of it",
            where="policy.yaml: lanes",
            hint=f"Propose a policy with lanes such as {LANE}: 0.05, taken from another lane; the shares add up to 1.",
        )


def _answered(app: App, drawn: Drawn, at: datetime) -> Decision:
    """What the engine would answer today; nothing is decided by it, and it is only shown after the verdict."""
    made: Decision = app.live.engine.decide_rows(
        [drawn.transaction], [drawn.row], at=at, load=CapacityState()
    )[0]
    return made


def _record(
    w: Writer, campaign_id: str, name: str, design: Design, drawn: Sequence[Drawn], by: str, at: datetime
) -> None:
    criteria = {"since": design.since, "until": design.until, "days": design.days}
    row = {
        "campaign_id": campaign_id,
        "name": name,
        "design": design.design,
        "wanted": design.wanted,
        "population": drawn[0].population,
        "criteria": json.dumps({key: str(value) if value else None for key, value in criteria.items()}),
        "opened_by": by,
        "opened_at": at,
        "closed_at": None,
        "result": "{}",
    }
    w.insert("campaigns", [row])
    told = {key: value for key, value in row.items() if key not in ("closed_at", "result")}
    w.event(EventDraft(by, "campaign.opened", f"campaign:{campaign_id}", {**told, "drawn": len(drawn)}), at)


def _open(
    w: Writer,
    campaign_id: str,
    drawn: Drawn,
    decision: Decision,
    dossier: Mapping[str, Any],
    design: Design,
    policy: Policy,
    key: bytes,
    at: datetime,
) -> None:
    """A task of the audit kind: it is shown blind, belongs to no case and changes nothing for the payment."""
    transaction = drawn.transaction
    task = Task(
        task_id=opaque_id(key, "task", transaction.transaction_id, campaign_id),
        case_id="",
        dossier_id=opaque_id(key, "dossier", transaction.transaction_id, campaign_id),
        transaction_seq=transaction.seq,
        kind=AUDIT,
        lane=LANE,
        queue=cases.queue_of(decision, policy),
        segment=cases.segment_of(decision),
        probability=drawn.probability,
        status=OPEN,
        arm=BLIND_FIRST,
        priority=0.0,
        amount_minor=transaction.amount_minor or 0,
        created_at=at,
        deadline=at + timedelta(days=design.days),
    )
    reviewed = draw_design(policy, key, transaction.transaction_id, None)
    cases.open_tasks(w, task, replace(reviewed, arm=BLIND_FIRST), dossier, key, at)
    kept = {"campaign_id": campaign_id, "transaction_seq": transaction.seq, "task_id": task.task_id}
    w.insert("campaign_payments", [{**kept, "stratum": drawn.stratum, "probability": drawn.probability}])


def close(app: App, campaign_id: str, reason: str, *, by: str) -> JSON:
    """End a campaign: what is still open is withdrawn, what was said becomes labels by the policy's rules, and the
    result is kept. NotFoundError, ConflictError if it was closed before, InputError without a reason."""
    why, at, policy = reason_of(reason, "closing a campaign"), app.clock(), app.live.settings.policy
    rows = app.ledger.read("SELECT closed_at FROM campaigns WHERE campaign_id = ?", [campaign_id])
    if not rows:
        raise NotFoundError("there is no such campaign", where=campaign_id[:80])
    if rows[0]["closed_at"] is not None:
        raise ConflictError("this campaign was closed before", where=campaign_id)
    with app.ledger.writing() as w:
        for task in _open_tasks(w, campaign_id):
            tasks.finish(w, task, tasks.WITHDRAWN, by, WITHDRAWN_BECAUSE, at)
    result = campaign_results.result(app.ledger, campaign_id, policy, at)
    with app.ledger.writing() as w:
        w.execute(
            "UPDATE campaigns SET closed_at = ?, result = ? WHERE campaign_id = ?",
            [at, json.dumps(result), campaign_id],
        )
        told = {"reason": why, "sentence": result["sentence"]}
        w.event(EventDraft(by, "campaign.closed", f"campaign:{campaign_id}", told), at)
    return campaign_results.one(app.ledger, campaign_id, policy, at)


def _open_tasks(w: Ledger | Writer, campaign_id: str) -> list[Task]:
    """Its tasks that nobody holds or has done, second ones among them."""
    return tasks.where(
        w,
        "t.status = 'open' AND t.case_id = '' AND t.transaction_seq IN "
        "(SELECT transaction_seq FROM campaign_payments WHERE campaign_id = ?)",
        [campaign_id],
    )
