"""How is a triage told in plain words, with its numbers?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.costs import cut_offs
from engine.decision import Outcome, TriageReason
from engine.units import money, percent

if TYPE_CHECKING:
    from engine.triage import Situation


def reasons_of(now: Situation, would_be: Outcome, explored: bool) -> tuple[str, ...]:
    """The reasons for the answer, strictest rule first, then the model's, then what was done on purpose."""
    asked = sorted(now.asking, key=lambda rule: -rule.floor)
    reasons = [rule.reason for rule in asked if rule.reason]
    if now.strange is not None and would_be is Outcome.REVIEW:
        reasons.extend(f"unusual: {each}" for each in now.strange.words)
    if now.probability is None:
        reasons.append(_no_model(now))
    elif now.probability >= now.cut.decline_at and would_be is not Outcome.APPROVE:
        reasons.append(f"{_chance(now)}, above the {percent(now.cut.decline_at)} from which it declines")
    elif now.probability >= now.cut.review_at and would_be is not Outcome.APPROVE:
        reasons.append(f"{_chance(now)}, above the {percent(now.cut.review_at)} from which a person looks")
    if explored:
        reasons.append("released on purpose to learn whether declining was right")
    return tuple(reasons)


def sentence_of(now: Situation, outcome: Outcome, reason: TriageReason, explored: bool) -> str:
    """One or two sentences that say why a person should look, or what was done without one."""
    if explored:
        share = percent(now.draws.explore_probability)
        text = (
            f"Declining was the answer; {share} of such payments are released at random to learn from them."
        )
        return f"{text} {_audit(now)}" if reason is TriageReason.AUDIT else text
    if reason is TriageReason.NONE:
        return (
            _crowded_out(now, outcome) if now.probability is not None else f"{_no_model(now).capitalize()}."
        )
    if reason is TriageReason.AUDIT:
        return _audit(now)
    return _SENTENCES[reason](now)


def _crowded_out(now: Situation, outcome: Outcome) -> str:
    """Why nobody looks at what would have been looked at on a quiet day; '' where the price of a review changed
    nothing."""
    if now.price <= 0.0 or now.asking or now.probability is None:
        return ""
    quiet = cut_offs(now.amount_minor, now.policy)
    if not quiet.review_at <= now.probability < quiet.decline_at:
        return ""
    used, capacity = now.load.reviews_today, now.policy.capacity.reviews_per_day
    answer = "Approved" if outcome is Outcome.APPROVE else "Declined"
    if now.full:
        return f"{answer} without a review, because today's {capacity} reviews are used up."
    price = money(now.price, now.policy.currency)
    return (
        f"{answer} without a review, which would cost {price} more than usual because {used} of today's {capacity} "
        "are used."
    )


def _audit(now: Situation) -> str:
    share = percent(now.draws.audit_probability)
    return f"Drawn at random: {share} of all decisions are looked at, and the answer does not depend on it."


def _uncertain(now: Situation) -> str:
    if now.probability is not None and now.probability >= now.cut.decline_at:
        if now.capped:
            return f"{_chance(now)}. It would decline, but the breaker lets only a person decline at present."
        return f"{_chance(now)}. It would decline, and here only a person may decline."
    return f"{_chance(now)} for {_amount(now)}: {_costs(now)}."


def _rule_asks(now: Situation) -> str:
    rule = max(now.asking, key=lambda r: r.floor)
    model = f" {_chance(now)}." if now.probability is not None else ""
    full = " Today's review capacity is used up." if now.full else ""
    return f"A rule asks for a person: {rule.reason.rstrip('.')}.{model}{full}"


def _disagree(now: Situation) -> str:
    rule = max(now.asking, key=lambda r: r.floor)
    assert now.probability is not None
    return (
        f"Rule and model disagree. The rule says: {rule.reason.rstrip('.')}. "
        f"The model puts the chance of fraud at only {percent(now.probability)}."
    )


def _novel(now: Situation) -> str:
    if now.strange is None:
        return f"Nothing like this payment was seen in training (novelty {now.novelty:.2f}). {_chance(now)}."
    return (
        "No model decides yet, so what is least like the rest is looked at to learn from it. "
        f"Unusual here: {'; '.join(now.strange.words)}."
    )


def _drift(now: Situation) -> str:
    assert now.widening is not None
    usual, wide = percent(now.cut.review_at), percent(now.widening.factor * now.cut.review_at)
    return f"{now.widening.why} So a person looks from {wide} on instead of {usual}. {_chance(now)}."


def _high_amount(now: Situation) -> str:
    limit = money(now.policy.high_amount_minor, now.policy.currency)
    return f"{_amount(now)} is at or above {limit}, from which a person always looks. {_chance(now)}."


def _fail_safe(now: Situation) -> str:
    return f"{_no_model(now).capitalize()}."


_SENTENCES = {
    TriageReason.UNCERTAIN: _uncertain,
    TriageReason.RULE_ASKS: _rule_asks,
    TriageReason.DISAGREE: _disagree,
    TriageReason.NOVEL: _novel,
    TriageReason.HIGH_AMOUNT: _high_amount,
    TriageReason.DRIFT: _drift,
    TriageReason.FAIL_SAFE: _fail_safe,
}


def _chance(now: Situation) -> str:
    if now.probability is None:
        return "No model ran"
    return f"The model puts the chance of fraud at {percent(now.probability)}"


def _no_model(now: Situation) -> str:
    why = "the kill switch is on" if now.killed else "no model ran"
    return f"{why}, so the fail-safe answer is {now.fail_safe.word} where no rule asks for more"


def _amount(now: Situation) -> str:
    minor = now.amount_minor
    return "an unknown amount" if minor is None else money(minor, now.policy.currency)


def _costs(now: Situation) -> str:
    assert now.costs is not None
    currency = now.policy.currency
    approve, decline, review = (money(cost, currency) for cost in now.costs)
    text = f"approving would cost {approve} on average, declining {decline}, a review {review}"
    if now.full or now.price <= 0:
        return text
    used, capacity = now.load.reviews_today, now.policy.capacity.reviews_per_day
    return f"{text}, plus {money(now.price, currency)} because {used} of today's {capacity} reviews are used"
