"""Which verdicts does the ledger hold, with all that reports on people ask of each?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

from casework.quality.agreement.against_truth import Judged
from casework.quality.agreement.breakdown import Placed, in_weeks
from casework.quality.agreement.steadiness import TwoLooks
from casework.quality.agreement.table import Rating
from casework.quality.display.revealed import Reveal
from casework.quality.pace.shifts import Worked
from casework.quality.settled_truth import settled_truth
from casework.review.lanes import SECOND_LANE
from casework.review.review_design import COUNTED_KINDS, GOLDEN, PRIMARY, RE_SERVE, SECOND
from casework.review.verdicts import CONFIRMED_FRAUD
from data.ledger import Ledger

FACTS = ("week", "queue", "reason", "rule", "guideline", "arm")
"""What agreement is broken down by."""


@dataclass(frozen=True, slots=True)
class Given:
    """One verdict. `fraud` is the truth where it is known without regard to what people said of it: of golden cases,
    and of audited payments that went through, once their time to be disputed is over. `overlap` marks reviews that
    chance gave to several people; `arm_probability` is the chance of the display arm; `seconds` leaves idle time out;
    `score` is NaN where no model decided."""

    verdict_id: str
    item: str
    transaction_seq: int
    reviewer: str
    value: str
    kind: str
    arm: str
    confidence: str
    seconds: float
    given_at: datetime
    guideline: str
    queue: str
    reason: str
    rules: tuple[str, ...]
    score: float
    amount_minor: int
    fraud: bool | None
    overlap: bool
    arm_probability: float

    @property
    def arm_was_drawn(self) -> bool:
        """Whether chance alone chose the display arm: audits are always blind, and so is what shows one again."""
        return self.kind in (PRIMARY, SECOND) or (self.kind == GOLDEN and self.arm_probability < 1)

    @property
    def flagged(self) -> bool:
        return self.value == CONFIRMED_FRAUD


_GIVEN = f"""
WITH known AS ({settled_truth("at")}
), golden AS (
    SELECT transaction_seq, arg_max(is_fraud, added_at) AS is_fraud FROM golden_cases GROUP BY transaction_seq
), twice AS (
    SELECT DISTINCT transaction_seq FROM tasks WHERE kind = 'second' AND lane = $second
), decided AS (
    SELECT transaction_seq, arg_max(probability, decided_at) AS probability,
           arg_max(triage_reason, decided_at) AS reason, arg_max(rules_hit, decided_at) AS rules
    FROM decisions GROUP BY transaction_seq
)
SELECT v.verdict_id, t.transaction_id AS item, v.transaction_seq, v.reviewer, v.value, v.task_kind AS kind, v.arm,
       v.confidence, greatest(v.seconds - coalesce(v.idle_seconds, 0), 0) AS seconds, v.given_at,
       v.guideline_version AS guideline, coalesce(k.queue, '') AS queue, coalesce(d.reason, '') AS reason,
       coalesce(d.rules, []) AS rules, coalesce(d.probability, 'nan'::DOUBLE) AS score,
       coalesce(t.amount_minor, 0) AS amount_minor,
       CASE WHEN v.task_kind = 'golden' THEN g.is_fraud
            WHEN v.task_kind = 'audit' THEN o.is_fraud END AS fraud,
       w.transaction_seq IS NOT NULL AND v.task_id NOT IN (SELECT task_id FROM further_reviews) AS overlap,
       coalesce(k.arm_probability, 1.0) AS arm_probability
FROM verdicts v
JOIN transactions t ON t.seq = v.transaction_seq
LEFT JOIN tasks k ON k.task_id = v.task_id
LEFT JOIN decided d ON d.transaction_seq = v.transaction_seq
LEFT JOIN golden g ON g.transaction_seq = v.transaction_seq
LEFT JOIN known o ON o.transaction_seq = v.transaction_seq
LEFT JOIN twice w ON w.transaction_seq = v.transaction_seq
WHERE v.undone_at IS NULL AND coalesce(v.applied_from, '') = ''
  AND v.verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
  AND v.given_at >= coalesce(CAST($since AS TIMESTAMP), v.given_at)
  AND v.given_at <= coalesce(CAST($until AS TIMESTAMP), v.given_at)
