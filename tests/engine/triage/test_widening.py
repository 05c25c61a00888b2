"""Where inputs have drifted, does a person look earlier, so far and so often as was said?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.control import Applied, Control, Widening, from_context
from engine.costs import cut_offs
from engine.decision import Draws, Outcome, TriageReason
from engine.policy import Policy, load_policy
from engine.triage import CapacityState, Triaged, triage

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes(), "policy.yaml")


def answer(
    probability: float, *, policy: Policy = POLICY, load: CapacityState | None = None, **more: Any
) -> Triaged:
    return triage(probability, 6000, (), policy, load=load or CapacityState(), draws=Draws(), **more)


WIDE = Widening("widening_1", "default", 0.5, 10, "Inputs have drifted.", datetime(2026, 4, 1, tzinfo=UTC))


def just_below() -> float:
    return 0.8 * cut_offs(6000, POLICY).review_at


def test_where_inputs_drifted_a_person_looks_earlier_and_is_told_why() -> None:
    assert answer(just_below()).outcome is Outcome.APPROVE
    wide = answer(just_below(), widening=WIDE)
    assert (wide.outcome, wide.triage.reason) == (Outcome.REVIEW, TriageReason.DRIFT)
    assert wide.triage.sentence.startswith("Inputs have drifted. So a person looks from ")


def test_drift_widens_only_so_far_and_so_often_and_not_when_reviews_are_dear() -> None:
    far_below = 0.4 * cut_offs(6000, POLICY).review_at
    assert answer(far_below, widening=WIDE).outcome is Outcome.APPROVE
    assert answer(just_below(), widening=WIDE, load=CapacityState(drift_today=10)).outcome is Outcome.APPROVE
    automatic = replace(POLICY, segments={"default": replace(POLICY.segment(), autonomy="automatic")})
    busy = CapacityState(reviews_today=int(0.9 * POLICY.capacity.reviews_per_day))
    assert answer(just_below(), widening=WIDE, load=busy).outcome is Outcome.APPROVE
    assert answer(just_below(), widening=WIDE, policy=automatic).outcome is Outcome.APPROVE


def test_a_widening_holds_in_its_segment_until_it_expires() -> None:
    applied = Applied(widenings=(WIDE,))
    before = datetime(2026, 3, 31, tzinfo=UTC)
    assert applied.widening("default", before) == WIDE
    assert applied.widening("large", before) is None
    assert applied.widening("default", WIDE.expires) is None


def test_only_a_widening_that_was_used_is_stored_and_it_is_read_back_as_it_was() -> None:
    applied = Applied(widenings=(WIDE, replace(WIDE, segment="large")))
    assert from_context(applied.having_used(WIDE).as_context()) == Applied(widenings=(WIDE,))
    assert applied.having_used(None).as_context() == {}
    assert not Applied().having_used(None)
    assert Control(widenings=[WIDE])._always.widenings == (WIDE,)
