"""Is a person worth more than a guess on this payment, and what is answered meanwhile?

Precedence: block list > allow lane (up to its amount cap) > rule floors and model, strictest wins. Triage reads no
clock and no chance of its own: the day's load and the draws are passed in, so that every decision replays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.control import Widening
from engine.costs import (
    CapacityState,
    CutOffs,
    ExpectedCosts,
    capacity_price,
    cut_offs,
    expected_costs,
    without_reviews,
)
from engine.decision import Draws, Outcome, Results, RuleResult, Strangeness, Triage, TriageReason
from engine.policy import Policy
from engine.triage_words import reasons_of, sentence_of

__all__ = ["CapacityState", "Triaged", "triage"]

MOST_OF_A_KIND = 0.25
"""Where no model decides, the share of a day's reviews that what is strange in one and the same way may take."""


class Triaged(NamedTuple):
    """The answer. `explored` says a would-be decline was released on purpose; `thresholds` holds the probabilities
    `review_at` and `decline_at` in force for this amount and load."""

    outcome: Outcome
    triage: Triage
    reasons: tuple[str, ...]
    explored: bool
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything one triage looks at, worked out once. `costs` is None where no model ran."""

    probability: float | None
    amount_minor: int | None
    policy: Policy
    load: CapacityState
    draws: Draws
    novelty: float | None
    segment: str
    killed: bool
    capped: bool
    price: float
    cut: CutOffs
    costs: ExpectedCosts | None
    asking: tuple[RuleResult, ...]
    strange: Strangeness | None
    widening: Widening | None = None

    @property
    def full(self) -> bool:
        return math.isinf(self.price)

    @property
    def crowded(self) -> bool:
        """Whether enough was looked at today that was strange in the same way: fifty of a kind teach what five do."""
        if self.strange is None:
            return False
        most = max(1, int(MOST_OF_A_KIND * self.policy.capacity.reviews_per_day))
        return self.load.novel_today.get(self.strange.kind, 0) >= most

    @property
    def floor(self) -> Outcome:
        """What rules ask for, as far as the segment lets the engine answer so."""
        return self.allowed(max((rule.floor for rule in self.asking), default=Outcome.APPROVE))

    @property
    def fail_safe(self) -> Outcome:
        """What is answered where no model does. A policy may decline all then; while the kill switch is on, only people
        decline."""
        return min(self.policy.fail_safe, Outcome.REVIEW) if self.killed else self.policy.fail_safe

    def allowed(self, outcome: Outcome) -> Outcome:
        """The outcome within the segment's autonomy: only people decline in the loop, nobody looks where all is
        automatic. The kill switch outranks autonomy: people take over."""
        segment = self.policy.segment(self.segment)
        if outcome is Outcome.DECLINE and segment.autonomy == "in_the_loop":
            return Outcome.REVIEW
        if outcome is Outcome.REVIEW and segment.autonomy == "automatic" and not self.killed:
            return segment.on_timeout
        return outcome


def triage(
    probability: float | None,
    amount_minor: int | None,
    rule_results: Sequence[RuleResult],
    policy: Policy,
    *,
    load: CapacityState,
    draws: Draws,
    novelty: float | None = None,
    segment: str = "default",
    killed: bool = False,
    capped: bool = False,
    strange: Strangeness | None = None,
    widening: Widening | None = None,
) -> Triaged:
    """Answer one transaction.

    `probability` is the model's, in [0, 1], or None where no model ran (the policy's fail-safe outcome then stands in
    for the model). `amount_minor` is in minor units of the base currency, None where unknown. Only live rules count.
    `novelty` is in [0, 1]. `killed` is the kill switch: the model is not asked, nothing but a block list declines,
    rules are reviewed up to capacity, beyond it the fail-safe outcome (a review, where that is to decline). `capped` is
    the breaker's cap on the model: what it would decline is reviewed. `policy` is that of the `segment`. `strange` says
    in what the payment is novel, where no model ran; at most a quarter of a day's reviews are strange in one way.
    `widening` is in force where the segment's inputs have drifted. ValueError if the probability is no probability.
    """
    if probability is not None and not 0.0 <= probability <= 1.0:
        raise ValueError(f"a probability must lie in [0, 1], not {probability!r}")
    results = Results.of(rule_results)
    if probability is not None and not killed and strange is None and widening is None:
        plain = _plain_approval(probability, amount_minor, results, policy, load, draws, novelty, segment)
        if plain is not None:
            return plain
    given = None if killed else probability
    now = _situation(
        given, amount_minor, results, policy, load, draws, novelty, segment, killed, capped, strange
    )
    if widening is not None:
        now = replace(now, widening=widening)
    thresholds = {"review_at": now.cut.review_at, "decline_at": now.cut.decline_at}
    blocking = results.blocking
    allowing = tuple(r for r in results.allowing if _allows(r, amount_minor))
    if blocking or allowing:
        now, explored = replace(now, asking=blocking or allowing), False
        made = _listed_answer(now) if blocking else (Outcome.APPROVE, TriageReason.NONE, "")
    else:
        made = _answer(now)
        explored = _explores(now, made[0])
    outcome = Outcome.APPROVE if explored else made[0]
    result = _triage_record(now, outcome, made[1], made[2], explored)
    return Triaged(outcome, result, reasons_of(now, made[0], explored), explored, thresholds)


def _plain_approval(
    probability: float,
    amount_minor: int | None,
    results: Results,
    policy: Policy,
    load: CapacityState,
    draws: Draws,
    novelty: float | None,
    segment: str,
) -> Triaged | None:
    """What nearly every payment gets, by a short way; None where there is more to say. A test holds both ways equal."""
    if results.asking or results.blocking or results.allowing or draws.audited:
        return None
    if policy.segment(segment).autonomy == "automatic":
        return None
    price = capacity_price(policy, load)
    cut = cut_offs(amount_minor, policy, price)
    if probability >= cut.review_at:
        return None
    full = math.isinf(price)
    if not full and amount_minor is not None and amount_minor >= policy.high_amount_minor:
        return None
    if price == 0.0:
        if novelty is not None and novelty >= policy.novelty_at:
            return None
    else:
        quiet = cut_offs(amount_minor, policy)
        if quiet.review_at <= probability < quiet.decline_at:
            return None  # a sentence tells that it was crowded out
    costs = expected_costs(probability, amount_minor, policy)
    shown = Triage(TriageReason.NONE, "", "", *costs, -1.0 if full else price)
    thresholds = {"review_at": cut.review_at, "decline_at": cut.decline_at}
    return Triaged(Outcome.APPROVE, shown, (), False, thresholds)


def _situation(
    probability: float | None,
    amount_minor: int | None,
    results: Results,
    policy: Policy,
    load: CapacityState,
    draws: Draws,
    novelty: float | None,
    segment: str,
    killed: bool,
    capped: bool,
    strange: Strangeness | None,
) -> Situation:
    price = capacity_price(policy, load)
    automatic = policy.segment(segment).autonomy == "automatic"
    cut = without_reviews(amount_minor, policy) if automatic else cut_offs(amount_minor, policy, price)
    costs = None if probability is None else expected_costs(probability, amount_minor, policy)
    return Situation(
        probability,
        amount_minor,
        policy,
        load,
        draws,
        novelty,
        segment,
        killed,
        capped,
        price,
        cut,
        costs,
        results.asking,
        strange,
    )


def _allows(rule: RuleResult, amount_minor: int | None) -> bool:
    if rule.amount_cap_minor is None:
        return True
    return amount_minor is not None and amount_minor <= rule.amount_cap_minor


def _listed_answer(now: Situation) -> tuple[Outcome, TriageReason, str]:
    """A block list declines, but where only people may."""
    outcome = now.allowed(Outcome.DECLINE)
    if outcome is Outcome.REVIEW:
        return outcome, TriageReason.RULE_ASKS, _rule_lane(now)
    return outcome, TriageReason.NONE, ""


def _answer(now: Situation) -> tuple[Outcome, TriageReason, str]:
    """The outcome before exploration, why a person should look, and in which lane."""
    if now.killed:
        return _killed_answer(now)
    model = _model_outcome(now)
    outcome = max(model, now.floor)
    if outcome is Outcome.REVIEW:
        return outcome, *_why(now, model)
    if outcome is Outcome.DECLINE:
        return outcome, TriageReason.NONE, ""
    extra = _extra_reason(now)
    if extra is TriageReason.NONE:
        return outcome, extra, ""
    return Outcome.REVIEW, extra, "money_at_risk" if extra is TriageReason.HIGH_AMOUNT else "uncertain"


def _killed_answer(now: Situation) -> tuple[Outcome, TriageReason, str]:
    if now.floor is Outcome.APPROVE or now.full:
        return now.fail_safe, TriageReason.FAIL_SAFE, "money_at_risk"
    return Outcome.REVIEW, TriageReason.RULE_ASKS, _rule_lane(now)


def _model_outcome(now: Situation) -> Outcome:
    if now.probability is None:
        return now.allowed(now.fail_safe)
    if now.probability < now.cut.review_at:
        return Outcome.APPROVE
    if now.probability < now.cut.decline_at:
        return now.allowed(Outcome.REVIEW)
    return now.allowed(Outcome.REVIEW if now.capped else Outcome.DECLINE)


def _why(now: Situation, model: Outcome) -> tuple[TriageReason, str]:
    if now.floor is not Outcome.REVIEW:
        if now.probability is None:
            return TriageReason.FAIL_SAFE, "money_at_risk"
        return TriageReason.UNCERTAIN, _model_lane(now)
    doubted = now.probability is not None and model is Outcome.APPROVE
    if doubted and now.probability < now.policy.disagree_below * now.cut.review_at:  # type: ignore[operator]
        return TriageReason.DISAGREE, _rule_lane(now, "uncertain")
    return TriageReason.RULE_ASKS, _rule_lane(now)


def _model_lane(now: Situation) -> str:
    at_risk = min(now.costs.approve, now.costs.decline) if now.costs else math.inf
    return "money_at_risk" if at_risk >= now.policy.money_at_risk_from_minor else "uncertain"


def _rule_lane(now: Situation, default: str = "money_at_risk") -> str:
    return next((r.lane for r in now.asking if r.lane), default)


def _extra_reason(now: Situation) -> TriageReason:
    """A reason to look at a payment that both model and rules would approve; never beyond capacity."""
    if now.full or now.policy.segment(now.segment).autonomy == "automatic":
        return TriageReason.NONE
    if now.amount_minor is not None and now.amount_minor >= now.policy.high_amount_minor:
        return TriageReason.HIGH_AMOUNT
    # What is merely new gives way to what is likely or dear as soon as reviews have a price.
    if now.price == 0.0 and _widened(now):
        return TriageReason.DRIFT
    novel = now.novelty is not None and now.novelty >= now.policy.novelty_at
    if now.price == 0.0 and novel and not now.crowded:
        return TriageReason.NOVEL
    return TriageReason.NONE


def _widened(now: Situation) -> bool:
    """Whether it is looked at only because the inputs of its segment have drifted."""
    wide = now.widening
    if wide is None or now.probability is None or now.load.drift_today >= wide.most:
        return False
    worth_it = now.cut.review_at < now.cut.decline_at  # else no review ever is, at this amount
    return worth_it and now.probability >= wide.factor * now.cut.review_at


def _explores(now: Situation, outcome: Outcome) -> bool:
    caps, amount = now.policy.sampling.exploration, now.amount_minor
    if outcome is not Outcome.DECLINE or amount is None or now.killed:
        return False
    if now.load.explored_today >= caps.max_per_day or amount > caps.max_amount_minor:
        return False
    if now.load.explored_amount_today_minor + amount > caps.max_amount_per_day_minor:
        return False
    return now.draws.explore < now.draws.explore_probability


def _triage_record(
    now: Situation, outcome: Outcome, reason: TriageReason, lane: str, explored: bool
) -> Triage:
    if outcome is not Outcome.REVIEW:
        reason, lane = (TriageReason.AUDIT, "audit") if now.draws.audited else (TriageReason.NONE, "")
    costs = now.costs or ExpectedCosts(0.0, 0.0, 0.0)
    return Triage(
        reason=reason,
        lane=lane,
        sentence=sentence_of(now, outcome, reason, explored),
        cost_approve=costs.approve,
        cost_decline=costs.decline,
        cost_review=costs.review,
        # At full capacity the price is infinite, which JSON cannot hold: -1 stands for "no review left today".
        capacity_price=-1.0 if now.full else now.price,
    )
