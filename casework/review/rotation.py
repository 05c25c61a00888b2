"""With whom has each person judged the same payments of late, so that nobody always reviews beside the same colleague?

Which payments are judged twice is drawn, whoever works. Who judges them second is not: where two people keep the same
hours, or serve a queue that few serve, one would read nearly all that the other has read, and the agreement of the team
would be theirs. So among second reviews that a person may be given, one comes first whose payment was judged by those
with whom he or she has shared the fewest. Verdicts and scores play no part in it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable

from casework.review.review_design import PRIMARY, SECOND

KEPT = 500
"""Shared payments that are remembered, over everybody."""
SHARED_KINDS = (PRIMARY, SECOND)
SHARED = f"""
    SELECT b.event_seq, a.reviewer AS one, b.reviewer AS other
    FROM verdicts b JOIN verdicts a ON a.transaction_seq = b.transaction_seq AND a.event_seq < b.event_seq
    WHERE a.task_kind IN {SHARED_KINDS} AND b.task_kind IN {SHARED_KINDS} AND a.reviewer <> b.reviewer
    GROUP BY ALL ORDER BY b.event_seq DESC, one LIMIT {KEPT}
"""
"""Who judged after whom, the latest first."""


class Together:
    """How many of the last payments each two people have both judged."""

    def __init__(self) -> None:
        self._last: deque[frozenset[str]] = deque()
        self._times: Counter[frozenset[str]] = Counter()

    def clear(self) -> None:
        self._last.clear()
        self._times.clear()

    def note(self, reviewer: str, others: Iterable[str]) -> None:
        """This person has judged what these others judged before."""
        for other in sorted(set(others) - {reviewer}):
            pair = frozenset((reviewer, other))
            self._last.append(pair)
            self._times[pair] += 1
            if len(self._last) > KEPT:
                self._times[self._last.popleft()] -= 1

    def times(self, reviewer: str, others: Collection[str]) -> int:
        """On how many payments this person has worked with the one of these others with whom it were most."""
        return max((self._times[frozenset((reviewer, other))] for other in others), default=0)
