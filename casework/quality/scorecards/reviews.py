"""Which verdicts of each person are there to be held against the truth, or against what colleagues said?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from casework.quality.settled_truth import settled_truth
from casework.review.verdicts import CONFIRMED_FRAUD, INCONCLUSIVE, LEGITIMATE
from data.ledger import Ledger
from data.writer import Writer

ANSWERS = (CONFIRMED_FRAUD, LEGITIMATE, INCONCLUSIVE)
GOLDEN, OUTCOME = "golden", "outcome"


@dataclass(frozen=True, slots=True)
class Review:
    """One verdict. `fraud` is the truth where it is known without regard to this verdict: from a golden case, or from
    what became of an audited payment that went through, once its time to be disputed was over; `known_from` says which
    ('' for neither). `overlap` marks payments that chance gave to several people, in one arm; `seconds` leaves idle
    time out."""

    reviewer: str
    item: str
    value: str
    lane: str
    arm: str = ""
    seconds: float = 0.0
    amount_minor: int = 0
    fraud: bool | None = None
    known_from: str = ""
    overlap: bool = False
    order: int = 0


# An audit never stops a payment: so where it went through, both what was disputed and what was not are known, but only
# once its time is over (frauds are heard of sooner).
_REVIEWS = f"""
WITH known AS ({settled_truth("until")}
), golden AS (
    SELECT transaction_seq, arg_max(is_fraud, added_at) AS is_fraud FROM golden_cases WHERE added_at <= $until
    GROUP BY transaction_seq
), twice AS (
    SELECT DISTINCT transaction_seq FROM tasks WHERE kind = 'second' AND lane = 'second'
)
SELECT v.reviewer, t.transaction_id AS item, v.value, v.lane, v.arm, v.transaction_seq, v.task_kind,
       greatest(v.seconds - coalesce(v.idle_seconds, 0), 0) AS seconds, coalesce(t.amount_minor, 0) AS amount_minor,
       CASE WHEN v.task_kind = 'golden' THEN g.is_fraud
            WHEN v.task_kind = 'audit' THEN k.is_fraud END AS fraud,
       w.transaction_seq IS NOT NULL AND v.task_kind <> 'golden'
       AND v.task_id NOT IN (SELECT task_id FROM further_reviews) AS overlap, v.event_seq AS "order"
FROM verdicts v
JOIN transactions t ON t.seq = v.transaction_seq
LEFT JOIN golden g ON g.transaction_seq = v.transaction_seq
LEFT JOIN known k ON k.transaction_seq = v.transaction_seq
LEFT JOIN twice w ON w.transaction_seq = v.transaction_seq
WHERE v.task_kind IN ('primary', 'second', 'audit', 'golden') AND coalesce(v.applied_from, '') = ''
  AND v.given_at >= $since AND v.given_at <= $until AND (v.undone_at IS NULL OR v.undone_at > $until)
  AND v.verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts WHERE voided_at <= $until)
ORDER BY v.given_at, v.event_seq
"""


def reviews(source: Ledger | Writer, since: datetime, until: datetime, maturity: timedelta) -> list[Review]:
    """Verdicts given from `since` to `until` and not taken back by then, in the order in which they were given.

    Left out are adjudications, verdicts of newcomers in training, a person's second look at a payment, and verdicts
    that were applied from another payment's. A payment counts as undisputed `maturity` after it was made.
    """
    parameters = {"since": since, "until": until, "maturity_us": maturity // timedelta(microseconds=1)}
    rows = source.read(_REVIEWS, parameters)
    return [
        Review(
            row["reviewer"],
            row["item"],
            row["value"],
            row["lane"],
            row["arm"],
            row["seconds"],
            row["amount_minor"],
            row["fraud"],
            "" if row["fraud"] is None else GOLDEN if row["task_kind"] == "golden" else OUTCOME,
            row["overlap"],
            row["order"],
        )
        for row in rows
    ]


def by_reviewer(given: Iterable[Review], most: int = 0) -> Mapping[str, list[Review]]:
    """Reviews of each person in their order; only the latest `most` of each where that is not 0."""
    found: dict[str, list[Review]] = {}
    for each in given:
        found.setdefault(each.reviewer, []).append(each)
    return {who: rows[-most:] if most else rows for who, rows in sorted(found.items())}
