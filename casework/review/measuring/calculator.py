"""What does a review design cost in reviews a week, and what will it let us say, how surely, and when?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from math import isinf
from typing import Any

from casework.quality.agreement.intervals import MIN_DISAGREEING_ITEMS, MIN_ITEMS, MIN_POSITIVE_ITEMS
from casework.review.measuring import power
from casework.review.measuring.volumes import Evidence, Volumes, measured
from data.errors import InputError
from data.ledger import Ledger
from engine.policy import Policy

JSON = dict[str, Any]
WEEKS = 12
MOST_WEEKS = 104


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a design. `second_review`, `third_review` and `audit` as under `sampling` in policy, `golden` and
    `re_serve` those of their lanes, `fraud_share` that of golden cases that are fraud, `again` the share of verdicts
    drawn for a re-serve."""

    second_review: float
    third_review: float
    audit: float
    golden: float
    re_serve: float
    fraud_share: float
    again: float

    @classmethod
    def of(cls, policy: Policy) -> Shares:
        """Those that are in force."""
        return cls(
            policy.sampling.second_review, policy.sampling.third_review, policy.sampling.audit,
            policy.lanes.get("golden", 0.0), policy.lanes.get("re_serve", 0.0), policy.design.golden.fraud_share,
            policy.design.re_serve.share,
        )  # fmt: skip

    def changed(self, wanted: Mapping[str, float | None]) -> Shares:
        """With those that are given; InputError for one that is no share."""
        given = {name: value for name, value in wanted.items() if value is not None}
        for name, value in given.items():
            if not 0 <= value <= 1:
                raise InputError(f"'{name}' is {value:g}", where=name, allowed="a share from 0 to 1")
        made = replace(self, **given)
        if made.golden + made.re_serve > 0.9:
            raise InputError(
                "there would be next to no fresh work", where="golden", allowed="golden + re_serve <= 0.9"
            )
        return made


@dataclass(frozen=True, slots=True)
class Work:
    """Reviews a week that the design asks for."""

    audit: float
    second: float
    third: float
    golden: float
    re_serve: float

    @property
    def total(self) -> float:
        return sum(getattr(self, field.name) for field in fields(self))


def work(shares: Shares, volumes: Volumes) -> Work:
    """Expected reviews a week. Second reviews are drawn among cases and audits, third ones among second ones. Golden
    cases and re-serves are shares of all that is handed out, so they come on top of the fresh work, as
    fresh * share / (1 - golden - re_serve); there are no more re-serves than verdicts drawn for one."""
    audit = volumes.automatic * shares.audit
    second = (volumes.cases + audit) * shares.second_review
    third = second * shares.third_review
    fresh = volumes.cases + audit + second + third
    handed_out = fresh / (1 - shares.golden - shares.re_serve)
    return Work(
        audit, second, third, handed_out * shares.golden,
        min(handed_out * shares.re_serve, fresh * shares.again),
    )  # fmt: skip


def report(
    ledger: Ledger, policy: Policy, at: datetime, wanted: Mapping[str, float | None], weeks: int = WEEKS
) -> JSON:
    """Cost and power of a design over the measured volumes: {shares, in_force, weeks, volumes, cost, figures,
    assumed, measured}. `figures` are those of `figures` below. InputError for weeks beyond 1 to MOST_WEEKS."""
    if not 1 <= weeks <= MOST_WEEKS:
        raise InputError(f"{weeks} weeks", where="weeks", allowed=f"1 to {MOST_WEEKS}")
    in_force = Shares.of(policy)
    shares = in_force.changed(wanted)
    volumes, have = measured(ledger, policy, at)
    asked, now = work(shares, volumes), work(in_force, volumes)
    return {
        "shares": asdict(shares),
        "in_force": asdict(in_force),
        "weeks": weeks,
        "volumes": asdict(volumes),
        "cost": _cost(asked, now, volumes),
        "figures": figures(shares, asked, volumes, have, weeks),
        "assumed": list(volumes.assumed),
        "measured": list(volumes.measured),
    }


