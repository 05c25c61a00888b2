"""How is a decision written down, and read back exactly as it was answered?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from data.canonical import canonical_json, rfc3339
from data.errors import InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.storage.stretches import newest
from engine.decision import Decision, Results, RuleResult, RuleState

JSON = dict[str, Any]


def subject(transaction_id: str) -> str:
    """The event subject of everything about one transaction."""
    return f"transaction:{transaction_id}"


def as_json(decision: Decision) -> JSON:
    """The decision as it is answered, stored and hashed, for `canonical_json`; `case_id` is added when it is read."""
    transaction = decision.transaction
    return {
        "transaction_id": transaction.transaction_id,
        "seq": transaction.seq,
        "outcome": decision.outcome.word,
        "probability": decision.probability,
        "margin": decision.margin,
        "decided_at": rfc3339(decision.decided_at),
        "set_id": decision.set_id,
        "model_id": decision.model_id,
        "thresholds": dict(decision.thresholds),
        "reasons": list(decision.reasons),
        "rules": _rules_json(decision.rules),
        "triage": _triage_json(decision),
        "explanation": _explanation_json(decision),
        "explored": decision.explored,
        "draws": {
            "audit": decision.draws.audit,
            "audit_probability": decision.draws.audit_probability,
            "explore": decision.draws.explore,
            "explore_probability": decision.draws.explore_probability,
        },
        "features": dict(decision.features),
        "context": dict(decision.context),
    }


def answer_of(stored: bytes, case_id: str | None) -> bytes:
    """The answer to whoever asked: the stored bytes, and the case that was opened."""
    return b'%b,"case_id":%b}' % (stored[:-1], orjson.dumps(case_id))


def _rules_json(rules: Sequence[RuleResult]) -> orjson.Fragment | list[JSON | orjson.Fragment]:
    """What all rules said. Results that many payments share are written once and kept with them."""
    if not isinstance(rules, Results) or rules.hits:
        return [_rule_json(rule) for rule in rules]
    if rules.written is None:
        rules.written = orjson.Fragment(canonical_json([_rule_json(rule) for rule in rules]))
    return rules.written


def _rule_json(rule: RuleResult) -> JSON | orjson.Fragment:
    if rule.state is RuleState.NO_HIT:
        return _quiet(rule.rule_id, rule.version, rule.status)
    shown: JSON = {"id": rule.rule_id, "version": rule.version, "state": rule.state.value}
    shown |= {"floor": rule.floor.word, "lane": rule.lane, "reason": rule.reason, "effect": rule.effect}
    return shown | _status(rule.status)


@lru_cache(maxsize=4096)
def _quiet(rule_id: str, version: int, status: str) -> orjson.Fragment:
    """What most rules say most of the time, as the bytes that are stored."""
    shown = {"id": rule_id, "version": version, "state": RuleState.NO_HIT.value}
    return orjson.Fragment(canonical_json(shown | _status(status)))


def _status(status: str) -> JSON:
    return {} if status == "live" else {"status": status}


def _triage_json(decision: Decision) -> JSON:
    triage = decision.triage
    return {
        "reason": triage.reason.value,
        "lane": triage.lane,
        "sentence": triage.sentence,
        "cost_approve": triage.cost_approve,
        "cost_decline": triage.cost_decline,
        "cost_review": triage.cost_review,
        "capacity_price": triage.capacity_price,
    }


def _explanation_json(decision: Decision) -> JSON | None:
    told = decision.explanation
    return None if told is None else {"base": told.base, "contributions": dict(told.contributions)}


def event_of(decision: Decision, stored: bytes) -> EventDraft:
    """The event whose payload is the whole decision."""
    return EventDraft(
        actor="engine",
        kind="transaction.decided",
        subject=subject(decision.transaction.transaction_id),
        payload=stored,
    )


def row_of(decision: Decision, event_seq: int) -> JSON:
    """The row of the `decisions` table, for querying."""
    transaction = decision.transaction
    return {
        "transaction_seq": transaction.seq,
        "transaction_id": transaction.transaction_id,
        "decided_at": decision.decided_at,
        "occurred_at": transaction.occurred_at,
        "outcome": decision.outcome.word,
        "probability": decision.probability,
        "margin": decision.margin,
        "amount_minor": transaction.amount_minor,
        "model_id": decision.model_id,
        "set_id": decision.set_id,
        "triage_reason": decision.triage.reason.value,
        "rules_hit": [rule.rule_id for rule in decision.hits],
        "audit_probability": decision.draws.audit_probability,
        "explore_probability": decision.draws.explore_probability,
        "event_seq": event_seq,
        "explored": decision.explored,
    }


def stored(ledger: Ledger, seq: int) -> JSON | None:
    """The decision of the transaction with this seq as it was answered, or None if it was never decided."""
    rows = ledger.read("SELECT event_seq FROM decisions WHERE transaction_seq = ?", [seq])
    if not rows:
        return None
    event = ledger.read("SELECT payload FROM events WHERE seq = ?", [rows[0]["event_seq"]])[0]
    return {**orjson.loads(event["payload"]), "case_id": case_of(ledger, seq)}


def case_of(ledger: Ledger, seq: int) -> str | None:
    """The latest case that holds this transaction."""
    sql = "SELECT case_id FROM case_transactions WHERE transaction_seq = ? ORDER BY added_at DESC LIMIT 1"
    rows = ledger.read(sql, [seq])
    return rows[0]["case_id"] if rows else None


def required(ledger: Ledger, seq: int | None, transaction_id: str) -> JSON:
    """Like `stored`, but NotFoundError where there is none."""
    found = stored(ledger, seq) if seq else None
    if found is None:
        raise not_found(transaction_id)
    return found


def not_found(transaction_id: str) -> NotFoundError:
    """The same refusal whether the decision does not exist or may not be seen by this person now."""
    return NotFoundError(
        f"there is no decision for transaction {transaction_id[:128]!r} that you can see",
        hint="Check the id; a transaction you are about to judge unseen opens from your queue only.",
    )


@dataclass(frozen=True, slots=True)
class Search:
    """What to look decisions up by. Everything is optional; newest first."""

    entity: str = ""
    value: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_seq: int | None = None
    limit: int = 50
    hidden: Sequence[int] = ()


def check_entity(name: str, entities: Sequence[str]) -> None:
    """InputError for an entity the mapping does not have."""
    if name not in entities:
        raise InputError(f"{name[:80]!r} is not an entity", where="entity", allowed=", ".join(entities))


def search(ledger: Ledger, wanted: Search, entities: Sequence[str]) -> list[JSON]:
    """Rows of `decisions` with amount, newest first. InputError for an entity the mapping does not have."""
    if wanted.entity:
        check_entity(wanted.entity, entities)
    conditions: dict[str, Any] = {}
    if wanted.entity:  # the name is one of the mapping's, checked above
        conditions[f't."{wanted.entity}" = ?'] = wanted.value
    if wanted.outcome:
        conditions["d.outcome = ?"] = wanted.outcome
    if wanted.since:
        conditions["d.occurred_at >= ?"] = wanted.since
    if wanted.until:
        conditions["d.occurred_at < ?"] = wanted.until
    if wanted.hidden:
        hidden = "d.transaction_seq NOT IN (SELECT unnest(CAST(? AS BIGINT[])))"
        conditions[hidden] = list(wanted.hidden)
    where = " AND ".join(["d.transaction_seq >= ? AND d.transaction_seq < ?", *conditions])
    join = "JOIN transactions t ON t.seq = d.transaction_seq" if wanted.entity else ""
    sql = (
        "SELECT d.transaction_seq AS seq, d.transaction_id, d.occurred_at, d.decided_at, d.outcome, d.probability, "
        f"d.amount_minor, d.triage_reason, d.rules_hit, d.model_id, d.set_id FROM decisions d {join} "
        f"WHERE {where} ORDER BY d.transaction_seq DESC LIMIT ?"
    )
    values = list(conditions.values())
    end = ledger.next_transaction_seq
    before = end if wanted.before_seq is None else min(end, wanted.before_seq)
    return newest(lambda low, high, n: ledger.read(sql, [low, high, *values, n]), before, wanted.limit)


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[JSON]:
    """Where two decisions differ, one line per value; nested values by their dotted path."""
    found: list[JSON] = []
    for key in sorted({*then, *now}):
        old, new = then.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += [{**d, "what": f"{key}.{d['what']}"} for d in differences(old, new)]
        elif old != new:
            found.append({"what": key, "then": old, "now": new})
    return found
