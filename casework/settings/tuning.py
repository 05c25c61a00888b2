"""What would other cut-offs or other costs have meant for the payments that were decided?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np

from casework.app import App
from casework.settings import past_decisions as past_of
from casework.settings.past_decisions import Period
from casework.settings.previews import SECONDS_A_CASE
from data.errors import InputError
from engine.decision import Outcome
from engine.policy import Policy
from engine.rules.rule_set import RuleSet
from engine.tuner import History, Setting, best, cheapest, setting

JSON = dict[str, Any]
MOST_SEGMENTS = 12

_COLUMNS = """
SELECT d.probability, coalesce(d.amount_minor, $assumed) AS amount, epoch_us(d.decided_at) // 86400000000 AS day,
       CASE WHEN list_has_any(d.rules_hit, $declining) THEN 2 WHEN list_has_any(d.rules_hit, $asking) THEN 1 ELSE 0 END
       AS floor, {segment} AS segment
FROM decisions d {join} WHERE d.decided_at >= $since AND d.decided_at < $until ORDER BY d.event_seq
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: two cut-offs, or other costs and capacity than the policy's (money in minor units), and by which
    attribute the figures are to be split. None and '' leave things as they are."""

    review_at: float | None = None
    decline_at: float | None = None
    missed_fraud_share: float | None = None
    good_declined_minor: int | None = None
    review_minor: int | None = None
    reviews_per_day: int | None = None
    by: str = ""


def tuned(
    app: App,
    wanted: Wanted,
    since: datetime | None,
    until: datetime | None,
    *,
    at: datetime,
    with_rules: bool = True,
) -> JSON:
    """The present setting, the one asked for, the best pair of cut-offs and the cheapest answer at each amount, each
    over the same past payments. Those decided without a model are left out and counted.

    `with_rules` keeps what live rules asked for then as a floor, so that reviews are not promised away.
    """
    policy = app.settings().policy
    asked = _other_costs(policy, wanted)
    when = past_of.period(app.ledger, since, until)
    history, segments, left_out = _history(app, when, wanted.by, policy, at, with_rules)
    if not len(history):
        raise InputError(
            "no decision of this period has a probability", where="since", hint="Train a model first."
        )
    found = best(history, asked)
    low = found.review_at if wanted.review_at is None else wanted.review_at
    high = found.decline_at if wanted.decline_at is None else wanted.decline_at
    if not 0.0 <= low <= high <= 1.0:
        what = f"review_at is {low:.4g} and decline_at {high:.4g}"
        raise InputError(what, where="review_at", allowed="0 <= review_at <= decline_at <= 1")
    chosen = wanted.review_at is not None or wanted.decline_at is not None
    answer: JSON = {
        "since": when.since,
        "until": when.until,
        "decisions": len(history),
        "without_probability": left_out,
        "with_rules": with_rules,
        "seconds_a_case": SECONDS_A_CASE,
        "current": {"solve": policy.thresholds.solve, **_row(_current(history, policy))},
        "asked": _row(setting(history, low, high, asked)) if chosen else None,
        "best": _row(setting(history, found.review_at, found.decline_at, asked)),
        "best_within_capacity": _row(
            setting(history, found.within_review_at, found.within_decline_at, asked)
        ),
        "cheapest_by_amount": _row(cheapest(history, asked)),
    }
    if wanted.by:
        answer["segments"] = _by_segment(history, segments, (low, high), asked, policy)
    return answer


def _other_costs(policy: Policy, wanted: Wanted) -> Policy:
    given = {f.name: getattr(wanted, f.name) for f in fields(wanted) if getattr(wanted, f.name) is not None}
    costs = {
        name: given[name]
        for name in ("missed_fraud_share", "good_declined_minor", "review_minor")
        if name in given
    }
    capacity = {name: given[name] for name in ("reviews_per_day",) if name in given}
    return replace(
        policy, costs=replace(policy.costs, **costs), capacity=replace(policy.capacity, **capacity)
    )


def _current(history: History, policy: Policy) -> Setting:
    """The policy as it stands, leaving out the price that a crowded day puts on reviews."""
    at = policy.thresholds
    return cheapest(history, policy) if at.solve else setting(history, at.review_at, at.decline_at, policy)


def _history(
    app: App, when: Period, by: str, policy: Policy, at: datetime, with_rules: bool
) -> tuple[History, np.ndarray, int]:
    known = [field.name for field in app.ledger.fields if field.in_transactions]
    if by and by not in known:
        raise InputError(f"there is no attribute {by[:80]!r}", where="by", allowed=", ".join(known))
    sql = _COLUMNS.format(
        segment=f"coalesce(CAST(t.\"{by}\" AS VARCHAR), 'not known')" if by else "''",
        join="JOIN transactions t ON t.seq = d.transaction_seq" if by else "",
    )
    asked = {"since": when.since, "until": when.until, "assumed": policy.costs.assumed_amount_minor}
    table = app.ledger.read_arrow(sql, {**asked, **_floors(app.settings().rules, with_rules)})
    probability = table.column("probability").to_numpy().astype(np.float64)
    fraud, _ = past_of.truth(app.ledger, when, policy, at)
    history = History(
        probability,
        table.column("amount").to_numpy().astype(np.int64),
        fraud,
        table.column("day").to_numpy(),
        table.column("floor").to_numpy().astype(np.uint8),
    )
    scored = ~np.isnan(probability)
    segments = table.column("segment").to_numpy(zero_copy_only=False)
    return history.where(scored), segments[scored], int((~scored).sum())


def _floors(rules: RuleSet, with_rules: bool) -> dict[str, list[str]]:
    """The live rules whose hits decline, and those whose hits ask for a review."""
    live = [rule for rule in rules if with_rules and rule.status == "live" and rule.then.effect != "allow"]
    return {
        "declining": [rule.id for rule in live if rule.then.floor is Outcome.DECLINE],
        "asking": [rule.id for rule in live if rule.then.floor is Outcome.REVIEW],
    }


def _by_segment(
    history: History, segments: np.ndarray, cuts: tuple[float, float], asked: Policy, policy: Policy
) -> list[JSON]:
    """The largest segments, each under the present setting and under the cut-offs asked for (or the best)."""
    values, counts = np.unique(segments.astype(str), return_counts=True)
    found = []
    for value in values[np.argsort(-counts, kind="stable")][:MOST_SEGMENTS]:
        part = history.where(segments == value)
        found.append(
            {
                "value": str(value),
                "decisions": len(part),
                "current": _row(_current(part, policy)),
                "asked": _row(setting(part, *cuts, asked)),
            }
        )
    return found


def _row(found: Setting) -> JSON:
    row: Mapping[str, Any] = asdict(found)
    intervals = [f.name for f in fields(found) if isinstance(getattr(found, f.name), tuple)]
    named = {name: getattr(found, name)._asdict() for name in intervals}
    return {**row, **named, "breaches_capacity": found.breaches_capacity}
