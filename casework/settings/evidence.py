"""What has a rule shown in shadow, and is that enough for it to be obeyed?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import orjson

from casework.app import App
from casework.live import read_settings
from casework.quality.subgroups import wilson
from casework.settings import past_decisions as past_of
from casework.settings.evidence_of_fraud import group, read_evidence
from casework.settings.past_decisions import FRAUD, UNKNOWN, Period
from data import approved
from data.errors import InputError
from engine.policy import Policy
from engine.rules.life import moves, same_question
from engine.rules.loader import FOLDER, load_rule
from engine.rules.rule import Rule

JSON = dict[str, Any]

_SPAN = """
SELECT min(decided_at) AS since, max(decided_at) + INTERVAL 1 MICROSECOND AS until
FROM decisions WHERE list_contains($sets, set_id)
"""
_HITS = """
SELECT list_contains($sets, set_id) AS under, list_contains(rules_hit, $rule) AS hit, outcome,
       CAST(decided_at AS DATE) AS day, occurred_at <= CAST($matured_by AS TIMESTAMP) AS matured
FROM decisions WHERE decided_at >= $since AND decided_at < $until ORDER BY event_seq
"""


def of_promotions(app: App, files: Mapping[str, bytes], at: datetime) -> list[JSON]:
    """`shadow_evidence` for every rule that a set of files would make live; empty where they cannot be read."""
    try:
        then = read_settings(files, app.mapping)
    except InputError:
        return []
    promoted = [move for move in moves(app.settings().rules, then.rules) if move.to_live]
    return [shadow_evidence(app, move.rule, then.policy, at) for move in promoted]


def shadow_evidence(app: App, rule: Rule, policy: Policy, at: datetime) -> JSON:
    """What the ledger holds of `rule` in shadow with the same condition: days, hits, precision with a 95 % Wilson
    interval among the hits that have matured and whose truth is known, and the cases a day it would add, against
    capacity. Beside it `estimate`, of all hits and as far as it can be made, and `naive`, of whatever is known.

    `lacking` says in sentences what `policy.promotion` asks for beyond that; `enough` that nothing is lacking.
    """
    sets = shadow_sets(app, rule)
    span = app.ledger.read(_SPAN, {"sets": sets})[0]
    counted = _NONE
    if span["since"] is not None:
        counted = _counted(app, rule, sets, Period(span["since"], span["until"]), at)
    found = {"rule": rule.id, "version": rule.version, **span, **counted}
    found["capacity"] = policy.capacity.reviews_per_day
    lacking = _lacking(found, policy)
    needed = {name: getattr(policy.promotion, name) for name in ("shadow_days", "hits", "known", "precision")}
    return {**found, "needed": needed, "lacking": lacking, "enough": not lacking}


def shadow_sets(app: App, rule: Rule) -> list[str]:
    """The approved sets under which the rule ran in shadow and asked the same question."""
    sql = "SELECT DISTINCT set_id, files FROM approved_sets"
    path = f"{FOLDER}/{rule.id}.yaml"
    hashes = {row["set_id"]: orjson.loads(row["files"]).get(path, "") for row in app.ledger.read(sql)}
    held = approved.contents(app.ledger, set(hashes.values()))
    settings = app.settings()

    @cache
    def in_shadow(sha256: str) -> bool:
        try:
            was = load_rule(
                held[sha256], path, settings.features, settings.lists, currency=settings.policy.currency
            )
        except InputError:  # it reads what is no longer declared, so it asked something else
            return False
        return was.status == "shadow" and same_question(was, rule)

    return sorted(name for name, sha256 in hashes.items() if sha256 in held and in_shadow(sha256))


_NONE: JSON = {
    "days": 0, "decisions": 0, "hits": 0, "known": 0, "precision": wilson(0, 0), "share_confirmed": wilson(0, 0),
    "naive": wilson(0, 0), "estimate": None,
    "added_cases": 0, "added_cases_a_day": 0.0, "cases_a_day": 0.0,
}  # fmt: skip


def for_reviewers(found: JSON) -> JSON:
    """The same without what people said, which moves with every verdict and so tells one reviewer of another's."""
    return {**found, **{name: _NONE[name] for name in ("share_confirmed", "naive", "estimate")}}


def _counted(app: App, rule: Rule, sets: list[str], when: Period, at: datetime) -> JSON:
    policy = app.settings().policy
    asked = {"sets": sets, "rule": rule.id, "since": when.since, "until": when.until}
    table = app.ledger.read_arrow(_HITS, {**asked, "matured_by": at - policy.labels.maturity})
    fraud, confirmed = past_of.truth(app.ledger, when, policy, at)
    under = table.column("under").to_numpy()
    hit = under & table.column("hit").to_numpy()
    outcome = np.array(table.column("outcome").to_pylist())
    days = len(set(table.filter(table.column("under")).column("day").to_pylist()))
    # Of young payments only the frauds are known, since those are reported; they would make the precision too high.
    known = hit & (fraud != UNKNOWN) & table.column("matured").to_numpy()
    judged = hit & (confirmed != UNKNOWN)
    added = int((hit & (outcome == "approve")).sum())
    told = group(read_evidence(app.ledger, when, policy, at), hit)
    return {
        "days": days,
        "decisions": int(under.sum()),
        "hits": int(hit.sum()),
        "known": int(known.sum()),
        "precision": wilson(int((fraud[known] == FRAUD).sum()), int(known.sum())),
        "share_confirmed": wilson(int((confirmed[judged] == 1).sum()), int(judged.sum())),
        "naive": told["fraud_share"],
        "estimate": told["estimate"]["fraud_share"],
        "added_cases": added,
        "added_cases_a_day": added / days,
        "cases_a_day": float((under & (outcome == "review")).sum()) / days,
    }


def _lacking(found: JSON, policy: Policy) -> list[str]:
    needed, told = policy.promotion, []
    for name, least, what in (
        ("days", needed.shadow_days, "days in shadow with this condition"),
        ("hits", needed.hits, "hits in shadow"),
        ("known", needed.known, "hits whose truth is known"),
    ):
        if found[name] < least:
            told.append(f"{what}: {found[name]}; the policy asks for {least}")
    low = found["precision"]["low"]
    if low is not None and low < needed.precision:
        told.append(
            f"the lower end of its precision is {low:.1%}; the policy asks for {needed.precision:.1%}"
        )
    busy = found["cases_a_day"] + found["added_cases_a_day"]
    if busy > found["capacity"]:
        told.append(f"{busy:.0f} cases a day with it; people can do {found['capacity']}")
    return told
