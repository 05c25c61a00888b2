"""How consistently do this institution's reviewers decide, judged on random overlap alone?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from casework.quality.agreement.report import by_arm, consistency, within_arm
from casework.quality.agreement.table import Rating
from casework.review.lanes import SECOND_LANE
from casework.review.verdicts import CONFIRMED_FRAUD, INCONCLUSIVE, LEGITIMATE
from data.ledger import Ledger

RANKED = (LEGITIMATE, INCONCLUSIVE, CONFIRMED_FRAUD)
BASIS = (
    "Blind second reviews that were drawn at random, compared with the first review of the same transaction in the "
    "same display arm. Four-eyes and adjudicated verdicts are left out: they are not a random sample."
)

# Undone verdicts do not count; a transaction counts when its second review was drawn at random.
_RATINGS = """
    SELECT t.transaction_id AS item, v.reviewer, v.value AS verdict, v.arm
    FROM verdicts v JOIN transactions t ON t.seq = v.transaction_seq
    WHERE v.undone_at IS NULL AND v.task_kind IN ('primary', 'second', 'audit')
      AND v.verdict_id NOT IN (SELECT x.verdict_id FROM voided_verdicts x)
      AND v.task_id NOT IN (SELECT f.task_id FROM further_reviews f)
      AND v.given_at >= coalesce(CAST(? AS TIMESTAMP), v.given_at) AND (? = '' OR v.arm = ?)
      AND v.given_at <= coalesce(CAST(? AS TIMESTAMP), v.given_at)
      AND (NOT ? OR v.transaction_seq IN (
          SELECT s.transaction_seq FROM tasks s WHERE s.kind = 'second' AND s.lane = ?))
    ORDER BY v.given_at, v.event_seq
"""


def overlap(
    ledger: Ledger,
    *,
    arm: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    random_only: bool = True,
) -> list[Rating]:
    """Ratings of transactions with a random second review, or of all, in the order they were given."""
    rows = ledger.read(_RATINGS, [since, arm, arm, until, random_only, SECOND_LANE])
    return [Rating(**row) for row in rows]


def pairs_report(
    ledger: Ledger, people: Collection[str], *, since: datetime | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Agreement of each pair of these people on random overlap in the same arm, by name."""
    ratings = within_arm([one for one in overlap(ledger, since=since) if one.reviewer in people])
    if not ratings:
        return []
    found = consistency(ratings, positive=CONFIRMED_FRAUD, categories=RANKED, seed=seed)
    return list(found.pairs)


def consistency_report(
    ledger: Ledger,
    *,
    arm: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
    with_people: bool = True,
) -> dict[str, Any]:
    """The agreement report over the ledger's verdicts: the headline from random overlap in the same arm, then
    by arm.

    `with_people=False` leaves out the figures by pair of reviewers: who may see a person's figures is
    limited.
    """
    ratings = overlap(ledger, arm=arm, since=since, until=until)
    options: dict[str, Any] = {"positive": CONFIRMED_FRAUD, "categories": RANKED, "seed": seed}
    headline = consistency(within_arm(ratings), with_pairs=with_people, **options).as_json()
    return {**headline, "basis": BASIS, "arm": arm, "since": since, "by_arm": by_arm(ratings, **options)}
