"""What would other cut-offs or other costs have meant for the payments that were decided?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
import scipy

from casework.app import App
from casework.settings import policy_text
from casework.settings.previews import SECONDS_A_CASE
from casework.settings.tuner_history import SEGMENT, PastPayments, past_payments
from data.errors import InputError
from engine.costs import solved_cut_offs
from engine.decision import Outcome
from engine.policy import DEFAULT_SEGMENT, Policy
from engine.units import money, percent
from engine.what_if.tuner import (
    Best,
    Estimate,
    Setting,
    as_answered,
    best,
    cheapest,
    cheapest_outcomes,
    saving,
    setting,
    settings,
)

JSON = dict[str, Any]
POINTS = 48
LEAST_EXPECTED = 5.0  # expected frauds below which nothing is said about calibration
_COSTS = ("missed_fraud_share", "good_declined_minor", "review_minor")
INTERVALS = (
    "Intervals are 95 %. Work a day: the mean over days like these. Money and customers: what another period of this "
    "length may bring if days stay alike and probabilities are right on average. Savings: day by day on the same "
    "payments."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: two cut-offs, or other costs and capacity than the policy's (money in minor units), and by which
    attribute the figures are to be split (`segment` for the policy's own). None and '' leave things as they are."""

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
    curves: bool = False,
) -> JSON:
    """The present setting, the one asked for, the best pair of cut-offs and the cheapest answer at each amount, each
    over the same past payments. Those decided without a model are left out and counted.

    `with_rules` keeps what live rules asked for then as a floor, so that reviews are not promised away. All are priced
    at the costs asked for. `curves` adds what moving either cut-off alone would do.
    """
    rules_and_policy = app.settings()
    policy = rules_and_policy.segments.policy(
        DEFAULT_SEGMENT
    )  # its own cut-offs and costs, where it has some
    past = past_payments(app, rules_and_policy, since, until, wanted.by, at, with_rules=with_rules)
    whole = _other_costs(policy, wanted)
    asked, history = _left_for_these(whole, past), past.history
    if not len(history):
        raise InputError(
            "no decision of this period has a probability", where="since", hint="Train a model first."
        )
    marked = best(history, asked)
    cuts = _asked_cuts(wanted, marked)
    found = _settings(past, wanted, cuts, marked, policy, asked)
    now = found["current"]
    told = found["asked"] or found["best_within_capacity"]
    answer: JSON = {
        "currency": policy.currency,
        "attributes": [SEGMENT, *(f.name for f in app.ledger.fields if f.role == "attribute")],
        "with_rules": with_rules,
        **_about(past, now, whole),
        **{name: _row(each, now) if each else None for name, each in found.items()},
        "calibration": calibration(past),
        "intervals": INTERVALS,
        "finding": _finding(now, told, policy.currency),
        "proposal": policy_text.proposal(
            rules_and_policy.files["policy.yaml"], _as_priced(wanted, cuts), policy
        ),
    }
    answer["current"]["solve"] = policy.thresholds.solve
    if curves:
        answer["curves"] = _curves(past, cuts, asked, now, astuple(marked))
    if wanted.by:
        answer["segments"] = _by_segment(past, cuts, asked, policy)
    return answer


def _asked_cuts(wanted: Wanted, marked: Best) -> tuple[float, float]:
    """The cut-offs asked for; what is left out is that of the best pair."""
    low = marked.review_at if wanted.review_at is None else wanted.review_at
    high = marked.decline_at if wanted.decline_at is None else wanted.decline_at
    if not 0.0 <= low <= high <= 1.0:
        what = f"review_at is {low:.4g} and decline_at {high:.4g}"
        raise InputError(what, where="review_at", allowed="0 <= review_at <= decline_at <= 1")
    return low, high


def _as_priced(wanted: Wanted, cuts: tuple[float, float]) -> Wanted:
    """What is asked with both cut-offs that were priced for it, so that what is proposed is what was shown."""
    chosen = wanted.review_at is not None or wanted.decline_at is not None
    return replace(wanted, review_at=cuts[0], decline_at=cuts[1]) if chosen else wanted


