"""Where did people and the engine disagree, in which direction, and who turned out to be right?"""

from __future__ import annotations

from typing import Any

from casework.quality.subgroups import wilson
from casework.settings.past_truth import THROUGH
from casework.watching.stretches import Stretch
from data.ledger import Ledger
from data.outcome_order import in_force
from engine.policy import Policy

JSON = dict[str, Any]
CLEARED, ACCUSED, RELEASED, STOPPED = "cleared", "accused", "released", "stopped"
WORDS = {
    CLEARED: "the engine asked about it, a person found it legitimate",
    ACCUSED: "the engine approved it, a person confirmed fraud",
    RELEASED: "declined automatically, released by a person",
    STOPPED: "approved automatically, reversed by a person",
}

# The first opinion of each payment: what a second one or an adjudication says is about the first, not the engine. What
# became of it: reported fraud, or silence that has matured and can count, because the payment went through.
_OVERRIDES = f"""
WITH o AS ({in_force("known_at <= $as_of")}),
p AS (SELECT transaction_seq, arg_max(value, disposition_seq) AS value,
             arg_max(actor, disposition_seq) AS actor FROM dispositions WHERE "at" <= $as_of GROUP BY ALL),
said AS (SELECT transaction_seq, arg_min(value, (given_at, event_seq)) AS value FROM verdicts
         WHERE undone_at IS NULL AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
           AND task_kind IN ('primary', 'audit') GROUP BY ALL),
each AS (
    SELECT d.amount_minor, CASE
        WHEN d.outcome = 'decline' AND p.value = 'released' THEN '{RELEASED}'
        WHEN d.outcome = 'approve' AND p.value IN ('reversed', 'declined') THEN '{STOPPED}'
        WHEN d.outcome = 'review' AND said.value = 'legitimate' THEN '{CLEARED}'
        WHEN d.outcome = 'approve' AND said.value = 'confirmed_fraud' THEN '{ACCUSED}' END AS direction,
        CASE WHEN o.is_fraud IS NOT NULL THEN o.is_fraud
             WHEN d.occurred_at + to_microseconds($maturity_us) <= $as_of AND ({THROUGH}) THEN false END AS fraud
    FROM decisions d LEFT JOIN o USING (transaction_seq) LEFT JOIN p USING (transaction_seq)
    LEFT JOIN said USING (transaction_seq)
    WHERE d.decided_at >= $since AND d.decided_at < $until)
SELECT direction, count(*) AS n, CAST(coalesce(sum(amount_minor), 0) AS BIGINT) AS amount_minor,
       count(fraud) AS known, count(*) FILTER (fraud) AS frauds
FROM each WHERE direction IS NOT NULL GROUP BY direction
"""


def overrides(ledger: Ledger, stretch: Stretch, policy: Policy, as_of: Any) -> list[JSON]:
    """A row for each direction: how many, their amount, how many have a known truth, and the share of those in which
    the person was right, with its interval. Known truth is no fair sample while payments are young: it is called so."""
    maturity = policy.labels.maturity
    rows = {
        row["direction"]: row
        for row in ledger.read(
            _OVERRIDES,
            {
                "since": stretch.since,
                "until": stretch.until,
                "as_of": as_of,
                "maturity_us": maturity.days * 86_400_000_000 + maturity.seconds * 1_000_000,
                "review_holds": policy.review_holds_somewhere,
            },
        )
    }
    return [_row(name, rows.get(name, _NOTHING)) for name in WORDS]


_NOTHING = {"n": 0, "amount_minor": 0, "known": 0, "frauds": 0}


def _row(direction: str, row: JSON) -> JSON:
    frauds, known = row["frauds"], row["known"]
    right = known - frauds if direction in (CLEARED, RELEASED) else frauds
    return {
        "direction": direction,
        "words": WORDS[direction],
        "count": row["n"],
        "amount_minor": row["amount_minor"],
        "known": known,
        "person_right": wilson(right, known),
    }
