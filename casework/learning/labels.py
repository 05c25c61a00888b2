"""What does training believe about each transaction, how strongly, since when, and on whose word?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from data.ledger import Ledger
from engine.policy import LABEL_SOURCES, Policy

PRECEDENCE = LABEL_SOURCES
"""Sources from strongest to weakest; of several only the strongest speaks."""


@dataclass(frozen=True, slots=True)
class Label:
    """One belief: fraud or not, with a weight in [0, 1] from the policy, its source, and when it became
    known."""

    transaction_seq: int
    value: bool
    weight: float
    source: str
    known_at: datetime
    provenance: str


# One row per transaction and source. Silence speaks only of payments that went through: approved, released,
# or already settled when people looked; imported history without a decision is a record of payments made.
_CLAIMS = """
WITH outcome AS (
    SELECT transaction_seq, arg_max(is_fraud, (known_at, reported_seq, recorded_at)) AS is_fraud,
           max(known_at) AS known_at, arg_max(source, (known_at, reported_seq, recorded_at)) AS said_by
    FROM outcomes WHERE known_at <= $as_of GROUP BY transaction_seq
), said AS (
    SELECT * FROM verdicts WHERE given_at <= $as_of AND (undone_at IS NULL OR undone_at > $as_of)
), adjudicated AS (
    SELECT transaction_seq, arg_max(value, (given_at, event_seq)) AS value, max(given_at) AS known_at,
           arg_max(verdict_id, (given_at, event_seq)) AS ids
    FROM said WHERE task_kind = 'adjudication' GROUP BY transaction_seq
), voices AS (
    SELECT transaction_seq, min(value) AS value, max(given_at) AS known_at, count(DISTINCT reviewer) AS
    people,
           string_agg(verdict_id, ',' ORDER BY given_at, event_seq) AS ids
    FROM said WHERE task_kind <> 'adjudication'
    GROUP BY transaction_seq HAVING min(value) = max(value) AND min(value) <> 'inconclusive'
), paid AS (
    SELECT transaction_seq, arg_max(value, disposition_seq) AS value
    FROM dispositions WHERE "at" <= $as_of GROUP BY transaction_seq
), claims AS (
    SELECT transaction_seq, is_fraud AS value, 'outcome' AS source, known_at, 'outcome:' || said_by AS
    provenance FROM outcome UNION ALL SELECT transaction_seq, is_fraud, 'golden', CAST($as_of AS TIMESTAMP),
    'golden set' FROM golden UNION ALL SELECT transaction_seq, value = 'confirmed_fraud', 'adjudicated',
    known_at, ids FROM adjudicated WHERE value <> 'inconclusive' UNION ALL SELECT transaction_seq, value =
    'confirmed_fraud',
           CASE WHEN people > 1 THEN 'consensus' ELSE 'single_verdict' END, known_at, ids
    FROM voices
    UNION ALL
    SELECT t.seq, false, 'matured_silence', t.occurred_at + to_microseconds($maturity_us),
           CASE WHEN p.value IS NOT NULL THEN 'no dispute after ' || p.value
                WHEN d.outcome IS NULL THEN 'no dispute in imported history'
                ELSE 'no dispute after ' || d.outcome END
    FROM transactions t LEFT JOIN decisions d ON d.transaction_seq = t.seq LEFT JOIN paid p ON
    p.transaction_seq = t.seq WHERE t.occurred_at + to_microseconds($maturity_us) <= CAST($as_of AS TIMESTAMP)
    AND CASE
        WHEN p.value IS NOT NULL THEN p.value IN ('released', 'already_settled')
        WHEN d.outcome = 'review' THEN NOT $review_holds
        ELSE coalesce(d.outcome, 'approve') = 'approve' END
)
SELECT c.transaction_seq, c.value, w.weight, c.source, c.known_at, c.provenance
FROM claims c JOIN weights w USING (source) WHERE w.weight > 0
QUALIFY row_number() OVER (PARTITION BY c.transaction_seq ORDER BY w.rank) = 1
ORDER BY c.transaction_seq
"""


def label_table(
    ledger: Ledger, policy: Policy, as_of: datetime, *, golden: Mapping[int, bool] | None = None
) -> pa.Table:
    """Labels known at `as_of`, one per transaction at most, ordered by seq, with the fields of Label as
    columns (`known_at` in UTC without zone, as in the ledger).

    `golden` maps the seq of a golden transaction to whether it is fraud. A source with weight 0 is not used
    at all. Two people who disagree and were not adjudicated, or an "inconclusive", give no verdict label;
    silence may then still speak.
    """
    truth = dict(golden or {})
    return ledger.read_arrow(
        _CLAIMS,
        {
            "as_of": as_of,
            "maturity_us": policy.labels.maturity.days * 86_400_000_000
            + policy.labels.maturity.seconds * 1_000_000,
            "review_holds": policy.review_holds_somewhere,
        },
        weights=_weights(policy),
        golden=pa.table(
            {
                "transaction_seq": pa.array(list(truth), pa.int64()),
                "is_fraud": pa.array(list(truth.values()), pa.bool_()),
            }
        ),
    )


def labels(ledger: Ledger, policy: Policy, as_of: datetime, **options: Any) -> list[Label]:
    """The same as objects; for millions of transactions use `label_table`."""
    rows = label_table(ledger, policy, as_of, **options).to_pylist()
    return [Label(**{**row, "known_at": row["known_at"].replace(tzinfo=UTC)}) for row in rows]


def _weights(policy: Policy) -> pa.Table:
    capped = [min(max(policy.labels.weights.get(source, 0.0), 0.0), 1.0) for source in PRECEDENCE]
    return pa.table({"source": list(PRECEDENCE), "weight": capped, "rank": list(range(len(PRECEDENCE)))})
