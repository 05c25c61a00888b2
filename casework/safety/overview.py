"""How does safety stand at this moment, in one answer for a page?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from casework.safety import alarms, breaker_acts, effects, kill_switch
from casework.safety.guard import Guard
from casework.safety.opening import Settings, standing_acts
from data.ledger import Ledger
from engine.breaker import RatioTest, Watch
from engine.costs import CapacityState, capacity_price
from engine.policy import Breaker as Limits
from engine.policy import Policy
from engine.units import money

JSON = dict[str, Any]
_LOUD = 0.3
"""A rate that nobody could mean: how soon the breaker would act at it is shown."""


def banner(ledger: Ledger) -> JSON:
    """What every page shows: the kill switch, and how many alarms are open."""
    found = alarms.listed(ledger)
    return {"kill_switch": kill_switch.standing(ledger).as_json(), "alarms": found, "open": len(found)}


def overview(ledger: Ledger, guard: Guard, settings: Settings, load: CapacityState, at: datetime) -> JSON:
    """Kill switch, capacity and its price, alarms, what the breaker did and watches, and how often no model ran."""
    model = guard.engine.model
    model_id = model.model_id if model else ""
    standing = {a["act_id"] for a in standing_acts(breaker_acts.in_force(ledger), settings, model_id)}
    acts = breaker_acts.listed(ledger, standing)
    return {
        **banner(ledger),
        "turns": kill_switch.turns(ledger),
        "capacity": capacity(settings.policy, load),
        "acts": [{**act, "in_force": act["act_id"] in standing} for act in acts],
        "limits": {n: getattr(settings.policy.breaker, n) for n in Limits.__dataclass_fields__},
        "watches": _watches(guard.breaker.counted(), settings.policy.breaker, at),
        "fail_safe": _fail_safe(ledger, at),
        "policy_set_id": guard.engine.notes.get("policy_set_id", ""),
        "model_id": model_id,
        "set_id": guard.engine.set_id,
    }


def capacity(policy: Policy, load: CapacityState) -> JSON:
    """What today's reviews cost, and why."""
    price, most = capacity_price(policy, load), policy.capacity.reviews_per_day
    used = load.reviews_today
    if math.isinf(price):
        why = f"All {most} reviews of today are used: only rules still send payments to people."
    elif price > 0:
        cost = money(round(price), policy.currency)
        why = (
            f"{used} of today's {most} reviews are used, so each further one must be worth {cost} more than its own "
            "cost: the last reviews of a day go where they matter most."
        )
    else:
        start = math.ceil(policy.capacity.price_from * most)
        why = f"Used today: {used} of {most} reviews; from {start} on each further one must be worth more."
    return {
        "used": used,
        "reviews_per_day": most,
        "price_minor": None if math.isinf(price) else price,
        "sentence": why,
    }


def _watches(watched: Sequence[Watch], limits: Limits, at: datetime) -> list[JSON]:
    return [
        {
            "kind": watch.kind,
            "subject": watch.subject,
            "since": watch.since,
            "is_new": watch.is_new(at, limits),
            "acted": watch.acted,
            "decisions": watch.seen,
            "alarms": watch.alarms,
            "rate": watch.alarms / watch.seen if watch.seen else None,
            "expected_at_most": watch.expected.rate,
            "basis": watch.expected.basis,
            "history": watch.expected.seen,
            "evidence": max(watch.evidence, 0.0),
            "acts_at": test.limit,
            "decisions_to_act_if_loud": _until(test),
        }
        for watch in watched
        for test in (RatioTest.of(watch.expected, limits),)
    ]


def _until(test: RatioTest) -> int | None:
    found = test.decisions_until(_LOUD)
    return None if math.isinf(found) else math.ceil(found)


def _fail_safe(ledger: Ledger, at: datetime) -> list[JSON]:
    """How many decisions of the last thirty days had no model, or a rule that failed, by why."""
    return ledger.read(
        "SELECT kind, subject, count(*) AS n, max(decided_at) AS last_at FROM control_effects "
        "WHERE kind IN (?, ?) AND decided_at >= ? GROUP BY kind, subject ORDER BY n DESC",
        [effects.FAIL_SAFE, effects.RULE_ERROR, at - timedelta(days=30)],
    )
