"""What does training believe about each transaction, how strongly, since when, and on whose word?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from casework.quality.consensus.of_ledger import worth_table
from data.ledger import Ledger
from data.outcome_order import LATEST
from engine.policy import Labels, Policy


@dataclass(frozen=True, slots=True)
class Label:
    """One belief: fraud or not, with a weight in [0, 1], its source, when it began to count, on whose word, and how the
    weight came about."""

    transaction_seq: int
    value: bool
    weight: float
    source: str
    known_at: datetime
    provenance: str
    derivation: str = ""


# One row per transaction and source. Silence speaks only of payments that went through: approved, released,
# or already settled when people looked; imported history without a decision is a record of payments made.
# A verdict that was undone, or declared void, is no one's word any more. `factor` lowers a source's weight for one
# transaction, with the reason in words.
_CLAIMS = f"""
WITH outcome AS (
    SELECT transaction_seq, arg_max(is_fraud, {LATEST}) AS is_fraud, arg_max(known_at, {LATEST}) AS known_at,
           arg_max(source, {LATEST}) AS said_by
    FROM outcomes WHERE known_at <= $as_of GROUP BY transaction_seq
), said AS (
    SELECT * FROM verdicts v WHERE given_at <= $as_of AND (undone_at IS NULL OR undone_at > $as_of)
    AND NOT EXISTS (SELECT 1 FROM voided_verdicts x WHERE x.verdict_id = v.verdict_id AND x.voided_at <= $as_of)
), adjudicated AS (
    SELECT transaction_seq, arg_max(value, (given_at, event_seq)) AS value, max(given_at) AS known_at,
           arg_max(verdict_id, (given_at, event_seq)) AS ids
    FROM said WHERE task_kind = 'adjudication' GROUP BY transaction_seq
), spoken AS (
    SELECT transaction_seq, min(value) AS value, min(value) = max(value) AS agreed, max(given_at) AS known_at,
           count(DISTINCT reviewer) AS people, string_agg(verdict_id, ',' ORDER BY given_at, event_seq) AS ids
    FROM said WHERE task_kind IN ('primary', 'second', 'audit') GROUP BY transaction_seq
), voices AS (
    SELECT s.transaction_seq, coalesce(w.value, s.value = 'confirmed_fraud') AS value, s.known_at, s.people, s.ids,
           coalesce(w.factor, 1.0) AS factor, coalesce(w.because, '') AS because
    FROM spoken s LEFT JOIN worth w USING (transaction_seq)
    WHERE (w.factor > 0 OR (w.factor IS NULL AND agreed)) AND NOT (agreed AND s.value = 'inconclusive')
), paid AS (
    SELECT transaction_seq, arg_max(value, disposition_seq) AS value
    FROM dispositions WHERE "at" <= $as_of GROUP BY transaction_seq
), heard AS (
    SELECT transaction_seq, is_fraud AS value, 'outcome' AS source, known_at, 'outcome:' || said_by AS provenance,
           1.0 AS factor, '' AS because FROM outcome
    UNION ALL
    SELECT transaction_seq, is_fraud, 'golden', CAST($as_of AS TIMESTAMP), 'golden set', 1.0, '' FROM golden
    UNION ALL
    SELECT transaction_seq, value = 'confirmed_fraud', 'adjudicated', known_at, ids, 1.0, ''
    FROM adjudicated WHERE value <> 'inconclusive'
    UNION ALL
    SELECT transaction_seq, value, CASE WHEN people > 1 THEN 'consensus' ELSE 'single_verdict' END,
           known_at, ids, factor, because FROM voices
    UNION ALL
    SELECT t.seq, false, 'matured_silence', t.occurred_at,
           CASE WHEN p.value IS NOT NULL THEN 'no dispute after ' || p.value
                WHEN d.outcome IS NULL THEN 'no dispute in imported history'
                ELSE 'no dispute after ' || d.outcome END, 1.0, ''
    FROM transactions t LEFT JOIN decisions d ON d.transaction_seq = t.seq
    LEFT JOIN paid p ON p.transaction_seq = t.seq
    WHERE CASE WHEN p.value IS NOT NULL THEN p.value IN ('released', 'already_settled')
               WHEN d.outcome = 'review' THEN NOT $review_holds
               ELSE coalesce(d.outcome, 'approve') = 'approve' END
), claims AS (
    SELECT h.* EXCLUDE (known_at), w.* EXCLUDE (source), CASE WHEN source = 'golden' THEN known_at
           ELSE h.known_at + to_microseconds(w.matures_us) END AS known_at
    FROM heard h JOIN weights w USING (source) WHERE w.weight > 0
)
"""
_COLUMNS = """
transaction_seq, value, least($cap, weight * factor) AS weight, source, known_at, provenance,
printf('%s weighs %.2f', source, weight) || CASE WHEN factor <> 1 THEN printf(' x %.2f', factor) ELSE '' END
|| CASE WHEN because <> '' THEN ' (' || because || ')' ELSE '' END
|| CASE WHEN weight * factor > $cap THEN printf(', capped at %.2f', $cap) ELSE '' END AS derivation
"""
_LABELS = f"""
{_CLAIMS} SELECT {_COLUMNS} FROM claims WHERE known_at <= CAST($as_of AS TIMESTAMP)
QUALIFY row_number() OVER (PARTITION BY transaction_seq ORDER BY rank) = 1 ORDER BY transaction_seq
"""
_HEARD = f"{_CLAIMS} SELECT {_COLUMNS} FROM claims ORDER BY transaction_seq, rank"


def label_table(
    ledger: Ledger, policy: Policy, as_of: datetime, *, golden: Mapping[int, bool] | None = None
) -> pa.Table:
    """Labels known at `as_of`, one per transaction at most, ordered by seq, with the fields of Label as
    columns (`known_at` in UTC without zone, as in the ledger).

    `golden` maps the seq of a golden transaction to whether it is fraud. A source with weight 0 is not used
    at all, and the word of a source counts once it has stood for as long as the policy says. Two people who disagree
    and were not adjudicated, or an "inconclusive", give no verdict label; silence may then still speak. Where
    reviewers' errors are known (consensus.of_ledger), their words weigh no more than they tell, three people who
    differ may still make a label, and words that are hardly ever right make none.
    """
    return _read(ledger, policy, as_of, golden or {}, _LABELS)


def claim_table(
    ledger: Ledger, policy: Policy, as_of: datetime, *, golden: Mapping[int, bool] | None = None
) -> pa.Table:
    """The same, one row per transaction and source, strongest first, also the outranked and the still maturing."""
    return _read(ledger, policy, as_of, golden or {}, _HEARD)


def _read(ledger: Ledger, policy: Policy, as_of: datetime, golden: Mapping[int, bool], sql: str) -> pa.Table:
    return ledger.read_arrow(
        sql,
        {"as_of": as_of, "review_holds": policy.review_holds_somewhere, "cap": policy.labels.cap},
        weights=_weights(policy.labels),
        worth=worth_table(ledger, policy, as_of),
        golden=pa.table(
            {
                "transaction_seq": pa.array(list(golden), pa.int64()),
                "is_fraud": pa.array(list(golden.values()), pa.bool_()),
            }
        ),
    )


def labels(ledger: Ledger, policy: Policy, as_of: datetime, **options: Any) -> list[Label]:
    """The same as objects; for millions of transactions use `label_table`."""
    rows = label_table(ledger, policy, as_of, **options).to_pylist()
    return [Label(**{**row, "known_at": row["known_at"].replace(tzinfo=UTC)}) for row in rows]


def _weights(said: Labels) -> pa.Table:
    """A row for each source: its weight, its place, and how long (microseconds) its word must have stood."""
    stands = {**said.matures, "matured_silence": said.maturity}
    order = said.precedence
    return pa.table(
        {
            "source": list(order),
            "weight": [min(max(said.weights.get(source, 0.0), 0.0), 1.0) for source in order],
            "rank": list(range(len(order))),
            "matures_us": [stands.get(source, timedelta(0)) // timedelta(microseconds=1) for source in order],
        }
    )