def figures(shares: Shares, asked: Work, volumes: Volumes, have: Evidence, weeks: int) -> list[JSON]:
    """One row a figure: {name, title, about, a_week, have, needed, after, value, half_width, weeks_until, rule}.

    `have` and `needed` count what the figure rests on, `after` what there will be in so many weeks (what there is
    included); `half_width` is that of the 95 % interval then, None while it would not be shown.
    """
    double, pairs = asked.second, volumes.pairs
    each = asked.golden / volumes.analysts
    frauds, honest = each * shares.fraud_share, each * (1 - shares.fraud_share)
    agreement = f"{MIN_ITEMS} payments with two reviewers, {MIN_DISAGREEING_ITEMS} in dispute"
    positive = f"{agreement}, {MIN_POSITIVE_ITEMS} with somebody saying fraud"
    golden = f"{power.golden_needs()} golden cases of the class"
    alpha, ac1 = _alpha_ac1(pairs)

    def agreed(name: str, n: float) -> float:
        return power.agreement_half_width(pairs, n, coefficient=name)

    return [
        _row("ac1", "Gwet's AC1", double, have.double, power.agreement_needs(pairs, positives=False), weeks,
             ac1, lambda n: agreed("ac1", n), agreement),
        _row("alpha", "Krippendorff's alpha", double, have.double, power.agreement_needs(pairs, positives=True), weeks,
             alpha, lambda n: agreed("alpha", n), positive),
        _row("recall", "Recall of one reviewer", frauds, have.golden_frauds_least, power.golden_needs(), weeks,
             volumes.recall, lambda n: power.share_half_width(volumes.recall, n), f"{golden}, of each reviewer"),
        _row("false_positive_rate", "False positive rate of one reviewer", honest, have.golden_honest_least,
             power.golden_needs(), weeks, volumes.false_positive_rate,
             lambda n: power.share_half_width(volumes.false_positive_rate, n), f"{golden}, of each reviewer"),
        _row("fraud_rate_outcomes", "Fraud rate of audited payments, from outcomes", asked.audit, have.audits,
             power.audit_needs(volumes.fraud_rate), weeks, volumes.fraud_rate,
             lambda n: power.share_half_width(volumes.fraud_rate, n), "100 audits, 5 expected frauds among them"),
        _row("fraud_rate_verdicts", "The same from verdicts, corrected by golden cases", asked.audit, have.audits,
             power.audit_needs(volumes.fraud_rate), weeks, volumes.fraud_rate,
             lambda n: _corrected(n, shares, asked, volumes, have, weeks), "as above, and golden cases"),
        _row("intra_rater", "Same person, same payment, same answer", asked.re_serve, have.re_serves, MIN_ITEMS, weeks,
             volumes.again, lambda n: power.share_half_width(volumes.again, n), f"{MIN_ITEMS} re-serves"),
    ]  # fmt: skip


def _row(
    name: str, title: str, a_week: float, have: float, needed: float, weeks: int, value: float, width: Any, rule: str
) -> JSON:  # fmt: skip
    after = have + a_week * weeks
    found = width(after) if after >= needed else float("inf")
    return {
        "name": name,
        "title": title,
        "a_week": round(a_week, 1),
        "have": have,
        "needed": None if isinf(needed) else round(needed),
        "after": round(after),
        "value": value,
        "half_width": None if isinf(found) else found,
        "weeks_until": power.weeks_until(needed, have, a_week) if not isinf(needed) else None,
        "rule": rule,
    }


def _corrected(n: float, shares: Shares, asked: Work, volumes: Volumes, have: Evidence, weeks: int) -> float:
    frauds = have.golden_frauds + asked.golden * shares.fraud_share * weeks
    honest = have.golden_honest + asked.golden * (1 - shares.fraud_share) * weeks
    return power.corrected_rate_half_width(
        volumes.fraud_rate, n, volumes.recall, frauds, volumes.false_positive_rate, honest
    )


def _alpha_ac1(pairs: power.Pairs) -> tuple[float, float]:
    mixed = 2 * pairs.positive * (1 - pairs.positive)
    return 1 - pairs.differ / mixed, 1 - pairs.differ / (1 - mixed)


def _cost(asked: Work, now: Work, volumes: Volumes) -> JSON:
    hours = volumes.seconds / 3600
    return {
        "by_kind": {field.name: round(getattr(asked, field.name), 1) for field in fields(asked)},
        "reviews_a_week": round(asked.total, 1),
        "hours_a_week": round(asked.total * hours, 2),
        "in_force_reviews_a_week": round(now.total, 1),
        "in_force_hours_a_week": round(now.total * hours, 2),
        "answered_a_week": round(volumes.reviews, 1),
    }
