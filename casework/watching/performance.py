"""How well does it go: as the probabilities promise before labels are in, and as outcomes say afterwards?

Each rate stands beside its naive figure. The estimates are those of `casework.settings.evidence_of_fraud`: from
payments whose truth had a known chance of being seen, weighed by one over that chance, and from verdicts corrected for
how often reviewers err where only verdicts exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.quality.subgroups import wilson
from casework.settings.evidence_of_fraud import EXPLORABLE, Evidence, estimate, group, read_evidence
from casework.settings.past_truth import FRAUD
from casework.watching.stretches import Stretch, ago
from data.ledger import Ledger
from engine.measuring.seen_outcomes import Share, recall
from engine.policy import Policy
from engine.rules.sql import identifier

JSON = dict[str, Any]
WEEK = timedelta(days=7)
LEAST = 30
"""Payments from which a rate is told rather than called too little."""
OLD_ENOUGH = 0.9
"""The share of a week's payments that must have matured before its actual figures are told."""
APPROVE, REVIEW, DECLINE = "approve", "review", "decline"

_COLUMNS = """
SELECT d.transaction_seq AS seq, d.outcome, d.probability, d.decided_at, coalesce(t.lane, '') AS lane, d.rules_hit,
       d.model_id AS model, {attribute} AS value
FROM decisions d JOIN transactions x ON x.seq = d.transaction_seq
LEFT JOIN (SELECT transaction_seq, min(lane) AS lane FROM tasks WHERE kind IN ('primary', 'audit') GROUP BY ALL) t
  ON t.transaction_seq = d.transaction_seq
WHERE d.decided_at >= $since AND d.decided_at < $until ORDER BY d.event_seq
"""


@dataclass(frozen=True)
class Record:
    """Decisions of a stretch in the order made, with what is known of them: columns of equal length."""

    evidence: Evidence
    outcome: np.ndarray
    probability: np.ndarray
    decided_at: np.ndarray
    lane: np.ndarray
    rules: Sequence[Sequence[str]]
    value: np.ndarray
    model: np.ndarray

    def __len__(self) -> int:
        return len(self.outcome)


def read(ledger: Ledger, stretch: Stretch, policy: Policy, blocking: Sequence[str], at: datetime) -> Record:
    """The decisions of a stretch; `value` is that of the policy's protected attribute, '' where it names none."""
    name = policy.protected_attribute
    known = {field.name for field in ledger.fields if field.in_transactions}
    attribute = f"coalesce(CAST(x.{identifier(name)} AS VARCHAR), 'not known')" if name in known else "''"
    span = {"since": stretch.since, "until": stretch.until}
    table = ledger.read_arrow(_COLUMNS.format(attribute=attribute), span)
    column = {
        n: table.column(n).to_numpy(zero_copy_only=False)
        for n in ("outcome", "probability", "decided_at", "lane", "value", "model")
    }
    probability = column["probability"].astype(float)
    return Record(
        read_evidence(ledger, stretch, policy, at, blocking),
        column["outcome"],
        probability,
        column["decided_at"],
        column["lane"],
        table.column("rules_hit").to_pylist(),
        column["value"],
        column["model"],
    )


def by_week(record: Record, until: datetime) -> list[JSON]:
    """A row a week, oldest first: what was expected from the probabilities, and what came of it as far as is known.

    `expected` needs a model: the sum of probabilities is the fraud it promises. `actual` is estimated; its `recall` is
    of what the engine stopped (declined or put before a person).
    """
    weeks_ago = ago(until, record.decided_at, WEEK)
    rows = []
    for week in sorted(set(weeks_ago.tolist()), reverse=True):
        chosen = weeks_ago == week
        rows.append(
            {
                "since": until - (week + 1) * WEEK,
                "until": until - week * WEEK,
                "decisions": int(chosen.sum()),
                "expected": _expected(record, chosen),
                "actual": _actual(record, chosen),
            }
        )
    return rows


def _expected(record: Record, chosen: np.ndarray) -> JSON | None:
    """What calibrated probabilities promise: fraud share, recall and precision of what was stopped, and of declines."""
    here = chosen & ~np.isnan(record.probability)
    promised = record.probability[here]
    if not len(promised) or promised.sum() <= 0:
        return None
    stopped, declined = record.outcome[here] != APPROVE, record.outcome[here] == DECLINE
    return {
        "fraud_share": float(promised.mean()),
        "recall": float(promised[stopped].sum() / promised.sum()),
        "precision": float(promised[stopped].mean()) if stopped.any() else None,
        "precision_of_declines": float(promised[declined].mean()) if declined.any() else None,
    }


