"""How much review work is there a week, and how do reviewers answer, by the record of the last weeks?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.quality.consistency import overlap
from casework.review.measuring.accuracy import accuracy
from casework.review.measuring.power import Pairs
from casework.review.verdicts import CONFIRMED_FRAUD, STANDING
from data.ledger import Ledger
from data.outcome_order import in_force
from engine.policy import Policy

LOOK_BACK = timedelta(weeks=8)
PUBLISHED = Pairs(positive=0.19, differ=0.25)
"""Three analysts on real fraud agree on three payments of four and say fraud on one of five (docs/consistency.md)."""
LEAST_ITEMS, LEAST_OUTCOMES, USUAL_SECONDS, USUAL_AGAIN = 30, 500, 35.0, 0.8
_DECIDED = """
    SELECT count(*) FILTER (outcome <> 'review') AS automatic, min(decided_at) AS first FROM decisions
    WHERE decided_at >= ? AND decided_at < ?
"""
_CASES = "SELECT count(*) AS n FROM tasks WHERE kind = 'primary' AND created_at >= ? AND created_at < ?"
# Seconds that are forgotten are left out: see keeping.retention.
_REVIEWED = f"""
    SELECT count(*) AS n, count(DISTINCT reviewer) AS people,
           median(seconds - idle_seconds) FILTER (NOT isnan(seconds)) AS seconds FROM {STANDING}
    WHERE task_kind IN ('primary', 'second', 'audit') AND given_at >= ? AND given_at < ?
"""
_AUDIT_RATE = f"""
    SELECT count(*) AS n, count(*) FILTER (o.is_fraud) AS frauds FROM decisions d LEFT JOIN (
        {in_force()}) o USING (transaction_seq)
    WHERE d.outcome = 'approve' AND d.occurred_at + to_microseconds(?) <= CAST(? AS TIMESTAMP)
"""
# A payment may be golden again with another truth: an answer is to the latest by then, as in measuring.golden.
_HAVE = f"""
    SELECT v.task_kind AS kind, v.reviewer, CASE WHEN v.task_kind = 'golden' THEN g.is_fraud END AS is_fraud,
           count(*) AS n
    FROM {STANDING} v
    ASOF LEFT JOIN golden_cases g ON g.transaction_seq = v.transaction_seq AND v.given_at >= g.added_at
    WHERE v.task_kind IN ('golden', 're_serve', 'audit') GROUP BY ALL
"""
_AGAIN = f"""
    SELECT count(*) AS n, count(*) FILTER (a.value = b.value) AS same FROM {STANDING} a
    JOIN {STANDING} b ON a.transaction_seq = b.transaction_seq AND a.reviewer = b.reviewer
    WHERE a.task_kind = 're_serve' AND b.task_kind IN ('primary', 'second', 'audit')
"""
_ANALYSTS = """
    SELECT u.user_id FROM users u LEFT JOIN reviewers r USING (user_id)
    WHERE u.role = 'analyst' AND u.disabled_at IS NULL AND coalesce(r.status, '') <> 'training' ORDER BY u.user_id
"""


@dataclass(frozen=True, slots=True)
class Volumes:
    """Work a week over the last `weeks`, and what answers look like. `assumed` names what was too rare on record to be
    measured, with what was taken instead; `measured` what recall and false positive rate rest on, where they were."""

    weeks: float
    automatic: float
    cases: float
    reviews: float
    analysts: int
    seconds: float
    pairs: Pairs
    fraud_rate: float
    recall: float
    false_positive_rate: float
    again: float
    assumed: tuple[str, ...]
    measured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is there already: payments with two reviewers, with somebody saying fraud, in dispute; golden answers of the
    person who has the fewest; all golden answers of each class; audits and re-serves answered."""

    double: int
    double_positive: int
    double_disputed: int
    golden_frauds_least: int
    golden_honest_least: int
    golden_frauds: int
    golden_honest: int
    audits: int
    re_serves: int


