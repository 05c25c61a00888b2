"""What did a snooze silence or a list entry catch, and what has become known of those payments since?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data.ledger import Ledger
from data.outcome_order import in_force
from engine.control import Control
from engine.decision import Decision, Results

SNOOZE, LIST_ENTRY, FAIL_SAFE, RULE_ERROR = "snooze", "list_entry", "fail_safe", "rule_error"
NONE: Mapping[str, Any] = {
    "payments": 0, "amount_minor": 0, "known_fraud": 0, "fraud_minor": 0, "fraud_let_through_minor": 0,
    "confirmed_by_reviewers": 0, "reported_legitimate": 0, "last_at": None, "by_rule": [],
}  # fmt: skip

# Facts (outcomes) and opinions (verdicts) are counted apart.
_COUNTS = f"""
WITH e AS (
    SELECT subject, transaction_seq, max(amount_minor) AS amount, max(outcome) AS outcome, max(decided_at) AS at
    FROM control_effects WHERE kind = ? GROUP BY ALL),
o AS ({in_force("transaction_seq IN (SELECT transaction_seq FROM e)")}),
v AS (SELECT transaction_seq, bool_or(value = 'confirmed_fraud') AS confirmed FROM verdicts
      WHERE undone_at IS NULL AND value <> 'inconclusive'
        AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
        AND task_kind NOT IN ('golden', 're_serve', 'training', 'pilot')
        AND transaction_seq IN (SELECT transaction_seq FROM e) GROUP BY ALL)
SELECT e.subject, count(*) AS payments, CAST(coalesce(sum(e.amount), 0) AS BIGINT) AS amount_minor,
       count(*) FILTER (o.is_fraud) AS known_fraud,
       CAST(coalesce(sum(e.amount) FILTER (o.is_fraud), 0) AS BIGINT) AS fraud_minor,
       CAST(coalesce(sum(e.amount) FILTER (o.is_fraud AND e.outcome = 'approve'), 0) AS BIGINT)
           AS fraud_let_through_minor,
       count(*) FILTER (v.confirmed) AS confirmed_by_reviewers,
       count(*) FILTER (NOT o.is_fraud) AS reported_legitimate, max(e.at) AS last_at
FROM e LEFT JOIN o USING (transaction_seq) LEFT JOIN v USING (transaction_seq) GROUP BY e.subject
"""


def of(made: Sequence[Decision], control: Control) -> Iterator[dict[str, Any]]:
    """The rows of `control_effects` for these decisions; none for most."""
    for decision in made:
        context = decision.context
        if "controls" in context:
            applied = control.applying(decision.transaction, decision.decided_at)
            for snooze, result in applied.silenced(decision.rules):
                yield _row(SNOOZE, snooze.snooze_id, result.rule_id, decision)
            for entry in applied.entries:
                yield _row(LIST_ENTRY, entry.entry_id, entry.effect, decision)
        if "fail_safe" in context:
            yield _row(FAIL_SAFE, context["fail_safe"], "", decision)
        for result in Results.of(decision.rules).errors:
            yield _row(RULE_ERROR, result.rule_id, result.rule_id, decision)


def counts(ledger: Ledger, kind: str) -> dict[str, dict[str, Any]]:
    """By subject: payments, their amount, and those known to be fraud since, or confirmed by reviewers."""
    by_rule: dict[str, list[dict[str, Any]]] = {}
    for row in ledger.read(
        "SELECT subject, rule_id, count(*) AS n FROM control_effects WHERE kind = ? GROUP BY ALL ORDER BY n DESC",
        [kind],
    ):
        by_rule.setdefault(row["subject"], []).append({"rule_id": row["rule_id"], "n": row["n"]})
    return {
        row["subject"]: {
            **{name: value for name, value in row.items() if name != "subject"},
            "by_rule": by_rule.get(row["subject"], []),
        }
        for row in ledger.read(_COUNTS, [kind])
    }


def _row(kind: str, subject: str, rule_id: str, decision: Decision) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": subject,
        "rule_id": rule_id,
        "transaction_seq": decision.transaction.seq,
        "decided_at": decision.decided_at,
        "outcome": decision.outcome.word,
        "amount_minor": decision.transaction.amount_minor,
    }
