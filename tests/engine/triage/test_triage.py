"""Does triage answer by expected cost, strictest first, within capacity and caps, and say why?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.costs import capacity_price, cut_offs, expected_costs
from engine.decision import Draws, Outcome, RuleResult, RuleState, TriageReason
from engine.policy import Policy, Thresholds, load_policy
from engine.triage import CapacityState, Triaged, triage

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes(), "policy.yaml")
FREE = CapacityState()
FULL = CapacityState(reviews_today=POLICY.capacity.reviews_per_day)
EXPLORING = Draws(explore=0.0, explore_probability=0.05)


def rule(floor: Outcome = Outcome.REVIEW, **changes: Any) -> RuleResult:
    return replace(
        RuleResult("r1", 1, RuleState.HIT, floor=floor, reason="three cards on one device"), **changes
    )


def block() -> RuleResult:
    return rule(Outcome.DECLINE, effect="block", reason="the device is on the block list")


def lane(cap: int | None = None) -> RuleResult:
    return rule(Outcome.APPROVE, effect="allow", amount_cap_minor=cap, reason="the customer is trusted")


def answer(
    probability: float | None,
    amount: int | None = 6000,
    *rules: RuleResult,
    policy: Policy = POLICY,
    load: CapacityState = FREE,
    draws: Draws | None = None,
    **more: Any,
) -> Triaged:
    return triage(probability, amount, rules, policy, load=load, draws=draws or Draws(), **more)


probabilities = st.floats(0.0, 1.0)
amounts = st.one_of(st.none(), st.integers(0, 149_999))
floors = st.lists(st.sampled_from(list(Outcome)), max_size=4).map(lambda fs: [rule(f) for f in fs])
loads = st.integers(0, 70).map(lambda n: CapacityState(reviews_today=n))
autonomies = st.sampled_from(["in_the_loop", "on_the_loop", "automatic"])


def with_autonomy(word: str) -> Policy:
    return replace(POLICY, segments={"default": replace(POLICY.segment(), autonomy=word)})


@given(probabilities, amounts, floors, loads)
def test_the_strictest_of_rules_and_model_wins(
    p: float, amount: int, rules: list[RuleResult], load: Any
) -> None:
    alone = answer(p, amount, load=load).outcome
    strictest = max([alone, *(r.floor for r in rules)])
    assert answer(p, amount, *rules, load=load).outcome is strictest


@given(probabilities, probabilities, amounts, floors, loads, autonomies)
def test_a_higher_probability_never_gets_a_milder_answer(
    p: float, q: float, amount: int, rules: list[RuleResult], load: Any, autonomy: str
) -> None:
    low, high = sorted((p, q))
    policy = with_autonomy(autonomy)
    mild = answer(low, amount, *rules, load=load, policy=policy).outcome
    assert mild <= answer(high, amount, *rules, load=load, policy=policy).outcome


@given(probabilities, amounts, loads)
def test_the_answer_has_the_lowest_expected_cost(p: float, amount: int, load: Any) -> None:
    costs, price = expected_costs(p, amount, POLICY), capacity_price(POLICY, load)
    by_outcome = {
        Outcome.APPROVE: costs.approve,
        Outcome.REVIEW: costs.review + price,
        Outcome.DECLINE: costs.decline,
    }
    chosen = by_outcome[answer(p, amount, load=load).outcome]
    assert chosen <= min(by_outcome.values()) + 1e-6


@given(amounts, loads)
def test_the_cut_offs_are_where_two_answers_cost_the_same(amount: int, load: Any) -> None:
    price = capacity_price(POLICY, load)
    cut = cut_offs(amount, POLICY, price)
    if cut.review_at < cut.decline_at:
        at_review, at_decline = (expected_costs(p, amount, POLICY) for p in cut)
        assert at_review.approve == pytest.approx(at_review.review + price, rel=1e-9, abs=1e-6)
        assert at_decline.decline == pytest.approx(at_decline.review + price, rel=1e-9, abs=1e-6)
    else:
        between = expected_costs(cut.review_at, amount, POLICY)
        assert between.approve == pytest.approx(between.decline, rel=1e-9, abs=1e-6)


@given(st.integers(0, 80), st.integers(0, 80))
def test_a_review_never_gets_cheaper_as_the_day_fills(a: int, b: int) -> None:
    less, more = sorted((a, b))
    price = [capacity_price(POLICY, CapacityState(reviews_today=n)) for n in (less, more)]
    assert 0 <= price[0] <= price[1]


@given(probabilities, amounts)
def test_at_full_capacity_the_model_sends_nothing_to_review(p: float, amount: int) -> None:
    answered = answer(p, amount, load=FULL, novelty=1.0)
    assert answered.outcome is not Outcome.REVIEW
    assert answered.triage.capacity_price == -1.0


def test_the_price_rises_from_the_stated_share_of_capacity_on() -> None:
    assert capacity_price(POLICY, CapacityState(reviews_today=36)) == 0
    assert capacity_price(POLICY, CapacityState(reviews_today=48)) == pytest.approx(100)
    assert capacity_price(POLICY, CapacityState(reviews_today=54)) == pytest.approx(300)
    none = replace(POLICY, capacity=replace(POLICY.capacity, reviews_per_day=0))
    assert answer(0.2, policy=none).outcome is not Outcome.REVIEW


def test_a_block_list_beats_an_allow_lane_and_an_allow_lane_beats_rules_and_model() -> None:
    assert answer(0.0, 100, block(), lane()).outcome is Outcome.DECLINE
    allowed = answer(0.99, 100, lane(), rule(Outcome.DECLINE))
    assert allowed.outcome is Outcome.APPROVE
    assert allowed.reasons == ("the customer is trusted",)


def test_an_allow_lane_ends_at_its_amount_cap() -> None:
    assert answer(0.99, 5000, lane(5000)).outcome is Outcome.APPROVE
    assert answer(0.99, 5001, lane(5000)).outcome is Outcome.DECLINE
    assert answer(0.99, None, lane(5000)).outcome is Outcome.DECLINE


def test_a_block_list_hit_is_never_released_on_purpose() -> None:
    answered = answer(0.99, 1000, block(), draws=EXPLORING)
    assert (answered.outcome, answered.explored) == (Outcome.DECLINE, False)


def test_shadow_rules_are_not_obeyed() -> None:
    shadows = [replace(r, status="shadow") for r in (rule(Outcome.DECLINE), block(), lane())]
    assert answer(0.001, 6000, *shadows) == answer(0.001, 6000)


def test_a_rule_in_error_or_missing_asks_by_its_on_missing() -> None:
    for state in (RuleState.MISSING, RuleState.ERROR):
        assert answer(0.001, 6000, rule(Outcome.REVIEW, state=state)).outcome is Outcome.REVIEW
        assert answer(0.001, 6000, rule(Outcome.APPROVE, state=state)).outcome is Outcome.APPROVE
    assert answer(0.001, 6000, rule(Outcome.REVIEW, state=RuleState.NO_HIT)).outcome is Outcome.APPROVE


@given(st.integers(0, 30_000), st.integers(0, 6), st.integers(0, 40_000), st.floats(0, 0.99))
def test_exploration_keeps_to_its_caps(amount: int, released: int, spent: int, drawn: float) -> None:
    caps = POLICY.sampling.exploration
    load = CapacityState(explored_today=released, explored_amount_today_minor=spent)
    draws = Draws(explore=drawn, explore_probability=caps.share)
    answered = answer(1.0, amount, rule(Outcome.DECLINE), load=load, draws=draws)
    allowed = (
        released < caps.max_per_day
        and amount <= caps.max_amount_minor
        and spent + amount <= caps.max_amount_per_day_minor
        and drawn < caps.share
    )
    assert answered.explored is allowed
    assert answered.outcome is (Outcome.APPROVE if allowed else Outcome.DECLINE)


def test_an_explored_release_says_so() -> None:
    answered = answer(0.99, 1000, draws=EXPLORING)
    assert answered.explored
    assert answered.triage.sentence == (
        "Declining was the answer; 5 % of such payments are released at random to learn from them."
    )
    assert answered.reasons[-1] == "released on purpose to learn whether declining was right"


@settings(max_examples=50)
@given(
    st.one_of(probabilities, st.floats(0.0, 0.05)),
    st.one_of(amounts, st.integers(POLICY.high_amount_minor - 2, POLICY.high_amount_minor + 2)),
    loads,
    st.one_of(st.none(), st.floats(0.0, 1.0)),
    st.floats(0.0, 0.2),
    st.booleans(),
    autonomies,
)
def test_the_short_way_for_plain_approvals_answers_as_the_long_one(
    p: float, amount: int, load: Any, novelty: float | None, drawn: float, solve: bool, autonomy: str
) -> None:
    policy = replace(with_autonomy(autonomy), thresholds=replace(POLICY.thresholds, solve=solve))
    told = {"policy": policy, "load": load, "novelty": novelty, "draws": Draws(drawn, 0.1, 1.0, 0.05)}
    # An allow lane for less than nothing allows nothing, but has to be looked at.
    assert answer(p, amount, **told) == answer(p, amount, lane(cap=-1), **told)


@given(st.one_of(st.none(), probabilities), amounts, floors, loads)
def test_an_audit_draw_never_changes_the_answer(
    p: float, amount: int, rules: list[RuleResult], load: Any
) -> None:
    drawn = Draws(audit=0.0, audit_probability=0.01)
    plain, audited = answer(p, amount, *rules, load=load), answer(p, amount, *rules, load=load, draws=drawn)
    assert plain.outcome is audited.outcome
    if audited.outcome is not Outcome.REVIEW:
        assert (audited.triage.reason, audited.triage.lane) == (TriageReason.AUDIT, "audit")
        assert audited.triage.sentence.startswith("Drawn at random: 1 % of all decisions")


def test_an_uncertain_payment_is_told_with_its_costs() -> None:
    answered = answer(0.2, 6000)
    assert (answered.outcome, answered.triage.reason) == (Outcome.REVIEW, TriageReason.UNCERTAIN)
    assert answered.triage.sentence == (
        "The model puts the chance of fraud at 20 % for 60.00 EUR: approving would cost 12.00 EUR on average, "
        "declining 24.00 EUR, a review 10.48 EUR."
    )
    assert answered.triage.lane == "money_at_risk"
    assert answered.thresholds["review_at"] == pytest.approx(5.2 / 33.6)
    assert answered.reasons[0].startswith("The model puts the chance of fraud at 20 %")


def test_a_busy_day_is_named_in_the_sentence() -> None:
    said = answer(0.2, 9000, load=CapacityState(reviews_today=48)).triage.sentence
    assert said.endswith("plus 1.00 EUR because 48 of today's 60 reviews are used.")


def test_a_rule_that_asks_is_told_with_its_reason() -> None:
    answered = answer(0.09, 6000, rule())
    assert answered.triage.reason is TriageReason.RULE_ASKS
    assert answered.triage.sentence == (
        "A rule asks for a person: three cards on one device. The model puts the chance of fraud at 9 %."
    )
    full = answer(0.09, 6000, rule(), load=FULL)
    assert full.outcome is Outcome.REVIEW
    assert full.triage.sentence.endswith("Today's review capacity is used up.")


def test_a_rule_may_name_the_lane() -> None:
    assert answer(0.09, 6000, rule(lane="uncertain")).triage.lane == "uncertain"
    assert answer(0.09, 6000, rule()).triage.lane == "money_at_risk"


def test_a_rule_against_a_confident_model_is_a_disagreement() -> None:
    answered = answer(0.001, 6000, rule())
    assert (answered.triage.reason, answered.triage.lane) == (TriageReason.DISAGREE, "uncertain")
    assert "at only 0.1 %" in answered.triage.sentence


def test_a_high_amount_is_looked_at_while_there_is_capacity() -> None:
    answered = answer(0.0001, 150_000)
    assert (answered.outcome, answered.triage.reason) == (Outcome.REVIEW, TriageReason.HIGH_AMOUNT)
    assert answered.triage.sentence.startswith("1,500.00 EUR is at or above 1,500.00 EUR")
    assert answer(0.0001, 149_999).outcome is Outcome.APPROVE
    assert answer(0.0001, 150_000, load=FULL).outcome is Outcome.APPROVE


def test_a_payment_unlike_anything_seen_is_looked_at_while_reviews_are_free() -> None:
    answered = answer(0.001, 2000, novelty=1.0)
    assert (answered.outcome, answered.triage.reason) == (Outcome.REVIEW, TriageReason.NOVEL)
    assert answer(0.001, 2000, novelty=0.5).outcome is Outcome.APPROVE
    busy = CapacityState(reviews_today=POLICY.capacity.reviews_per_day * 3 // 4)
    assert answer(0.001, 2000, novelty=1.0, load=busy).outcome is Outcome.APPROVE


def test_without_a_model_rules_decide_and_the_fail_safe_answer_is_marked() -> None:
    quiet = answer(None, 6000)
    assert quiet.outcome is Outcome.APPROVE
    assert quiet.reasons == ("no model ran, so the fail-safe answer is approve where no rule asks for more",)
    assert answer(None, 6000, rule(Outcome.DECLINE)).outcome is Outcome.DECLINE
    careful = answer(None, 6000, policy=replace(POLICY, fail_safe=Outcome.REVIEW))
    assert (careful.outcome, careful.triage.reason) == (Outcome.REVIEW, TriageReason.FAIL_SAFE)


def test_the_kill_switch_stops_model_and_automatic_declines_but_not_block_lists() -> None:
    assert answer(0.99, 6000, killed=True).outcome is Outcome.APPROVE
    assert answer(0.99, 6000, rule(Outcome.DECLINE), killed=True).outcome is Outcome.REVIEW
    assert answer(0.99, 6000, rule(Outcome.DECLINE), killed=True, load=FULL).outcome is Outcome.APPROVE
    assert answer(0.0, 6000, block(), killed=True).outcome is Outcome.DECLINE


def test_in_the_loop_only_people_decline_what_the_model_would() -> None:
    policy = with_autonomy("in_the_loop")
    answered = answer(0.99, 6000, policy=policy)
    assert answered.outcome is Outcome.REVIEW
    assert answered.triage.sentence.endswith("It would decline, and here only a person may decline.")
    assert answer(0.99, 6000, rule(Outcome.DECLINE), policy=policy).outcome is Outcome.REVIEW
    assert answer(0.01, 6000, block(), policy=policy).outcome is Outcome.REVIEW
    fail_safe = replace(policy, fail_safe=Outcome.DECLINE)
    assert answer(None, 6000, policy=fail_safe).outcome is Outcome.REVIEW


@given(st.one_of(st.none(), probabilities), amounts, floors, loads, st.booleans())
def test_in_the_loop_nothing_is_declined_and_where_all_is_automatic_nothing_is_reviewed(
    p: float | None, amount: int, rules: list[RuleResult], load: Any, blocked: bool
) -> None:
    said = [*rules, block()] if blocked else rules
    assert answer(p, amount, *said, load=load, policy=with_autonomy("in_the_loop")).outcome < Outcome.DECLINE
    assert (
        answer(p, amount, *said, load=load, policy=with_autonomy("automatic")).outcome is not Outcome.REVIEW
    )


def test_where_all_is_automatic_a_rule_that_asks_gets_what_would_happen_if_nobody_looked() -> None:
    policy = with_autonomy("automatic")
    assert answer(0.34, 6000, policy=policy).outcome is Outcome.DECLINE
    assert answer(0.33, 6000, policy=policy).outcome is Outcome.APPROVE
    assert answer(0.33, 6000, rule(), policy=policy).outcome is Outcome.APPROVE
    strict = replace(policy.segment(), on_timeout=Outcome.DECLINE)
    policy = replace(policy, segments={"default": strict})
    assert answer(0.33, 6000, rule(), policy=policy).outcome is Outcome.DECLINE
    assert answer(0.33, 6000, rule(), policy=policy, killed=True).outcome is Outcome.REVIEW


def test_a_capped_model_has_its_declines_reviewed() -> None:
    answered = answer(0.99, 6000, capped=True)
    assert (answered.outcome, answered.triage.reason) == (Outcome.REVIEW, TriageReason.UNCERTAIN)
    assert answered.triage.sentence.endswith("the breaker lets only a person decline at present.")
    assert answer(0.99, 6000, rule(Outcome.DECLINE), capped=True).outcome is Outcome.DECLINE


def test_a_review_that_a_busy_day_leaves_out_is_named_with_its_price() -> None:
    busy = answer(0.16, 6000, load=CapacityState(reviews_today=57))
    assert busy.outcome is Outcome.APPROVE
    assert busy.triage.sentence == (
        "Approved without a review, which would cost 7.00 EUR more than usual because 57 of today's 60 are used."
    )
    full = answer(0.35, 6000, load=FULL)
    assert full.triage.sentence == "Declined without a review, because today's 60 reviews are used up."
    assert answer(0.001, 6000, load=FULL).triage.sentence == ""


def test_fixed_cut_offs_are_obeyed_at_any_amount() -> None:
    policy = replace(POLICY, thresholds=Thresholds(False, 0.1, 0.6))
    outcomes = [answer(p, 100, policy=policy).outcome for p in (0.0999, 0.1, 0.5999, 0.6)]
    assert outcomes == [Outcome.APPROVE, Outcome.REVIEW, Outcome.REVIEW, Outcome.DECLINE]
    full = answer(0.3, 100, policy=policy, load=FULL)
    assert full.outcome is Outcome.APPROVE
    assert 0.1 <= full.thresholds["review_at"] == full.thresholds["decline_at"] <= 0.6


def test_what_is_no_probability_is_refused() -> None:
    for odd in (float("nan"), -0.1, 1.1):
        with pytest.raises(ValueError, match="must lie in"):
            answer(odd)
