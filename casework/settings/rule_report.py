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
from casework.settings.past_decisions import FRAUD, Period
from casework.settings.previews import group

JSON = dict[str, Any]
_CLOSEST = 3

# The cut-off a payment was held against is in the whole decision; it is only read where a rule hit.
_HITS = """
SELECT d.rules_hit, coalesce(d.amount_minor, 0) AS amount, d.outcome <> 'approve' AS stopped,
       coalesce(d.probability < CAST(json_extract(decode(e.payload), '$.thresholds.review_at') AS DOUBLE), false)
       AS passed_by_model
FROM decisions d LEFT JOIN events e ON e.seq = d.event_seq AND len(d.rules_hit) > 0
WHERE d.decided_at >= $since AND d.decided_at < $until ORDER BY d.event_seq
"""


@dataclass(frozen=True)
class Decided:
    """Decisions as columns; `hits` has one column of flags per rule."""

    amount_minor: np.ndarray
    fraud: np.ndarray
    confirmed: np.ndarray
    stopped: np.ndarray
    passed_by_model: np.ndarray
    hits: dict[str, np.ndarray]


def rule_report(app: App, since: datetime | None, until: datetime | None, *, at: datetime) -> JSON:
    """Every live or shadow rule, and every other rule that hit in the period, with what it brought then.

    Hits are those recorded with the decisions, under the rules' versions of that day.
    """
    when = past_of.period(app.ledger, since, until)
    decided = _decided(app, when, at)
    rules = {rule.id: rule for rule in app.settings().rules}
    running = [rule_id for rule_id, rule in rules.items() if rule.runs]
    rows = []
    for rule_id in sorted({*running, *decided.hits}):
        rule = rules.get(rule_id)
        told = (
            {"title": rule.title, "status": rule.status, "version": rule.version}
            if rule
            else {"status": "gone"}
        )
        rows.append({"id": rule_id, **told, **_figures(decided, rule_id)})
    return {
        "since": when.since,
        "until": when.until,
        "decisions": len(decided.fraud),
        "known_fraud_amount_minor": int(decided.amount_minor[decided.fraud == FRAUD].sum()),
        "rules": rows,
    }


def _decided(app: App, when: Period, at: datetime) -> Decided:
    table = app.ledger.read_arrow(_HITS, {"since": when.since, "until": when.until})
    fraud, confirmed = past_of.truth(app.ledger, when, app.settings().policy, at)
    lists = table.column("rules_hit").combine_chunks()
    places, names = pc.list_parent_indices(lists).to_numpy(), pc.list_flatten(lists)
    return Decided(
        table.column("amount").to_numpy().astype(np.int64),
        fraud,
        confirmed,
        table.column("stopped").to_numpy(),
        table.column("passed_by_model").to_numpy(),
        {rule: _flags(places, names, rule, len(table)) for rule in names.unique().to_pylist()},
    )


def _flags(places: np.ndarray, names: pa.Array, rule: str, rows: int) -> np.ndarray:
    flags = np.zeros(rows, bool)
    flags[places[pc.equal(names, rule).to_numpy(zero_copy_only=False)]] = True
    return flags


def _figures(decided: Decided, rule_id: str) -> JSON:
    """Precision by outcomes is `fraud_share`; by what reviewers said, `share_confirmed`. `beyond_model` are the hits
    that the model alone would have approved."""
    hit = decided.hits.get(rule_id, np.zeros(len(decided.fraud), bool))
    others = {name: flags for name, flags in decided.hits.items() if name != rule_id}
    alone = hit & ~np.logical_or.reduce(list(others.values())) if others else hit
    caught = hit & decided.stopped & (decided.fraud == FRAUD)
    return {
        "hits": int(hit.sum()),
        "share": float(hit.mean()) if len(hit) else 0.0,
        **{name: value for name, value in group(decided, hit).items() if name != "count"},
        "value_caught_minor": int(decided.amount_minor[caught].sum()),
        "alone": int(alone.sum()),
        "overlaps": _overlaps(hit, others),
        "beyond_model": group(decided, hit & decided.passed_by_model),
    }


def _overlaps(hit: np.ndarray, others: dict[str, np.ndarray]) -> list[JSON]:
    """The rules that most often hit the same payments, with the share of this rule's hits."""
    both = {name: int((hit & flags).sum()) for name, flags in others.items()}
    closest = sorted(both, key=lambda name: (-both[name], name))[:_CLOSEST]
    return [{"id": n, "both": both[n], "share": both[n] / int(hit.sum())} for n in closest if both[n]]
