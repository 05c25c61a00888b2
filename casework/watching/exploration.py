"""What did it cost to release some would-be declines on purpose, what did it teach, and who signed it off?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from casework.settings.evidence_of_fraud import EXPLORABLE, OUT_OF_REACH, group
from casework.watching.performance import DECLINE, Record
from casework.watching.stretches import ago
from data.ledger import Ledger
from data.strict_yaml import load
from engine.policy import Policy
from engine.units import money, percent

JSON = dict[str, Any]


def exploration(ledger: Ledger, record: Record, policy: Policy, at: datetime) -> JSON:
    """Released would-be declines of a stretch: how many and how much, how many turned out fraud and what that lost; and
    what they say of all declines they stand for: the share that would have been good, with its interval.

    `sentence` puts both in words; `signed_off` says who approved the caps in force, and since when.
    """
    evidence, caps = record.evidence, policy.sampling.exploration
    reach = evidence.route == EXPLORABLE
    released = reach & (record.outcome != DECLINE)
    stayed = (reach | (evidence.route == OUT_OF_REACH)) & ~released
    found = group(evidence, reach)
    cost, taught = group(evidence, released), found["estimate"]["fraud_share"]
    good = _turned(taught) if taught else None
    told: JSON = {
        "released": int(released.sum()),
        "released_minor": int(evidence.amount_minor[released].sum()),
        "known": cost["known"],
        "frauds": int((released & (evidence.fraud == 1)).sum()),
        "lost_minor": cost["fraud_amount_minor"],
        "declined": int(stayed.sum()),
        "out_of_reach": int((evidence.route == OUT_OF_REACH).sum()),
        "good_among_declines": good,
        "caps": {
            "share": caps.share,
            "max_per_day": caps.max_per_day,
            "max_amount_minor": caps.max_amount_minor,
            "max_amount_per_day_minor": caps.max_amount_per_day_minor,
        },
        "signed_off": signed_off(ledger),
    }
    return {**told, "sentence": _sentence(told, policy)}


def _turned(share: JSON) -> JSON:
    """The share of what is not fraud, from that of fraud."""
    return {"value": 1 - share["value"], "low": 1 - share["high"], "high": 1 - share["low"], "n": share["n"]}


def signed_off(ledger: Ledger) -> JSON | None:
    """Who approved the exploration that is in force, when, and why: the first of the latest approvals in a row whose
    policy says the same about it."""
    rows = ledger.read(
        "SELECT files, approved_by, approved_at, reason FROM approved_sets ORDER BY event_seq DESC"
    )
    known: dict[str, Any] = {}  # many sets change rules alone, and have the same policy
    held, found = None, None
    for row in rows:
        sha256 = json.loads(row["files"])["policy.yaml"]
        if sha256 not in known:
            known[sha256] = _said(ledger, sha256)
        if held is None:
            held = known[sha256]
        if known[sha256] != held:
            break
        found = {"by": row["approved_by"], "at": row["approved_at"], "reason": row["reason"]}
    return found


def _said(ledger: Ledger, sha256: str) -> Any:
    rows = ledger.read("SELECT content FROM artefacts WHERE sha256 = ? LIMIT 1", [sha256])
    policy = load(rows[0]["content"], "policy.yaml").value if rows else {}
    return policy.get("sampling", {}).get("exploration")


def _sentence(told: JSON, policy: Policy) -> str:
    currency = policy.currency
    if not told["released"]:
        share = percent(policy.sampling.exploration.share)
        return f"No would-be decline was released on purpose; the policy releases {share} of them under its caps."
    many = "payment was" if told["released"] == 1 else "payments were"
    amount = money(told["released_minor"], currency)
    cost = (
        f"{told['released']:,} would-be declined {many} released on purpose ({amount}); "
        f"{told['frauds']:,} turned out fraud, which lost {money(told['lost_minor'], currency)}."
    )
    good = told["good_among_declines"]
    if good is None:
        return f"{cost} None of them has matured yet, so nothing was learned so far."
    return (
        f"{cost} From the {good['n']:,} whose truth is known, an estimated {percent(good['value'])} "
        f"[{percent(good['low'])}, {percent(good['high'])}] of such declines turn away good customers."
    )


def by_day(record: Record, last: datetime, days: int = 28) -> list[JSON]:
    """Released payments and their amount for each of the latest days, oldest first."""
    days_ago = ago(last, record.decided_at, timedelta(days=1))
    released = (record.evidence.route == EXPLORABLE) & (record.outcome != DECLINE)
    rows = []
    for day in range(days - 1, -1, -1):
        chosen = released & (days_ago == day)
        amount, date = int(record.evidence.amount_minor[chosen].sum()), (last - timedelta(days=day)).date()
        rows.append({"day": date.isoformat(), "released": int(chosen.sum()), "amount_minor": amount})
    return rows
