"""How often did each rule hit day by day, whom did it hit repeatedly, and what did snoozes keep quiet?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson

from casework.settings import past_truth
from casework.settings.past_decisions import Period
from data.ledger import Ledger
from engine.policy import Policy
from engine.rules.hit_rates import FALSE_ALARMS, Days, compared
from engine.rules.loader import FOLDER

JSON = dict[str, Any]
RECENT, HISTORY = timedelta(days=7), timedelta(days=56)
_DAY_US = 86_400_000_000

_PAYMENTS = """
SELECT epoch_us(decided_at) // 86400000000 AS day, count(*) AS n FROM decisions
WHERE decided_at >= $since AND decided_at < $until GROUP BY ALL
"""
_HITS = """
SELECT rule, day, count(*) AS n
FROM (SELECT unnest(rules_hit) AS rule, epoch_us(decided_at) // 86400000000 AS day FROM decisions
      WHERE decided_at >= $since AND decided_at < $until AND len(rules_hit) > 0) GROUP BY ALL
"""
_REPEATS = """
SELECT rule, CAST(sum(n) AS BIGINT) AS hits, count(*) AS values_hit, max(n) AS most,
       count(*) FILTER (n > 1) AS hit_again
FROM (SELECT h.rule, t."{entity}" AS value, count(*) AS n
      FROM (SELECT unnest(rules_hit) AS rule, transaction_seq FROM decisions
            WHERE decided_at >= $since AND decided_at < $until) AS h
      JOIN transactions t ON t.seq = h.transaction_seq WHERE t."{entity}" IS NOT NULL GROUP BY ALL)
GROUP BY rule
"""
_SNOOZED = f"""
SELECT s.snooze_id, s.entity, s.value, s.reason, s.made_by, s.made_at, s.expires_at, s.ended_at, c.rule_id,
       count(*) AS silenced, CAST(coalesce(sum(d.amount_minor), 0) AS BIGINT) AS amount_minor,
       count(*) FILTER (d.outcome = 'approve') AS approved,
       count(*) FILTER (d.fraud = 1) AS frauds,
       CAST(coalesce(sum(d.amount_minor) FILTER (d.fraud = 1), 0) AS BIGINT) AS fraud_minor,
       count(*) FILTER (d.fraud <> -1) AS known
FROM control_effects c JOIN snoozes s ON s.snooze_id = c.subject
JOIN (SELECT d.transaction_seq, d.amount_minor, d.outcome, {past_truth.COLUMNS} FROM decisions d {past_truth.JOINS}
      WHERE d.decided_at >= $since AND d.decided_at < $until) AS d ON d.transaction_seq = c.transaction_seq
WHERE c.kind = 'snooze' GROUP BY ALL ORDER BY silenced DESC
"""
METHOD = (
    f"Hits of the last {RECENT.days} days against the {HISTORY.days} days before, or since the rule was last changed: "
    "beta-binomial, two-sided, with the spread between days taken into account; false alarms among alarms held at "
    f"{FALSE_ALARMS:.0%} over all rules (Benjamini and Hochberg)."
)


def hit_rates(ledger: Ledger, rule_ids: list[str], until: datetime) -> dict[str, JSON]:
    """Each rule's recent hits against its own history, with `change` (surge, silence or ''), and `changed_at` where
    its file changed within that time; what was before does not count as its own history then."""
    since = until - HISTORY - RECENT
    asked = {"since": since, "until": until}
    last, first = (int(moment.timestamp() * 1_000_000 - 1) // _DAY_US for moment in (until, since))
    days = last - first + 1
    payments = np.zeros(days, np.int64)
    for row in ledger.read(_PAYMENTS, asked):
        payments[row["day"] - first] = row["n"]
    hits = {rule_id: np.zeros(days, np.int64) for rule_id in rule_ids}
    for row in ledger.read(_HITS, asked):
        if row["rule"] in hits:
            hits[row["rule"]][row["day"] - first] = row["n"]
    changes = _last_changes(ledger, since)
    recent = days - RECENT.days
    watched = {}
    for rule_id, daily in hits.items():
        start = 0
        if rule_id in changes:  # the day of a change belongs to neither
            start = min(int(changes[rule_id].timestamp() * 1_000_000) // _DAY_US - first + 1, recent)
        watched[rule_id] = Days(
            daily[start:recent], payments[start:recent], daily[recent:], payments[recent:]
        )
    return {
        rule_id: {**asdict(rate), "days": RECENT.days, "changed_at": changes.get(rule_id)}
        for rule_id, rate in compared(watched).items()
    }


def _last_changes(ledger: Ledger, since: datetime) -> dict[str, datetime]:
    """When the file of each rule last changed with an approval after `since`, the first approval aside."""
    found: dict[str, datetime] = {}
    before: dict[str, str] | None = None
    for row in ledger.read("SELECT approved_at, files FROM approved_sets ORDER BY event_seq"):
        files: dict[str, str] = orjson.loads(row["files"])
        if before is not None and row["approved_at"] >= since:
            for path, digest in files.items():
                if path.startswith(FOLDER) and before.get(path) != digest:
                    found[path.rsplit("/", 1)[-1].removesuffix(".yaml")] = row["approved_at"]
        before = files
    return found


def repeats(ledger: Ledger, when: Period, entity: str) -> dict[str, JSON]:
    """By rule: hits with a value of `entity`, how many values those were, how many of them were hit more than once,
    the most hits on one, and the share of hits that came after the first on the same value."""
    if not entity:
        return {}
    asked = {"since": when.since, "until": when.until}
    return {
        row["rule"]: {
            "entity": entity,
            "hits": row["hits"],
            "values": row["values_hit"],
            "hit_again": row["hit_again"],
            "most": row["most"],
            "share": 1.0 - row["values_hit"] / row["hits"],
        }
        for row in ledger.read(_REPEATS.format(entity=entity), asked)
    }


def snoozed(ledger: Ledger, when: Period, policy: Policy, at: datetime) -> dict[str, list[JSON]]:
    """By rule: what each snooze kept quiet in the period, and how much of it is known to be fraud since."""
    found: dict[str, list[JSON]] = {}
    for row in ledger.read(_SNOOZED, past_truth.truth_values(when, policy, at)):
        found.setdefault(row["rule_id"], []).append({k: v for k, v in row.items() if k != "rule_id"})
    return found
