"""How far is a labelling campaign, and what does its sample say of all the payments it was drawn from?"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.labels.labels import label_table
from casework.quality.subgroups import wilson
from data.errors import NotFoundError
from data.ledger import Ledger
from engine.measuring.seen_outcomes import Reviewer, Share, corrected, exactly, weighed
from engine.policy import Policy
from engine.units import percent

JSON = dict[str, Any]

_SAID = """
SELECT p.transaction_seq, p.probability, p.stratum, t.status, v.value
FROM campaign_payments p JOIN tasks t ON t.task_id = p.task_id
LEFT JOIN (SELECT task_id, arg_max(value, (given_at, event_seq)) AS value FROM verdicts
           WHERE undone_at IS NULL AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
           GROUP BY ALL) v ON v.task_id = p.task_id
WHERE p.campaign_id = ? ORDER BY p.transaction_seq
"""


def table(ledger: Ledger, policy: Policy, at: datetime) -> list[JSON]:
    """Every campaign, newest first, with its progress or result."""
    rows = ledger.read("SELECT campaign_id FROM campaigns ORDER BY opened_at DESC LIMIT 100")
    return [one(ledger, row["campaign_id"], policy, at) for row in rows]


def one(ledger: Ledger, campaign_id: str, policy: Policy, at: datetime) -> JSON:
    """One campaign: its row, and what came of it so far or when it was closed. NotFoundError for no such campaign."""
    rows = ledger.read("SELECT * FROM campaigns WHERE campaign_id = ?", [campaign_id])
    if not rows:
        raise NotFoundError("there is no such campaign", where=campaign_id[:80])
    row = rows[0]
    found = json.loads(row["result"]) if row["closed_at"] else result(ledger, campaign_id, policy, at)
    return {**row, "criteria": json.loads(row["criteria"]), "result": found}


def result(ledger: Ledger, campaign_id: str, policy: Policy, at: datetime) -> JSON:
    """Tasks by status, the naive share that reviewers confirmed, the share of fraud estimated for all payments the
    sample was drawn from, labels by source, and a sentence."""
    rows = ledger.read(_SAID, [campaign_id])
    judged = [row for row in rows if row["value"] not in (None, "inconclusive")]
    confirmed = sum(row["value"] == "confirmed_fraud" for row in judged)
    estimate = _estimate(judged, policy)
    found: JSON = {
        "drawn": len(rows),
        "judged": len(judged),
        "unsure": sum(row["value"] == "inconclusive" for row in rows),
        "open": sum(row["status"] in ("open", "claimed") for row in rows),
        "share_confirmed": wilson(confirmed, len(judged)),
        "estimate": None if estimate is None else asdict(estimate),
        "by_stratum": _by_stratum(rows),
        "labels": _labels(ledger, [row["transaction_seq"] for row in rows], policy, at),
    }
    return {**found, "sentence": _sentence(found)}


def _estimate(judged: list[JSON], policy: Policy) -> Share | None:
    """The share of fraud among all, from verdicts weighed by one over the chance of being drawn and corrected for how
    often reviewers err (as the policy says)."""
    said = np.array([row["value"] == "confirmed_fraud" for row in judged], float)
    raw = weighed(said, np.array([row["probability"] for row in judged], float))
    if raw is None:
        return None
    told = policy.reviewer
    return corrected(raw, Reviewer(exactly(told.recall), exactly(told.false_positive_rate)))


def _by_stratum(rows: list[JSON]) -> list[JSON]:
    found = []
    for stratum in sorted({row["stratum"] for row in rows}, key=lambda name: (len(name), name)):
        here = [row for row in rows if row["stratum"] == stratum]
        judged = [row for row in here if row["value"] not in (None, "inconclusive")]
        confirmed = sum(row["value"] == "confirmed_fraud" for row in judged)
        found.append(
            {
                "stratum": stratum,
                "drawn": len(here),
                "judged": len(judged),
                "probability": here[0]["probability"],
                "share_confirmed": wilson(confirmed, len(judged)),
            }
        )
    return found


def _labels(ledger: Ledger, seqs: list[int], policy: Policy, at: datetime) -> dict[str, int]:
    """Labels of the sample's payments by source, as a snapshot taken now would hold them."""
    believed = label_table(ledger, policy, at)
    mine = believed.filter(pc.is_in(believed["transaction_seq"], value_set=pa.array(seqs, pa.int64())))
    counts = pc.value_counts(mine["source"]).to_pylist()
    return {row["values"]: row["counts"] for row in counts}


def _sentence(found: JSON) -> str:
    done = f"{found['judged']:,} of {found['drawn']:,} payments are judged"
    estimate = found["estimate"]
    if estimate is None:
        return f"{done}."
    naive = found["share_confirmed"]
    low, high = percent(estimate["low"]), percent(estimate["high"])
    return (
        f"{done}; reviewers confirmed {percent(naive['value'])} of them as fraud. Weighed by the chances they were "
        f"drawn with, and corrected for how often reviewers err, {percent(estimate['value'])} [{low}, {high}] of all "
        "payments they stand for are."
    )
