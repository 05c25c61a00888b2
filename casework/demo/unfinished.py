"""What is left on the desks when the demo ends, so that a visitor finds work in every state?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from casework.app import App
from casework.cases import attachments, cases, notes
from casework.review import handing_out, moves, reviewers, verdicts
from casework.review.tasks import Task
from casework.review.verdicts import VerdictForm
from data.writer import Writer

LEAD = "team-lead-1"
LASTS = timedelta(seconds=41)
CROSS_BORDER = ("analyst-1", "analyst-3", "analyst-4")
_STATEMENT = b"""Call with the customer, noted by the team lead

The customer says that the first payment is hers and that she does not know the others.
She still has the card. A new phone was registered to the account on the day before.
"""
_MOST_PAYMENTS = """
    SELECT x.case_id FROM case_transactions x JOIN cases c USING (case_id) WHERE c.status IN ('open', 'closed')
    GROUP BY x.case_id, c.opened_at ORDER BY count(*) DESC, c.opened_at DESC LIMIT 1
"""


def place_people(app: App) -> None:
    """Say who takes from the queue of payments abroad."""
    with app.ledger.writing() as w:
        for user in CROSS_BORDER:
            reviewers.place(
                w, user, teams=["cross_border"], languages=[], held_limit=0, by=LEAD, at=app.clock()
            )


def leave(app: App, wait: Callable[[timedelta], None]) -> None:
    """One task escalated, one set aside, one answered with flags, a note and a file on the largest case.

    `wait` moves the clock, by LASTS at most.
    """
    policy, at = app.live.settings.policy, app.clock()
    with app.ledger.writing() as w:
        if task := _taken(app, w, "analyst-2"):
            note = "I know the owner of this merchant, so somebody else should decide."
            moves.escalate(w, task.task_id, "analyst-2", note, policy, at)
        if task := _taken(app, w, "analyst-3"):
            until = min(at + timedelta(hours=18), at + (task.deadline - at) / 2)
            moves.snooze(w, task.task_id, "analyst-3", until, "waiting for the merchant's answer", at)
        if task := _taken(app, w, "analyst-4"):
            form = VerdictForm(
                value=verdicts.LEGITIMATE, reason_code="explained_by_history", confidence="high", deserved="no",
                note="The guideline does not say what to do when a family shares one device.",
                corrections={"channel": "ecom"}, flags=("guideline_gap",),
            )  # fmt: skip
            wait(LASTS)
            verdicts.give(w, task.task_id, "analyst-4", form, policy, app.clock())
    _write_on_largest_case(app)


def _taken(app: App, w: Writer, reviewer: str) -> Task | None:
    return handing_out.take_next(w, reviewer, app.live.settings.policy, app.key, app.clock(), desk=app.desk)


def _write_on_largest_case(app: App) -> None:
    """A note and a file of the team lead."""
    at, policy = app.clock(), app.live.settings.policy
    with app.ledger.writing() as w:
        found = w.read(_MOST_PAYMENTS)
        if not found:
            return
        case = cases.find(w, found[0]["case_id"])
        where: dict[str, Any] = {
            "case_id": case.case_id,
            "transaction_seq": case.transaction_seq,
            "author": LEAD,
        }
        notes.write(w, **where, content="Called the customer; what she said is in the file.", at=at)
        attachments.keep(
            w, app.workspace.files, **where, name="call.txt", content=_STATEMENT, policy=policy, at=at
        )