def _settings(
    past: PastPayments,
    wanted: Wanted,
    cuts: tuple[float, float],
    marked: Best,
    policy: Policy,
    asked: Policy,
) -> dict[str, Any]:
    """Every setting that is set side by side, by name; `asked` is None where no cut-off was asked for."""
    history = past.history
    chosen = wanted.review_at is not None or wanted.decline_at is not None
    return {
        "current": _current(past, policy, asked),
        "decided": as_answered(history, past.outcome, asked, seconds_a_case=SECONDS_A_CASE),
        "asked": setting(history, *cuts, asked) if chosen else None,
        "best": setting(history, marked.review_at, marked.decline_at, asked),
        "best_within_capacity": setting(history, marked.within_review_at, marked.within_decline_at, asked),
        "cheapest_by_amount": cheapest(history, asked),
    }


def _about(past: PastPayments, now: Setting, asked: Policy) -> JSON:
    """What was counted, at which costs."""
    return {
        "since": past.when.since,
        "until": past.when.until,
        "as_of": past.as_of,
        "decisions": len(past.history),
        "days": now.days,
        "without_probability": past.left_out,
        "elsewhere": {"payments": past.elsewhere, "cases_a_day": past.reviewed_elsewhere},
        "seconds_a_case": SECONDS_A_CASE,
        "costs": {name: getattr(asked.costs, name) for name in _COSTS},
        "capacity": asked.capacity.reviews_per_day,
        "amount_minor": _usual_amounts(past, asked),
    }


def _other_costs(policy: Policy, wanted: Wanted) -> Policy:
    given = {f.name: getattr(wanted, f.name) for f in fields(wanted) if getattr(wanted, f.name) is not None}
    costs = {name: given[name] for name in _COSTS if name in given}
    capacity = {name: given[name] for name in ("reviews_per_day",) if name in given}
    return replace(
        policy, costs=replace(policy.costs, **costs), capacity=replace(policy.capacity, **capacity)
    )


def _left_for_these(policy: Policy, past: PastPayments) -> Policy:
    """The policy with what the payments that other settings decide leave of the capacity: the same people review."""
    left = max(policy.capacity.reviews_per_day - past.reviewed_elsewhere, 0.0)
    return replace(policy, capacity=replace(policy.capacity, reviews_per_day=int(left)))


def _current(past: PastPayments, policy: Policy, asked: Policy) -> Setting:
    """The policy's own answers, leaving out the price that a crowded day puts on reviews, at the costs asked for."""
    at, history = policy.thresholds, past.history
    if not at.solve:
        return setting(history, at.review_at, at.decline_at, asked, seconds_a_case=SECONDS_A_CASE)
    outcome = cheapest_outcomes(history, policy)
    return as_answered(history, outcome, asked, seconds_a_case=SECONDS_A_CASE)


def _usual_amounts(past: PastPayments, policy: Policy) -> list[JSON]:
    """The cut-offs that follow from the costs at small, usual and large amounts."""
    quantiles = np.quantile(past.history.amount_minor, (0.1, 0.5, 0.9, 0.99))
    found = []
    for share, amount in zip((0.1, 0.5, 0.9, 0.99), quantiles.astype(int).tolist(), strict=True):
        cut = solved_cut_offs(amount, policy)
        found.append(
            {
                "quantile": share,
                "amount_minor": amount,
                "review_at": cut.review_at,
                "decline_at": cut.decline_at,
            }
        )
    return found


