"""How does a stored decision become the engine's object again?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from data.transactions import Transaction
from engine.decision import (
    Decision,
    Draws,
    Explanation,
    Outcome,
    RuleResult,
    RuleState,
    Triage,
    TriageReason,
)


def restored(stored: Mapping[str, Any], transaction: Transaction) -> Decision:
    """The decision whose JSON was stored (casework.deciding.decisions.as_json), for its transaction."""
    told = stored["explanation"]
    return Decision(
        transaction=transaction,
        outcome=Outcome[stored["outcome"].upper()],
        decided_at=datetime.fromisoformat(stored["decided_at"]),
        set_id=stored["set_id"],
        model_id=stored["model_id"],
        features=stored["features"],
        probability=stored["probability"],
        margin=stored["margin"],
        rules=tuple(_rule(row) for row in stored["rules"]),
        triage=Triage(**{**stored["triage"], "reason": TriageReason(stored["triage"]["reason"])}),
        draws=Draws(**stored["draws"]),
        explanation=Explanation(told["base"], told["contributions"]) if told else None,
        explored=stored["explored"],
        reasons=tuple(stored["reasons"]),
        thresholds=stored["thresholds"],
        context=stored["context"],
    )


def _rule(row: Mapping[str, Any]) -> RuleResult:
    return RuleResult(
        rule_id=row["id"],
        version=row["version"],
        state=RuleState(row["state"]),
        floor=Outcome[row.get("floor", "approve").upper()],
        lane=row.get("lane", ""),
        reason=row.get("reason", ""),
        status=row.get("status", "live"),
        effect=row.get("effect", "floor"),
    )
