"""What does each rule bring: how often it hits, how often rightly, and what would be missed without it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.app import App
from casework.settings import past_decisions as past_of
from casework.settings import rule_history
from casework.settings.evidence_of_fraud import Evidence, group, maturity, read_evidence
from casework.settings.past_decisions import FRAUD, Period
from data.ledger import Ledger
from engine.rules.rule_set import RuleSet

JSON = dict[str, Any]
_CLOSEST = 3

# The cut-off a payment was held against is in the whole decision; it is only read where a rule hit.
_HITS = """
SELECT d.rules_hit, d.outcome <> 'approve' AS stopped,
       coalesce(d.probability < CAST(json_extract(decode(e.payload), '$.thresholds.review_at') AS DOUBLE), false)
       AS passed_by_model
FROM decisions d LEFT JOIN events e ON e.seq = d.event_seq AND len(d.rules_hit) > 0
WHERE d.decided_at >= $since AND d.decided_at < $until ORDER BY d.event_seq
"""


@dataclass(frozen=True)
class Decided:
    """Decisions as columns; `hits` has one column of flags per rule."""

    evidence: Evidence
    stopped: np.ndarray
    passed_by_model: np.ndarray
    hits: dict[str, np.ndarray]

    def flags(self, rule_id: str) -> np.ndarray:
        return self.hits.get(rule_id, np.zeros(len(self.evidence), bool))


def rule_report(
    app: App, since: datetime | None, until: datetime | None, *, at: datetime, entity: str = ""
) -> JSON:
    """Every live or shadow rule, and every other rule that hit in the period, with what it brought then.

    Hits are those recorded with the decisions, under the rules' versions of that day. `repeats` counts by `entity`,
    without one by the first of the mapping. `alarms` are the surges and silences found over all rules together.
    """
    when, settings = past_of.period(app.ledger, since, until), app.settings()
    decided = _decided(app, when, at)
    rules = {rule.id: rule for rule in settings.rules}
    running = [rule_id for rule_id, rule in rules.items() if rule.runs]
    listed = sorted({*running, *decided.hits})
    entity = _entity(app.ledger, entity)
    rates = rule_history.hit_rates(app.ledger, listed, when.until)
    repeated = rule_history.repeats(app.ledger, when, entity)
    snoozed = rule_history.snoozed(app.ledger, when, settings.policy, at)
    obeyed = [rule.id for rule in settings.rules if rule.status == "live"]
    rows = [
        {
            "id": rule_id,
            **_named(settings.rules, rule_id),
            **_figures(decided, rule_id, obeyed),
            "rate": rates[rule_id],
            "repeats": repeated.get(rule_id),
            "snoozes": snoozed.get(rule_id, []) + snoozed.get("", []),
        }
        for rule_id in listed
    ]
    known = decided.evidence.fraud == FRAUD
    return {
        "since": when.since,
        "until": when.until,
        "decisions": len(decided.evidence),
        "currency": settings.policy.currency,
        "entity": entity,
        "known_fraud_amount_minor": int(decided.evidence.amount_minor[known].sum()),
        "maturity": maturity(decided.evidence),
        "rules": rows,
        "alarms": [_alarm(row) for row in rows if row["rate"]["change"]],
        "alarm_method": rule_history.METHOD,
    }


def _named(rules: RuleSet, rule_id: str) -> JSON:
    rule = next((rule for rule in rules if rule.id == rule_id), None)
    if rule is None:
        return {"title": rule_id, "status": "gone"}
    return {
        "title": rule.title,
        "status": rule.status,
        "version": rule.version,
        "severity": rule.severity,
        "owner": rule.owner,
        "effect": rule.then.effect,
        "floor": rule.then.floor.word,
    }


def _entity(ledger: Ledger, asked: str) -> str:
    known = [field.name for field in ledger.fields if field.role == "entity"]
    return asked if asked in known else next(iter(known), "")


def _decided(app: App, when: Period, at: datetime) -> Decided:
    table = app.ledger.read_arrow(_HITS, {"since": when.since, "until": when.until})
    policy, rules = app.settings().policy, app.settings().rules
    blocking = [rule.id for rule in rules if rule.then.effect == "block"]
    lists = table.column("rules_hit").combine_chunks()
    places, names = pc.list_parent_indices(lists).to_numpy(), pc.list_flatten(lists)
    return Decided(
        read_evidence(app.ledger, when, policy, at, blocking),
        table.column("stopped").to_numpy(),
        table.column("passed_by_model").to_numpy(),
        {rule: _flags(places, names, rule, len(table)) for rule in names.unique().to_pylist()},
    )


def _flags(places: np.ndarray, names: pa.Array, rule: str, rows: int) -> np.ndarray:
    flags = np.zeros(rows, bool)
    flags[places[pc.equal(names, rule).to_numpy(zero_copy_only=False)]] = True
    return flags


def _figures(decided: Decided, rule_id: str, obeyed: list[str]) -> JSON:
    """Naive precision is `fraud_share`, that by what reviewers said `share_confirmed`, and what can be said of all
    hits `estimate`. `alone` counts hits that no other rule had, `beyond_model` those that the model alone would have
    approved, and `only_here` those that neither the model nor another live rule would have stopped."""
    hit = decided.flags(rule_id)
    others = {name: flags for name, flags in decided.hits.items() if name != rule_id}
    alone = hit & ~np.logical_or.reduce(list(others.values())) if others else hit
    asking = [flags for name, flags in others.items() if name in obeyed]
    without_rules = hit & ~np.logical_or.reduce(asking) if asking else hit
    caught = hit & decided.stopped & (decided.evidence.fraud == FRAUD)
    return {
        "hits": int(hit.sum()),
        "share": float(hit.mean()) if len(hit) else 0.0,
        **{name: value for name, value in group(decided.evidence, hit).items() if name != "count"},
        "value_caught_minor": int(decided.evidence.amount_minor[caught].sum()),
        "alone": int(alone.sum()),
        "overlaps": _overlaps(hit, others),
        "beyond_model": group(decided.evidence, hit & decided.passed_by_model),
        "only_here": group(decided.evidence, without_rules & decided.passed_by_model),
    }


def _overlaps(hit: np.ndarray, others: dict[str, np.ndarray]) -> list[JSON]:
    """The rules that most often hit the same payments, with the share of this rule's hits."""
    both = {name: int((hit & flags).sum()) for name, flags in others.items()}
    closest = sorted(both, key=lambda name: (-both[name], name))[:_CLOSEST]
    return [{"id": n, "both": both[n], "share": both[n] / int(hit.sum())} for n in closest if both[n]]


def _alarm(row: JSON) -> JSON:
    """A surge or silence in a sentence."""
    rate = row["rate"]
    expected = f"{rate['expected']:.1f} expected from its own history"
    sentence = (
        f"{row['id']} hit {rate['hits']:,} payments in {rate['days']} days, {expected} (p = {rate['p']:.2g})."
    )
    if rate["change"] == "silence" and row["snoozes"]:
        sentence += " It has snoozes, which count as quiet."
    return {"rule": row["id"], "change": rate["change"], "sentence": sentence}
