"""Of which past payments is it known by now whether they were fraud, and what were reviewers shown of them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from data.ledger import Ledger
from data.outcome_order import in_force
from data.writer import Writer
from engine.policy import Policy

# Silence speaks of payments that went through only. The dossier is that of the first task on the payment.
_PAST = f"""
WITH outcome AS (
    {in_force("known_at <= $at")}
), adjudicated AS (
    SELECT transaction_seq, arg_max(value, (given_at, event_seq)) AS value FROM verdicts
    WHERE task_kind = 'adjudication' AND undone_at IS NULL
      AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts) GROUP BY transaction_seq
), paid AS (
    SELECT transaction_seq, arg_max(value, disposition_seq) AS value FROM dispositions GROUP BY transaction_seq
), seen AS (
    SELECT transaction_seq, arg_min(dossier_id, created_at) AS dossier_id, arg_min(queue, created_at) AS queue,
           arg_min(segment, created_at) AS segment, max(amount_minor) AS amount_minor,
           bool_or(status IN ('open', 'claimed')) AS at_work
    FROM tasks WHERE kind IN ('primary', 'audit') GROUP BY transaction_seq
)
SELECT s.transaction_seq, d.transaction_id, s.dossier_id, s.queue, s.segment, s.amount_minor, d.decided_at,
       coalesce(o.is_fraud, false) AS is_fraud,
       coalesce(a.value = CASE WHEN coalesce(o.is_fraud, false) THEN 'confirmed_fraud' ELSE 'legitimate' END, false)
           AS agreed
FROM seen s JOIN decisions d USING (transaction_seq)
LEFT JOIN outcome o USING (transaction_seq) LEFT JOIN adjudicated a USING (transaction_seq)
LEFT JOIN paid p USING (transaction_seq)
WHERE NOT s.at_work AND (o.is_fraud OR (d.occurred_at + to_microseconds($maturity_us) <= CAST($at AS TIMESTAMP)
      AND coalesce(p.value, CASE d.outcome WHEN 'approve' THEN 'released' ELSE '' END)
          IN ('released', 'already_settled')))
ORDER BY s.transaction_seq
"""


@dataclass(frozen=True, slots=True)
class PastCase:
    """A payment that people have looked at, and what became of it. `agreed`: an adjudicator said so too."""

    transaction_seq: int
    transaction_id: str
    dossier_id: str
    queue: str
    segment: str
    amount_minor: int
    decided_at: datetime
    is_fraud: bool
    agreed: bool


def past_cases(source: Ledger | Writer, policy: Policy, at: datetime) -> list[PastCase]:
    """Payments with a stored dossier that nobody is at work on, and whose truth is known at `at`: fraud was reported,
    or the payment went through and its time to be disputed is over."""
    parameters = {"at": at, "maturity_us": policy.labels.maturity // timedelta(microseconds=1)}
    return [PastCase(**row) for row in source.read(_PAST, parameters)]
