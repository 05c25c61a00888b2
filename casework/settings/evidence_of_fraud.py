"""How much fraud is among some past decisions: what is known, what that looks like, and what it is worth?

Three shares that must not be mixed up. The naive one is among payments whose outcome is known: too high, because frauds
are reported within days and silence counts only after weeks. What reviewers confirmed is no fact. The estimate uses
only payments whose truth had a known chance of being seen, whatever it is (see `engine.measuring.seen_outcomes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.quality.subgroups import wilson
from casework.settings import past_truth
from casework.settings.past_truth import FRAUD, UNKNOWN, Span, Truth
from data.ledger import Ledger
from engine.measuring.seen_outcomes import Reviewer, Share, counted, exactly, from_verdicts, joined, weighed
from engine.policy import Policy

JSON = dict[str, Any]
RELEASED, EXPLORABLE, REVIEWED, OUT_OF_REACH = range(4)
LEAST_MEASURED = 30  # payments from which reviewers' errors are measured rather than taken from the policy
_Z = 1.959963984540054
_PARTS = {
    RELEASED: ("let_go", "let go and matured"),
    EXPLORABLE: ("explored", "declines released at random"),
    REVIEWED: ("reviewed", "verdicts, corrected for how often reviewers err"),
}

_EVIDENCE = f"""
SELECT coalesce(d.amount_minor, 0) AS amount, d.amount_minor IS NULL AS no_amount, d.outcome, d.explored,
       d.explore_probability AS chance, list_has_any(d.rules_hit, $blocking) AS blocked,
       coalesce(CAST(json_extract(decode(e.payload), '$.context.load.explored_today') AS BIGINT), 0) AS explored_today,
       coalesce(CAST(json_extract(decode(e.payload), '$.context.load.explored_amount_today_minor') AS BIGINT), 0)
       AS explored_amount, {past_truth.COLUMNS}
FROM decisions d LEFT JOIN events e ON e.seq = d.event_seq AND (d.outcome = 'decline' OR d.explored) {past_truth.JOINS}
WHERE d.decided_at >= $since AND d.decided_at < $until ORDER BY d.event_seq
"""
_ERRORS = f"""
SELECT count(*) FILTER (fraud = 0) AS good, count(*) FILTER (fraud = 0 AND confirmed = 1) AS accused,
       count(*) FILTER (fraud = 1) AS frauds, count(*) FILTER (fraud = 1 AND confirmed = 1) AS found
FROM (SELECT {past_truth.COLUMNS} FROM decisions d {past_truth.JOINS}
      WHERE d.outcome = 'approve' AND v.confirmed IS NOT NULL AND d.decided_at >= $since AND d.decided_at < $until)
