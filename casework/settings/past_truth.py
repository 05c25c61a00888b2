"""What has become known of past decisions, and of which could it become known at all?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np

from data.ledger import Ledger
from data.outcome_order import in_force
from engine.policy import Policy

FRAUD, LEGITIMATE, UNKNOWN = 1, 0, -1


class Span(Protocol):
    """From `since` until before `until`, by the moment of deciding (UTC)."""

    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...


@dataclass(frozen=True)
class Truth:
    """Columns of equal length, one row per decision in the order made.

    `fraud` is what outcomes and matured silence say: 1, 0, or -1 for not known. `confirmed` is what reviewers said,
    which is no fact. `through` marks payments that were let go, `matured` those whose silence counts by now.
    """

    fraud: np.ndarray
    confirmed: np.ndarray
    through: np.ndarray
    matured: np.ndarray

    @property
    def settled(self) -> np.ndarray:
        """Payments whose truth is known whichever it is: they went through, and are old enough."""
        found: np.ndarray = self.through & self.matured & (self.fraud != UNKNOWN)
        return found


# Silence counts once it has matured, and only of payments that went through. Verdicts are kept apart from facts.
THROUGH = """CASE WHEN p.value IS NOT NULL THEN p.value IN ('released', 'already_settled')
     WHEN d.outcome = 'review' THEN NOT $review_holds ELSE d.outcome = 'approve' END"""
MATURED = "d.occurred_at + to_microseconds($maturity_us) <= CAST($as_of AS TIMESTAMP)"
COLUMNS = f"""
CASE WHEN o.is_fraud IS NOT NULL THEN CAST(o.is_fraud AS INTEGER) WHEN {MATURED} AND {THROUGH} THEN 0 ELSE -1 END
    AS fraud,
coalesce(CAST(v.confirmed AS INTEGER), -1) AS confirmed, {THROUGH} AS through, {MATURED} AS matured
"""
JOINS = f"""
LEFT JOIN ({in_force("known_at <= $as_of")}) AS o ON o.transaction_seq = d.transaction_seq
LEFT JOIN (SELECT transaction_seq, arg_max(value, disposition_seq) AS value
           FROM dispositions WHERE "at" <= $as_of GROUP BY ALL) AS p ON p.transaction_seq = d.transaction_seq
LEFT JOIN (SELECT transaction_seq, bool_or(value = 'confirmed_fraud') AS confirmed FROM verdicts
           WHERE undone_at IS NULL AND value <> 'inconclusive'
           AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
           AND task_kind NOT IN ('golden', 're_serve', 'training', 'pilot') GROUP BY ALL) AS v
       ON v.transaction_seq = d.transaction_seq
"""


def truth_values(when: Span, policy: Policy, as_of: datetime) -> Mapping[str, Any]:
    """The parameters that COLUMNS, JOINS and a period need."""
    return {
        "maturity_us": policy.labels.maturity // timedelta(microseconds=1),
        "as_of": as_of,
        "review_holds": policy.review_holds_somewhere,
        "since": when.since,
        "until": when.until,
    }


def read_truth(ledger: Ledger, when: Span, policy: Policy, as_of: datetime) -> Truth:
    """What is known at `as_of` of the decisions of a period, in the order they were made."""
    sql = (
        f"SELECT {COLUMNS} FROM decisions d {JOINS} "
        "WHERE d.decided_at >= $since AND d.decided_at < $until ORDER BY d.event_seq"
    )
    found = ledger.read_arrow(sql, truth_values(when, policy, as_of))
    return Truth(*(found.column(name).to_numpy(zero_copy_only=False) for name in Truth.__annotations__))
