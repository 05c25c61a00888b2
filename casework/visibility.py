"""What must this person not see now, because they are, or may be, asked to judge it untouched?"""

from __future__ import annotations

from data.ledger import Ledger

from casework.permissions import Person
from casework.review_design import REVIEWER_ROLES

# A reviewer may be handed any open blind task that they have not judged, so all of those count, not only held ones.
_WAITING = """
    SELECT DISTINCT t.transaction_seq AS seq FROM tasks t
    WHERE t.status IN ('open', 'claimed') AND t.kind <> 'adjudication' AND {condition}
    AND t.transaction_seq NOT IN (
        SELECT v.transaction_seq FROM verdicts v WHERE v.reviewer = ? AND v.undone_at IS NULL)
"""


def hidden(ledger: Ledger, person: Person) -> list[int]:
    """Seqs of transactions whose score this person must not see: an undecided task on them is shown blind-first."""
    return _waiting(ledger, person, "t.arm = 'blind_first'")


def undecided(ledger: Ledger, person: Person) -> list[int]:
    """Seqs of transactions on which this person must not see what others said, or where the case stands."""
    return _waiting(ledger, person, "true")


def is_hidden(ledger: Ledger, person: Person, seq: int) -> bool:
    """Whether the score of this transaction is hidden from this person."""
    return seq in hidden(ledger, person)


def _waiting(ledger: Ledger, person: Person, condition: str) -> list[int]:
    if person.role not in REVIEWER_ROLES:
        return []
    rows = ledger.read(_WAITING.format(condition=condition), [person.user_id])
    return [row["seq"] for row in rows]