def calibration(past: PastPayments) -> JSON:
    """Whether probabilities were right on average: frauds found against frauds expected, among payments whose truth
    is known whichever it is. The ratio's interval is the exact one of a Poisson count (Garwood 1936)."""
    judged = past.settled & (
        past.outcome == Outcome.APPROVE
    )  # what a reviewer let go was chosen by its truth
    expected = float(past.history.probability[judged].sum())
    seen = int((past.history.fraud[judged] == 1).sum())
    found: JSON = {"payments": int(judged.sum()), "expected": expected, "frauds": seen, "ratio": None}
    if expected < LEAST_EXPECTED:
        young = len(past.history) - int(judged.sum())
        sentence = (
            f"Too few payments have matured to hold the probabilities against what happened: {expected:.1f} frauds "
            f"expected among {found['payments']:,}; {young:,} are too young, or were stopped."
        )
        return {**found, "sentence": sentence}
    low = scipy.stats.chi2.ppf(0.025, 2 * seen) / 2 if seen else 0.0
    ratio = Estimate(
        *(each / expected for each in (seen, low, scipy.stats.chi2.ppf(0.975, 2 * seen + 2) / 2))
    )
    verdict = "which chance explains"
    if ratio.low > 1:
        verdict = "so expected losses are told too low"
    elif ratio.high < 1:
        verdict = "so expected losses are told too high"
    sentence = (
        f"Among {found['payments']:,} approved payments that have matured, {seen:,} were fraud and {expected:.1f} "
        f"were expected: {ratio.value:.2f} times as many [{ratio.low:.2f}, {ratio.high:.2f}], {verdict}."
    )
    return {**found, "ratio": ratio._asdict(), "sentence": sentence}


def _finding(now: Setting, told: Setting, currency: str) -> str:
    """What the setting asked for (or the best one within capacity) would save, in a sentence."""
    saved = saving(now, told)
    at = f"Reviewing from {percent(told.review_at or 0.0)} and declining from {percent(told.decline_at or 0.0)}"
    amount = money(abs(saved.value), currency)
    low, high = sorted(map(abs, saved[1:])) if saved.low > 0 or saved.high < 0 else saved[1:]
    between = f"95 %: {money(low, currency)} to {money(high, currency)}"
    if saved.low > 0 or saved.high < 0:
        word = "less" if saved.value > 0 else "more"
        return f"{at} costs {amount} {word} than the present setting over {now.days} days ({between})."
    return f"{at} costs about as much as the present setting over {now.days} days (saves {between})."


def _curves(
    past: PastPayments, cuts: tuple[float, float], asked: Policy, now: Setting, also: Sequence[float]
) -> JSON:
    """What each cut-off does by itself, the other staying where it was asked for (and moving along where it must)."""
    low, high = cuts
    least = max(float(np.quantile(past.history.probability, 0.75)), 1e-6)
    spread = np.geomspace(least, 1.0, POINTS).tolist()
    marks = [low, high, *also, *(at for at in (now.review_at, now.decline_at) if at is not None)]
    points = sorted({*spread, *(mark for mark in marks if mark > 0)})
    moved = {
        "review_at": [(point, max(point, high)) for point in points],
        "decline_at": [(min(low, point), point) for point in points],
    }
    return {
        name: [
            _point(at, each)
            for at, each in zip(
                points, settings(past.history, pairs, asked, seconds_a_case=SECONDS_A_CASE), strict=True
            )
        ]
        for name, pairs in moved.items()
    }


def _point(at: float, found: Setting) -> JSON:
    names = ("expected_cost", "expected_loss", "good_declined", "cases_a_day")
    return {"at": at, **{name: getattr(found, name)._asdict() for name in names}}


def _by_segment(past: PastPayments, cuts: tuple[float, float], asked: Policy, policy: Policy) -> list[JSON]:
    """The largest segments, each under the present setting and under the cut-offs asked for (or the best)."""
    found = []
    for name, part, chosen in past.parts:
        some = replace(past, history=part, outcome=past.outcome[chosen])
        now = _current(some, policy, asked)
        moved = setting(part, *cuts, asked, seconds_a_case=SECONDS_A_CASE)
        found.append(
            {
                "value": name,
                "decisions": len(part),
                "current": _row(now, now),
                "decided": _row(as_answered(part, some.outcome, asked, seconds_a_case=SECONDS_A_CASE), now),
                "asked": _row(moved, now),
            }
        )
    return found


def _row(found: Setting, now: Setting) -> JSON:
    """A setting as JSON, with what it saves against the present one."""
    row: JSON = {}
    for each in fields(found):
        value = getattr(found, each.name)
        if each.name != "daily_cost":
            row[each.name] = value._asdict() if isinstance(value, Estimate) else value
    row["breaches_capacity"] = found.breaches_capacity
    row["saves"] = saving(now, found)._asdict()
    return row