ORDER BY v.given_at, v.event_seq
"""


def given(
    ledger: Ledger,
    at: datetime,
    maturity: timedelta,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Given]:
    """Verdicts that stand, of every kind, in the order in which they were given. Left out are those taken back,
    declared void, or applied from another payment's."""
    asked = {
        "at": at,
        "since": since,
        "until": until,
        "second": SECOND_LANE,
        "maturity_us": maturity // timedelta(microseconds=1),
    }
    return [Given(**{**row, "rules": tuple(row["rules"])}) for row in ledger.read(_GIVEN, asked)]


def fresh(found: Sequence[Given]) -> list[Given]:
    """Verdicts that are a reviewer's fresh opinion of a payment; golden cases among them, whose truth is known."""
    return [one for one in found if one.kind in (*COUNTED_KINDS, GOLDEN)]


def placed(found: Sequence[Given]) -> list[Placed]:
    """Ratings from random overlap with what they can be sliced by."""
    rows = [one for one in found if one.overlap and one.kind in COUNTED_KINDS]
    return in_weeks(
        [
            Placed(
                Rating(one.item, one.reviewer, one.value, one.arm),
                {
                    "queue": _known(one.queue),
                    "reason": _known(one.reason),
                    "rule": one.rules,
                    "guideline": _known(one.guideline),
                    "arm": _known(one.arm),
                },
                one.given_at,
                one.score,
            )
            for one in rows
        ]
    )


def _known(word: str) -> tuple[str, ...]:
    return (word,) if word else ()


def judged(found: Sequence[Given]) -> list[Judged]:
    """The same as the reports on people, model and display take them."""
    return [
        Judged(
            one.item,
            one.reviewer,
            one.arm,
            one.flagged,
            one.fraud,
            one.confidence,
            one.seconds,
            one.score,
            one.given_at,
        )
        for one in found
    ]


def worked(found: Sequence[Given]) -> list[Worked]:
    """Every kind of verdict is work, but one whose time is forgotten; display arm, reason and queue say what kind of
    case it was."""
    return [
        Worked(
            one.reviewer,
            one.item,
            one.given_at,
            one.seconds,
            one.flagged,
            (one.arm, one.reason, one.queue),
            one.fraud,
        )
        for one in found
        if not isnan(one.seconds)
    ]


def looks(found: Sequence[Given]) -> list[TwoLooks]:
    """Blind second servings beside the same person's first verdict on the payment."""
    first: dict[tuple[str, int], Given] = {}
    pairs = []
    for one in found:
        spot = (one.reviewer, one.transaction_seq)
        if one.kind == RE_SERVE and spot in first:
            before = first[spot]
            days = (one.given_at - before.given_at).total_seconds() / 86_400
            pairs.append(TwoLooks(one.item, one.reviewer, before.value, one.value, days))
        elif one.kind in COUNTED_KINDS:
            first.setdefault(spot, one)
    return pairs


_REVISED = "SELECT verdict_id, value FROM revisions"


def reveals(ledger: Ledger, found: Sequence[Given], threshold: float | None) -> list[Reveal]:
    """Blind verdicts whose authors said something after seeing the score, with the model's side of the threshold."""
    revised = {row["verdict_id"]: row["value"] for row in ledger.read(_REVISED)}
    return [
        Reveal(
            one.item,
            one.reviewer,
            one.flagged,
            revised[one.verdict_id] == CONFIRMED_FRAUD,
            None if threshold is None or one.score != one.score else one.score >= threshold,
            one.fraud,
        )
        for one in found
        if one.verdict_id in revised
    ]