def measured(ledger: Ledger, policy: Policy, at: datetime) -> tuple[Volumes, Evidence]:
    """Volumes of the last LOOK_BACK (or since the first decision) and the evidence so far. Where the record is too
    thin for a figure, the policy's or the published one stands in and is named."""
    since = at - LOOK_BACK
    decided = ledger.read(_DECIDED, [since, at])[0]
    weeks = max((at - max(decided["first"] or since, since)) / timedelta(weeks=1), 1.0)
    reviewed = ledger.read(_REVIEWED, [since, at])[0]
    double = _double(ledger)
    evidence = _evidence(ledger, double)
    assumed: list[str] = []
    pairs = _pairs(double, assumed)
    again = ledger.read(_AGAIN)[0]
    if again["n"] < LEAST_ITEMS:
        assumed.append(f"own verdicts repeated: {USUAL_AGAIN:.0%} (few re-serves on record)")
    if reviewed["seconds"] is None:
        assumed.append(f"{USUAL_SECONDS:.0f} seconds a review (none on record)")
    known = accuracy(ledger, policy, at)
    assumed += known.assumed
    people = ledger.read(_ANALYSTS)
    return Volumes(
        weeks=weeks,
        automatic=decided["automatic"] / weeks,
        cases=ledger.read(_CASES, [since, at])[0]["n"] / weeks,
        reviews=reviewed["n"] / weeks,
        analysts=max(reviewed["people"] or len(people), 1),
        seconds=float(reviewed["seconds"] or USUAL_SECONDS),
        pairs=pairs,
        fraud_rate=_fraud_rate(ledger, policy, at, assumed),
        recall=known.recall.value,
        false_positive_rate=known.false_positive_rate.value,
        again=again["same"] / again["n"] if again["n"] >= LEAST_ITEMS else USUAL_AGAIN,
        assumed=tuple(assumed),
        measured=known.measured,
    ), evidence


def _double(ledger: Ledger) -> dict[str, list[str]]:
    """Verdicts by payment, where chance gave it to two or more."""
    found: dict[str, list[str]] = {}
    for rating in overlap(ledger):
        found.setdefault(rating.item, []).append(rating.verdict)
    return {item: said for item, said in found.items() if len(said) > 1}


def _pairs(double: dict[str, list[str]], assumed: list[str]) -> Pairs:
    if len(double) < LEAST_ITEMS:
        assumed.append(
            "how often two reviewers differ: as published analysts do (few second reviews on record)"
        )
        return PUBLISHED
    ratings = [value for said in double.values() for value in said[:2]]
    positive = ratings.count(CONFIRMED_FRAUD) / len(ratings)
    # Of two classes, fraud and not: a coefficient of three moves little by it, and positives decide its width.
    differ = sum((a == CONFIRMED_FRAUD) != (b == CONFIRMED_FRAUD) for a, b, *_ in double.values()) / len(
        double
    )
    if not 0 < positive < 1 or differ == 0:
        assumed.append("how often two reviewers differ: as published analysts do (here they never did)")
        return PUBLISHED
    return Pairs(positive, differ)


def _fraud_rate(ledger: Ledger, policy: Policy, at: datetime, assumed: list[str]) -> float:
    """Frauds among approved payments whose time to be disputed is over."""
    maturity_us = policy.labels.maturity // timedelta(microseconds=1)
    row = ledger.read(_AUDIT_RATE, [maturity_us, at])[0]
    if row["n"] >= LEAST_OUTCOMES and row["frauds"]:
        return float(row["frauds"] / row["n"])
    assumed.append("fraud among approved payments: 0.5 % (too few outcomes on record)")
    return 0.005


def _evidence(ledger: Ledger, double: dict[str, list[str]]) -> Evidence:
    rows: list[dict[str, Any]] = ledger.read(_HAVE)
    people = [row["user_id"] for row in ledger.read(_ANALYSTS)]

    def count(kind: str, fraud: bool | None = None, who: str = "") -> int:
        return sum(
            row["n"]
            for row in rows
            if row["kind"] == kind and row["is_fraud"] is fraud and who in ("", row["reviewer"])
        )

    return Evidence(
        double=len(double),
        double_positive=sum(CONFIRMED_FRAUD in said for said in double.values()),
        double_disputed=sum(len(set(said)) > 1 for said in double.values()),
        golden_frauds_least=min((count("golden", True, who) for who in people), default=0),
        golden_honest_least=min((count("golden", False, who) for who in people), default=0),
        golden_frauds=count("golden", True),
        golden_honest=count("golden", False),
        audits=count("audit"),
        re_serves=count("re_serve"),
    )
