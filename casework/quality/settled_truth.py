"""Of which payments that people judged is it known by now what they were, whatever was said of them?

Of those that went through, once their time to be disputed is over: then both a dispute and silence tell. No dispute can
come of a payment that was stopped, so silence says nothing of it. That a payment went through may follow from what
people said; given what they said, its truth adds nothing to that.
"""

from __future__ import annotations

from data.outcome_order import in_force


def settled_truth(at: str) -> str:
    """A SELECT of transaction_seq and is_fraud, known at the query's parameter `at`; `$maturity_us` is another one.

    A payment went through that was released, was settled already, or was approved (or imported as made) and left so.
    """
    return f"""
    SELECT t.seq AS transaction_seq, coalesce(o.is_fraud, false) AS is_fraud
    FROM transactions t
    SEMI JOIN verdicts v ON v.transaction_seq = t.seq
    LEFT JOIN ({in_force(f"known_at <= ${at}")}) o ON o.transaction_seq = t.seq
    LEFT JOIN decisions d ON d.transaction_seq = t.seq
    LEFT JOIN (SELECT transaction_seq, arg_max(value, disposition_seq) AS value
               FROM dispositions WHERE "at" <= ${at} GROUP BY transaction_seq) p ON p.transaction_seq = t.seq
    WHERE t.occurred_at + to_microseconds($maturity_us) <= CAST(${at} AS TIMESTAMP)
      AND CASE WHEN p.value IS NOT NULL THEN p.value IN ('released', 'already_settled')
               ELSE coalesce(d.outcome, 'approve') = 'approve' END"""
