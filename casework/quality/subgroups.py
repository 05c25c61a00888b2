"""Do outcomes and verdicts fall differently on different groups of people?"""

from __future__ import annotations

from datetime import datetime
from math import sqrt
from typing import Any

from data.errors import InputError
from data.ledger import Ledger
from data.outcome_order import in_force
from engine.units import percent

_Z = 1.959963984540054

# Decisions of one period by the value of a protected attribute, with what is known of them since.
_COUNTS = """
WITH known AS (
    {known}
), said AS (
    SELECT transaction_seq, bool_or(value = 'confirmed_fraud') AS fraud
    FROM verdicts WHERE undone_at IS NULL AND task_kind NOT IN ('golden', 're_serve', 'training', 'pilot')
      AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
    GROUP BY transaction_seq
)
SELECT coalesce(CAST(t."{attribute}" AS VARCHAR), 'not known') AS value, count(*) AS decisions,
       count(*) FILTER (d.outcome = 'approve') AS approved, count(*) FILTER (d.outcome = 'review') AS
       reviewed, count(*) FILTER (d.outcome = 'decline') AS declined, count(s.fraud) AS judged, count(*)
       FILTER (s.fraud) AS confirmed, count(k.is_fraud) AS with_outcome, count(*) FILTER (k.is_fraud) AS
       frauds
FROM decisions d JOIN transactions t ON t.seq = d.transaction_seq LEFT JOIN said s ON s.transaction_seq =
d.transaction_seq LEFT JOIN known k ON k.transaction_seq = d.transaction_seq WHERE d.decided_at >=
coalesce(CAST(? AS TIMESTAMP), d.decided_at) GROUP BY ALL ORDER BY value
"""


def wilson(successes: int, total: int) -> dict[str, Any]:
    """A share with its 95 % Wilson (1927) interval: {value, low, high, n}; None where there is nothing to
    share."""
    if total == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    share, z2 = successes / total, _Z**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return {"value": share, "low": max(centre - half, 0.0), "high": min(centre + half, 1.0), "n": total}


def subgroup_table(ledger: Ledger, attribute: str, *, since: datetime | None = None) -> dict[str, Any]:
    """Rates by each value of a protected attribute, with Wilson intervals.

    `share_confirmed` is the share of judged payments that a reviewer confirmed as fraud: what people said,
    not a fraud rate. `fraud_share_of_outcomes` is among payments with an outcome: no fraud rate either, since
    mostly fraud is reported. An empty attribute gives an empty table, one the institution lacks an InputError.
    """
    if not attribute:
        return {"attribute": "", "groups": [], "sentence": "The policy names no protected attribute."}
    known = [field.name for field in ledger.fields if field.in_transactions]
    if attribute not in known:
        raise InputError(
            f"there is no attribute '{attribute}'", where="protected_attribute", allowed=", ".join(known)
        )
    rows = ledger.read(_COUNTS.format(attribute=attribute, known=in_force()), [since])
    return {
        "attribute": attribute,
        "groups": [_group(row) for row in rows],
        "sentence": _sentence(attribute, rows),
    }


def for_reviewers(table: dict[str, Any]) -> dict[str, Any]:
    """The table without what people said, which moves with every verdict and so tells one reviewer of another's."""
    groups = [
        {name: rate for name, rate in group.items() if name != "share_confirmed"} for group in table["groups"]
    ]
    return {**table, "groups": groups}


def _group(row: dict[str, Any]) -> dict[str, Any]:
    total = row["decisions"]
    return {
        "value": row["value"],
        "n": total,
        "approve": wilson(row["approved"], total),
        "review": wilson(row["reviewed"], total),
        "decline": wilson(row["declined"], total),
        "share_confirmed": wilson(row["confirmed"], row["judged"]),
        "fraud_share_of_outcomes": wilson(row["frauds"], row["with_outcome"]),
    }


def _sentence(attribute: str, rows: list[dict[str, Any]]) -> str:
    """Which two groups lie furthest apart in declines, and whether their intervals part."""
    groups = [(wilson(row["declined"], row["decisions"]), row["value"]) for row in rows if row["decisions"]]
    if len(groups) < 2:
        return f"There are not two groups by {attribute} to compare yet."
    (low, least), (high, most) = (
        min(groups, key=lambda g: g[0]["value"]),
        max(groups, key=lambda g: g[0]["value"]),
    )
    apart = "their intervals do not overlap" if low["high"] < high["low"] else "their intervals overlap"
    return (
        f"Declined most often: {most} ({percent(high['value'])} of {high['n']:,}); "
        f"least often: {least} ({percent(low['value'])} of {low['n']:,}); {apart}."
    )