def _actual(record: Record, chosen: np.ndarray) -> JSON:
    found = group(record.evidence, chosen)
    young = found["matured"] < OLD_ENOUGH * found["count"]
    stopped = (record.outcome != APPROVE) | (record.evidence.route == EXPLORABLE)
    return {
        "fraud_share": None if young else found["estimate"]["fraud_share"],
        "naive_fraud_share": found["fraud_share"],
        "represents": found["estimate"]["represents"],
        "matured": found["matured"],
        "recall": None if young else _recall(record, chosen & stopped, chosen & ~stopped),
        "naive_recall": _naive_recall(record, chosen, stopped),
        "told": found["told"],
    }


def _naive_recall(record: Record, chosen: np.ndarray, stopped: np.ndarray) -> JSON:
    """Of the frauds that happen to be known, how many were stopped."""
    known = chosen & (record.evidence.fraud == FRAUD)
    return wilson(int((known & stopped).sum()), int(known.sum()))


def _recall(record: Record, stopped: np.ndarray, passed: np.ndarray) -> JSON | None:
    """Recall of what was stopped; None where nothing stands for one of both sides."""
    sides = []
    for side in (stopped, passed):
        share = estimate(record.evidence, side)["fraud_share"]
        size = int(side.sum())
        if share is None and size:
            return None
        sides.append(
            (size, Share(share["value"], share["low"], share["high"], share["n"]) if share else _NONE)
        )
    found = recall(sides[0], sides[1])
    return None if found is None else _json(found)


_NONE = Share(0.0, 0.0, 0.0, 0)


def _json(share: Share) -> JSON:
    return {"value": share.value, "low": share.low, "high": share.high, "n": share.n}


def overall(record: Record) -> JSON:
    """The same over all payments that have matured: fraud and recall estimated, beside the naive figures."""
    old = record.evidence.truth.matured
    stopped = (record.outcome != APPROVE) | (record.evidence.route == EXPLORABLE)
    found = group(record.evidence, old)
    return {
        "decisions": int(old.sum()),
        "fraud_share": found["estimate"]["fraud_share"],
        "naive_fraud_share": found["fraud_share"],
        "share_confirmed": found["share_confirmed"],
        "recall": _recall(record, old & stopped, old & ~stopped),
        "naive_recall": _naive_recall(record, old, stopped),
        "told": found["told"],
    }


def by_lane(record: Record) -> list[JSON]:
    """Precision of each lane: the share of fraud among what it brought before people, estimated, beside the share that
    reviewers confirmed and the naive share of known outcomes."""
    return [
        _precision(record, lane, record.lane == lane) for lane in sorted(set(record.lane.tolist()) - {""})
    ]


def by_rule(record: Record) -> list[JSON]:
    """The same for each rule that hit, most hits first."""
    names = sorted({name for hit in record.rules for name in hit})
    place: dict[str, list[int]] = {name: [] for name in names}
    for n, hit in enumerate(record.rules):
        for name in hit:
            place[name].append(n)
    rows = []
    for name in names:
        chosen = np.zeros(len(record), bool)
        chosen[place[name]] = True
        rows.append(_precision(record, name, chosen))
    return sorted(rows, key=lambda row: -row["payments"])


def by_model(record: Record) -> list[JSON]:
    """The same for each model that decided, latest first: over its matured payments what it promised, how much of what
    it stopped is fraud, and how much of the fraud it stopped."""
    stopped = (record.outcome != APPROVE) | (record.evidence.route == EXPLORABLE)
    rows = []
    for name in dict.fromkeys(record.model[::-1].tolist()):
        old = (record.model == name) & record.evidence.truth.matured
        if not name or not old.any():
            continue
        rows.append(
            {
                "model_id": name,
                "decisions": int((record.model == name).sum()),
                "matured": int(old.sum()),
                "expected": _expected(record, old),
                "precision": _precision(record, "stopped", old & stopped),
                "recall": _recall(record, old & stopped, old & ~stopped),
                "naive_recall": _naive_recall(record, old, stopped),
            }
        )
    return rows


def _precision(record: Record, name: str, chosen: np.ndarray) -> JSON:
    found = group(record.evidence, chosen)
    return {
        "name": name,
        "payments": found["count"],
        "share_confirmed": found["share_confirmed"],
        "naive": found["fraud_share"],
        "estimate": found["estimate"]["fraud_share"],
        "told": found["told"],
        "enough": found["count"] >= LEAST,
    }
