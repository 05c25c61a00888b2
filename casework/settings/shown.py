"""How are rules, policy and approved sets told as JSON?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from data.approved import ApprovedSet
from data.canonical import sha256_hex
from data.ledger import Ledger
from engine.decision import Outcome
from engine.rules.life import can_move_to
from engine.rules.rule import Rule
from engine.rules.rule_set import RuleSet


def plain(value: Any) -> Any:
    """A settings object as JSON: outcomes as words, durations as seconds."""
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def rule_rows(ledger: Ledger, rules: RuleSet) -> list[dict[str, Any]]:
    """Every rule of a set as a person reads it, with how often it hit."""
    hits = ledger.read("SELECT unnest(rules_hit) AS id, count(*) AS n FROM decisions GROUP BY id")
    counted = {row["id"]: row["n"] for row in hits}
    return [{**_rule_row(rule), "hits": counted.get(rule.id, 0)} for rule in rules]


def _rule_row(rule: Rule) -> dict[str, Any]:
    then = rule.then
    return {
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "status": rule.status,
        "can_move_to": list(can_move_to(rule.status)),
        "typology": rule.typology,
        "severity": rule.severity,
        "owner": rule.owner,
        "description": rule.description,
        "conditions": list(rule.conditions),
        "features": list(rule.features),
        "then": {
            "effect": then.effect,
            "floor": then.floor.word,
            "lane": then.lane,
            "expires": then.expires,
            "amount_cap_minor": then.amount_cap_minor,
        },
        "on_missing": rule.on_missing.word,
        "false_positives": rule.false_positives,
        "runbook": rule.runbook,
        "history": [asdict(change) for change in rule.history],
        "tests": len(rule.tests),
    }


def set_row(current: ApprovedSet) -> dict[str, Any]:
    """Who approved what, and the hash of each file."""
    hashes = {path: sha256_hex(content) for path, content in sorted(current.files.items())}
    return {
        "set_id": current.set_id,
        "approved_by": current.approved_by,
        "approved_at": current.approved_at,
        "reason": current.reason,
        "files": hashes,
    }
