"""What does training believe now, source by source, and who says what about one transaction?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.labels.labels import claim_table, label_table
from data.canonical import rfc3339
from data.ledger import Ledger
from engine.policy import Policy

JSON = dict[str, Any]


def by_source(ledger: Ledger, policy: Policy, at: datetime) -> JSON:
    """A row for each source in the policy's order: labels and frauds that rest on it, its claims that a stronger source
    outranks, those that still mature, its weight, and how long its word must have stood."""
    believed, claims = label_table(ledger, policy, at), claim_table(ledger, policy, at)
    young = pc.greater(
        claims["known_at"], pa.scalar(at.astimezone(UTC).replace(tzinfo=None), pa.timestamp("us"))
    )
    said = policy.labels
    rows = []
    for source in said.precedence:
        here = believed.filter(pc.equal(believed["source"], source))
        of = pc.equal(claims["source"], source)
        maturing = int(pc.sum(pc.and_(of, young)).as_py() or 0)
        claimed = int(pc.sum(of).as_py() or 0)
        stands = said.maturity if source == "matured_silence" else said.matures.get(source)
        rows.append(
            {
                "source": source,
                "labels": here.num_rows,
                "frauds": int(pc.sum(here["value"]).as_py() or 0),
                "outranked": claimed - maturing - here.num_rows,
                "maturing": maturing,
                "weight": min(said.weights.get(source, 0.0), said.cap),
                "matures_days": stands.total_seconds() / 86_400 if stands else 0.0,
            }
        )
    transactions = ledger.next_transaction_seq - 1
    return {
        "at": rfc3339(at),
        "sources": rows,
        "labels": believed.num_rows,
        "frauds": int(pc.sum(believed["value"]).as_py() or 0),
        "transactions": transactions,
        "without": transactions - believed.num_rows,
    }


def of_one(ledger: Ledger, policy: Policy, seq: int, at: datetime) -> JSON:
    """Every claim about one transaction, strongest first, each with whether it counts; `label` is the first that
    does, None where nobody has said anything that counts."""
    claims = claim_table(ledger, policy, at)
    rows = claims.filter(pc.equal(claims["transaction_seq"], seq)).to_pylist()
    found = [
        {
            **row,
            "known_at": row["known_at"].replace(tzinfo=UTC),
            "counts": row["known_at"].replace(tzinfo=UTC) <= at,
        }
        for row in rows
    ]
    return {"claims": found, "label": next((row for row in found if row["counts"]), None)}
