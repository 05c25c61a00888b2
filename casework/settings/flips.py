"""Which payments flip between two sets of files, and with which reasons on both sides?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.live import Settings
from casework.settings.past_decisions import Answers, PastDecisions
from engine.costs import CapacityState
from engine.decision import Outcome, RuleState
from engine.what_if.redecide import Redecided, Segmented, decide_row

JSON = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One set of files over the period: what its rules said, and what was decided."""

    past: PastDecisions
    settings: Settings
    answers: Answers
    segmented: Segmented
    decided: Redecided

    @property
    def alerts(self) -> np.ndarray:
        return self.decided.outcome > Outcome.APPROVE


def flips_page(past: PastDecisions, before: Side, after: Side, limit: int, offset: int) -> JSON:
    """The transactions whose outcome differs, largest amounts first, each with the reasons of both sides.

    `flips` holds `limit` of them from `offset` on; `next_offset` is where to go on, None at the end. The row number,
    so that nothing is skipped, is that of the sorted list, which is the same for the same period and files."""
    places = np.flatnonzero(before.decided.outcome != after.decided.outcome)
    ordered = places[np.argsort(-past.amount_minor[places], kind="stable")]
    crowded = {p for p in places.tolist() if _only_capacity(past, p, before, after)}
    shown = ordered[offset : offset + limit].tolist()
    rows = [_flip(past, place, before, after, place in crowded) for place in shown]
    last = offset + len(shown)
    return {
        "flipped": len(places),
        "flipped_by_capacity": len(crowded),
        "flips": rows,
        "next_offset": last if last < len(places) else None,
    }


def _only_capacity(past: PastDecisions, place: int, before: Side, after: Side) -> bool:
    """Whether the same load would have given the same outcome: then the payment flipped only because others did."""
    results = after.answers.asking.get(place, ())
    load = before.decided.loads[place]
    answer = decide_row(past.columns, place, results, after.settings.policy, load, after.segmented)
    return int(answer.outcome) == before.decided.outcome[place]


def _flip(past: PastDecisions, place: int, before: Side, after: Side, crowded: bool) -> JSON:
    row = past.row(place)
    fraud, said = int(past.fraud[place]), int(past.confirmed[place])
    return {
        "transaction_id": row["_id"],
        "decided_at": past.columns.decided_at[place],
        "amount_minor": row["_amount"],
        "probability": row["_probability"],
        "before": _told(past, place, before),
        "after": _told(past, place, after),
        "because": "capacity" if crowded else "settings",
        "known": ("unknown", "legitimate", "fraud")[fraud + 1],
        "reviewers_said": (None, "legitimate", "confirmed_fraud")[said + 1],
    }


def _told(past: PastDecisions, place: int, side: Side) -> JSON:
    load: CapacityState = side.decided.loads[place]
    results = side.settings.rules.evaluate(side.past.row(place), past.columns.decided_at[place])
    answer = decide_row(past.columns, place, results, side.settings.policy, load, side.segmented)
    return {
        "outcome": answer.outcome.word,
        "reasons": list(answer.reasons),
        "sentence": answer.triage.sentence,
        "rules": [r.rule_id for r in results if r.state is RuleState.HIT and r.status == "live"],
    }
