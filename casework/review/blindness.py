"""What must a person not see now, so that what he or she says later is worth something?

One rule, the same for every kind of task, because any difference would be a hint: while a transaction has an open
task that a person holds or may still be given, that person sees nothing of it but the task page. Once the person has
judged it, his or her own part is visible; what others said stays hidden until the case is settled.
"""

from __future__ import annotations

from datetime import datetime

from casework.cases.cases import CLOSED, TIMED_OUT
from casework.cases.revealing import UNDO_WITHIN
from casework.review.review_design import BLIND_KINDS, REPEATED_KINDS, REVIEWER_ROLES, TRAINING
from data.ledger import Ledger

# Not yet judged by the reviewer, and still open to somebody. Whether the reviewer released it does not
# matter: it may be handed to the neighbour, and the two may talk.
# A payment that is shown again is hidden anew, whatever was said of it before that task opened.
_BLIND = """
    SELECT DISTINCT t.transaction_seq FROM tasks t
    WHERE t.status IN ('open', 'claimed') AND list_contains(?, t.kind)
      AND NOT EXISTS (
        SELECT 1 FROM verdicts v WHERE v.transaction_seq = t.transaction_seq AND v.reviewer = ?
          AND v.undone_at IS NULL AND (v.given_at >= t.created_at OR NOT list_contains(?, t.kind)))
"""


def blind_transactions(ledger: Ledger, reviewer: str, role: str = "analyst") -> frozenset[int]:
    """Seqs of the transactions that look-ups, lists, search and timelines must leave out for this person.

    Empty for roles that are never given blind tasks: they see everything.
    """
    if role not in REVIEWER_ROLES:
        return frozenset()
    rows = ledger.read(_BLIND, _asked(reviewer))
    return frozenset(row["transaction_seq"] for row in rows)


def visible_to(ledger: Ledger, reviewer: str, role: str, transaction_seq: int) -> bool:
    """Whether this person may look at a transaction's decision, case and timeline."""
    if role not in REVIEWER_ROLES:
        return True
    blind = ledger.read(_BLIND + " AND t.transaction_seq = ?", [*_asked(reviewer), transaction_seq])
    return not blind


def others_verdicts_visible(ledger: Ledger, reviewer: str, role: str, transaction_seq: int) -> bool:
    """Whether this person may read what other people said about a transaction: only once it is settled."""
    if role not in REVIEWER_ROLES:
        return True
    rows = ledger.read(
        "SELECT c.status FROM cases c JOIN case_transactions x USING (case_id) WHERE x.transaction_seq = ?",
        [transaction_seq],
    )
    settled = bool(rows) and rows[0]["status"] in (CLOSED, TIMED_OUT)
    return settled and visible_to(ledger, reviewer, role, transaction_seq)


def told_until(role: str, at: datetime) -> datetime | None:
    """Up to when verdicts count in the figures that this role reads; None for all that were given.

    Reviewers are told of none that could still be taken back: a figure that moves with one's own verdict would say that
    it was about a past payment, and what was true of it, or what somebody else had said.
    """
    return at - UNDO_WITHIN if role in REVIEWER_ROLES else None


def _asked(reviewer: str) -> list[object]:
    return [[*BLIND_KINDS, TRAINING], reviewer, list(REPEATED_KINDS)]
