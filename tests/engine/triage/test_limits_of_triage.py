"""Does triage change its mind exactly where it says, and not a step later? (Each was a mutant that no test saw.)"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.control import Widening
from engine.costs import CapacityState, cut_offs
from engine.decision import Draws, Outcome, Strangeness, TriageReason
from engine.policy import load_policy
from engine.triage import MOST_OF_A_KIND, triage

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes(), "policy.yaml")
STRANGE = Strangeness("device", ("a device that nobody has",))


def looked_at_today(number: int) -> TriageReason:
    load = CapacityState(reviews_today=number, novel_today={"device": number})
    made = triage(None, 6000, [], POLICY, load=load, draws=Draws(), novelty=1.0, strange=STRANGE)
    return made.triage.reason


def test_a_quarter_of_a_days_reviews_may_be_strange_in_one_way_and_not_one_more() -> None:
    most = int(MOST_OF_A_KIND * POLICY.capacity.reviews_per_day)
    assert most > 1
    assert looked_at_today(most - 1) is TriageReason.NOVEL
    assert looked_at_today(most) is not TriageReason.NOVEL


def test_a_quiet_payment_gets_the_fail_safe_outcome_while_the_kill_switch_is_on() -> None:
    careful = replace(POLICY, fail_safe=Outcome.REVIEW)
    quiet = triage(0.0, 900, [], careful, load=CapacityState(), draws=Draws())
    killed = triage(0.0, 900, [], careful, load=CapacityState(), draws=Draws(), killed=True)
    assert quiet.outcome is Outcome.APPROVE
    assert (killed.outcome, killed.triage.reason) == (Outcome.REVIEW, TriageReason.FAIL_SAFE)


@pytest.mark.parametrize(
    "load", [CapacityState(), CapacityState(reviews_today=POLICY.capacity.reviews_per_day)]
)
def test_the_kill_switch_declines_nothing_by_itself_even_where_the_fail_safe_answer_is_to_decline(
    load: CapacityState,
) -> None:
    strict = replace(POLICY, fail_safe=Outcome.DECLINE)
    killed = triage(0.99, 900, [], strict, load=load, draws=Draws(), killed=True)
    assert (killed.outcome, killed.triage.reason) == (Outcome.REVIEW, TriageReason.FAIL_SAFE)
    assert triage(None, 900, [], strict, load=load, draws=Draws()).outcome is Outcome.DECLINE


def test_a_widened_segment_is_looked_at_from_the_very_cut_off_that_was_widened() -> None:
    wide = Widening("w1", "default", 0.5, 10, "the inputs moved", datetime(2027, 1, 1, tzinfo=UTC))
    at = 0.5 * cut_offs(6000, POLICY, 0.0).review_at
    for probability, outcome in ((at, Outcome.REVIEW), (at * 0.999, Outcome.APPROVE)):
        made = triage(probability, 6000, [], POLICY, load=CapacityState(), draws=Draws(), widening=wide)
        assert made.outcome is outcome


def test_costs_of_a_payment_that_no_model_looked_at_are_none_and_not_one() -> None:
    made = triage(None, 6000, [], POLICY, load=CapacityState(), draws=Draws())
    assert (made.triage.cost_approve, made.triage.cost_decline, made.triage.cost_review) == (0.0, 0.0, 0.0)