WHERE matured AND through
"""


@dataclass(frozen=True)
class Evidence:
    """Decisions in the order made, columns of equal length: `route` is one of RELEASED, EXPLORABLE (declined, unless
    chance released it), REVIEWED (the outcome depends on the verdict) and OUT_OF_REACH; `chance` that of being let go.
    """

    amount_minor: np.ndarray
    truth: Truth
    route: np.ndarray
    chance: np.ndarray
    reviewer: Reviewer
    reviewer_measured: bool
    maturity: timedelta

    def __len__(self) -> int:
        return len(self.route)

    @property
    def fraud(self) -> np.ndarray:
        return self.truth.fraud


def read_evidence(
    ledger: Ledger, when: Span, policy: Policy, as_of: datetime, blocking: Sequence[str] = ()
) -> Evidence:
    """What `as_of` knows of the decisions of a period; `blocking` are rules whose declines chance never releases."""
    values = past_truth.truth_values(when, policy, as_of)
    table = ledger.read_arrow(_EVIDENCE, {**values, "blocking": [*blocking, "entry_block"]})
    column = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    truth = Truth(*(column[name] for name in Truth.__annotations__))
    reviewer, measured = _reviewer(ledger, policy, as_of)
    route, chance = _routes(column, policy)
    amount = column["amount"].astype(np.int64)
    return Evidence(amount, truth, route, chance, reviewer, measured, policy.labels.maturity)


def _routes(column: dict[str, np.ndarray], policy: Policy) -> tuple[np.ndarray, np.ndarray]:
    caps, amount = policy.sampling.exploration, column["amount"]
    within = ~(column["no_amount"] | column["blocked"]) & (amount <= caps.max_amount_minor)
    within &= column["explored_today"] < caps.max_per_day
    within &= column["explored_amount"] + amount <= caps.max_amount_per_day_minor
    within &= column["chance"] > 0
    declined = (column["outcome"] == "decline") | column["explored"]
    by_verdict = (column["outcome"] == "review") & policy.review_holds_somewhere
    route = np.full(len(amount), RELEASED)
    route[by_verdict] = REVIEWED
    route[declined] = np.where(within | column["explored"], EXPLORABLE, OUT_OF_REACH)[declined]
    return route, np.where(route == EXPLORABLE, np.maximum(column["chance"], 1e-9), 1.0)


def _reviewer(ledger: Ledger, policy: Policy, as_of: datetime) -> tuple[Reviewer, bool]:
    """Reviewers' errors, measured on audited payments whose truth came out whatever they said; what too few of them
    show is taken from the policy, as if it were exact."""
    span = _Always(datetime(1970, 1, 1, tzinfo=as_of.tzinfo), as_of)
    row = ledger.read(_ERRORS, past_truth.truth_values(span, policy, as_of))[0]
    told = policy.reviewer
    f, r = exactly(told.false_positive_rate), exactly(told.recall)
    if row["good"] >= LEAST_MEASURED:
        f = counted(row["accused"], row["good"])
    if row["frauds"] >= LEAST_MEASURED:
        r = counted(row["found"], row["frauds"])
    return Reviewer(r, f), row["good"] >= LEAST_MEASURED


@dataclass(frozen=True, slots=True)
class _Always:
    since: datetime
    until: datetime


def group(evidence: Evidence, chosen: np.ndarray) -> JSON:
    """Some of the decisions in numbers.

    `fraud_share` is the naive share, among those whose outcome is known; `share_confirmed` that among those a reviewer
    judged; both with 95 % Wilson intervals. `estimate` is what can be said of the fraud among all of them, in the
    sentence `told` beside the naive figure. Where nothing is known, it says so by `unknown`.
    """
    fraud, said = evidence.truth.fraud[chosen], evidence.truth.confirmed[chosen]
    known, judged = int((fraud != UNKNOWN).sum()), int((said != UNKNOWN).sum())
    found: JSON = {
        "count": int(chosen.sum()),
        "amount_minor": int(evidence.amount_minor[chosen].sum()),
        "known": known,
        "unknown": int(chosen.sum()) - known,
        "matured": int(evidence.truth.matured[chosen].sum()),
        "fraud_amount_minor": int(evidence.amount_minor[chosen][fraud == FRAUD].sum()),
        "fraud_share": wilson(int((fraud == FRAUD).sum()), known),
        "share_confirmed": wilson(int((said == 1).sum()), judged),
    }
    found["estimate"] = estimate(evidence, chosen)
    found["told"] = _told(found, evidence)
    return found


def estimate(evidence: Evidence, chosen: np.ndarray) -> JSON:
    """`fraud_share` with its interval over the `represents` payments that something stands for, their fraud in money,
    and the `parts` it comes from. None where nothing stands for anything."""
    shares, parts, money, routes = [], [], [], []
    for route, (name, words) in _PARTS.items():
        part = chosen & (evidence.route == route)
        size = int(part.sum())
        share, amounts = _part(evidence, part, route)
        if not size or share is None:
            continue
        shares.append((size, share))
        routes.append(route)
        money.append((size, *amounts))
        parts.append({"name": name, "words": words, "payments": size, "seen": share.n, **_share(share)})
    whole, represents = joined(shares), sum(size for size, _ in shares)
    frauds = chosen & (evidence.fraud == FRAUD)
    known = int(evidence.amount_minor[frauds].sum())
    if whole:  # what is known to be fraud is the least there is
        least = int((frauds & np.isin(evidence.route, routes)).sum()) / represents
        whole = Share(max(whole.value, least), max(whole.low, least), max(whole.high, least), whole.n)
    return {
        "fraud_share": _share(whole) if whole else None,
        "fraud_amount_minor": _amount(money, known) if money else None,
        "represents": represents,
        "without": int(chosen.sum()) - represents,
        "parts": parts,
    }


def _part(
    evidence: Evidence, part: np.ndarray, route: int
) -> tuple[Share | None, tuple[np.ndarray, np.ndarray]]:
    """The share of fraud in one part, and the amounts that stand for its fraud, with their weights."""
    if route == REVIEWED:
        seen = part & (evidence.truth.confirmed != UNKNOWN)
        said, reviewer = evidence.truth.confirmed[seen], evidence.reviewer
        share = from_verdicts(int((said == 1).sum()), len(said), reviewer)
        if share is None:
            return None, (np.zeros(0), np.zeros(0))
        value = (said - reviewer.false_positive_rate.value) / reviewer.informed
        return share, (value * evidence.amount_minor[seen], np.ones(len(said)))
    seen = part & evidence.truth.settled
    fraud, chance = evidence.fraud[seen], evidence.chance[seen]
    return weighed(fraud, chance), (fraud * evidence.amount_minor[seen], 1.0 / chance)


def _share(share: Share) -> JSON:
    return {"value": share.value, "low": share.low, "high": share.high, "n": share.n}


def _amount(parts: Sequence[tuple[int, np.ndarray, np.ndarray]], known: int) -> JSON:
    """Fraud in money over all parts: each one's weighed mean times its size, with a normal interval; never below what
    is known to have been lost."""
    total = variance = 0.0
    for size, amounts, weight in parts:
        mean = float((weight * amounts).sum() / weight.sum())
        total += size * mean
        variance += size**2 * float((weight**2 * (amounts - mean) ** 2).sum()) / float(weight.sum()) ** 2
    half = _Z * variance**0.5
    value = max(total, float(known))
    return {"value": value, "low": max(total - half, float(known)), "high": value + half}


def _told(found: JSON, evidence: Evidence) -> str:
    """The naive figure, the estimate, and why they differ."""
    if not found["count"]:
        return "No payment is in this group."
    days = evidence.maturity // timedelta(days=1)
    naive, made = found["fraud_share"], found["estimate"]
    words = [f"Of {_payments(found['count'])}, {found['matured']:,} have matured ({days} days)."]
    if naive["value"] is not None:
        words.append(f"Naively {naive['value']:.0%} of the {naive['n']:,} known outcomes are fraud.")
        if found["matured"] < found["count"]:
            words.append(
                "That is no fair sample: frauds are reported early, good payments only show by growing old."
            )
    if made["fraud_share"]:
        share = made["fraud_share"]
        sources = "; ".join(f"{part['seen']:,} {part['words']}" for part in made["parts"])
        words.append(
            f"Estimated {_percent(share['value'])} [{_percent(share['low'])}, {_percent(share['high'])}] of "
            f"{made['represents']:,}, from {sources}."
        )
        if made["without"]:
            words.append(f"Of the other {made['without']:,} nothing can be known.")
    else:
        words.append("Nothing that was seen by chance stands for them, so their fraud share is unknown.")
    return " ".join(words)


def _payments(n: int) -> str:
    return f"{n:,} payment" if n == 1 else f"{n:,} payments"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


def maturity(evidence: Evidence) -> JSON:
    """How far the period's truth has come in, in a sentence for every answer that is built on it."""
    total, matured = len(evidence), int(evidence.truth.matured.sum())
    early = int(((evidence.fraud == FRAUD) & ~evidence.truth.matured).sum())
    days = evidence.maturity // timedelta(days=1)
    sentence = (
        f"{matured:,} of {total:,} payments ({matured / total:.0%}) are older than {days} days, after which silence "
        f"counts. The rest are too young: their {early:,} reported frauds came early, and their good payments are "
        "not known yet."
        if matured < total
        else f"All {total:,} payments are older than {days} days, after which silence counts."
    )
    errors = evidence.reviewer
    return {
        "days": days,
        "matured": matured,
        "share": matured / total if total else 0.0,
        "early_frauds": early,
        "sentence": sentence,
        "reviewer": {
            "recall": _share(errors.recall),
            "false_positive_rate": _share(errors.false_positive_rate),
            "measured": evidence.reviewer_measured,
        },
    }
