"""Where inputs have drifted, does a person look earlier, so far and so often as was said?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from data.transactions import Transaction
from engine.control import Applied, AsStored, Control, Widening, from_context
from engine.costs import cut_offs
from engine.decide import Engine, load_after
from engine.decision import Decision, Draws, Explanation, Outcome, TriageReason
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


class Steady:
    """A model that gives every payment the same probability."""

    model_id = "m_steady"

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def ask(self, rows: Sequence[Any]) -> tuple[list[float], list[float], list[float]]:
        return [0.0] * len(rows), [self._probability] * len(rows), [0.0] * len(rows)

    def explain(self, rows: Sequence[Any], margin: Sequence[float]) -> list[Explanation]:
        return [Explanation(0.0, {}) for _ in rows]


class Silent:
    """No rule ever says anything."""

    def evaluate(self, row: Any, at: datetime) -> tuple[()]:
        return ()


def engine_with(control: Any) -> Engine:
    model = Steady(0.8 * cut_offs(6000, POLICY).review_at)
    parts: dict[str, Any] = {"state": None, "rules": Silent(), "policy": POLICY, "model": model}
    return Engine(**parts, key=b"k" * 32, set_id="set_1", control=control)


def decide(engine: Engine, at: datetime, load: CapacityState) -> Decision:
    payment = Transaction("t1", at, 6000, Decimal(60), "EUR", {}, {}, {}, seq=1)
    return engine.decide_rows([payment], [{}], at=at, load=load)[0]


def test_a_decision_made_by_a_widening_replays_from_what_was_stored_when_it_is_long_over() -> None:
    at = datetime(2026, 3, 31, tzinfo=UTC)
    other = replace(WIDE, widening_id="widening_2", segment="large")
    then = decide(engine_with(Control(widenings=[WIDE, other])), at, CapacityState(drift_today=3))
    assert (then.outcome, then.triage.reason) == (Outcome.REVIEW, TriageReason.DRIFT)
    stored = then.context
    assert [w["widening_id"] for w in stored["controls"]["widenings"]] == ["widening_1"]
    again = AsStored(from_context(stored["controls"]))
    assert decide(engine_with(again), at, CapacityState(**stored["load"])) == then
    assert load_after(CapacityState(drift_today=3), then).drift_today == 4
    # Without what was stored the same payment would have been let go.
    assert decide(engine_with(Control()), at, CapacityState()).outcome is Outcome.APPROVE


def test_a_decision_that_a_widening_did_not_change_does_not_carry_it() -> None:
    at = datetime(2026, 3, 31, tzinfo=UTC)
    full = CapacityState(drift_today=WIDE.most)
    made = decide(engine_with(Control(widenings=[WIDE])), at, full)
    assert made.outcome is Outcome.APPROVE
    assert "controls" not in made.context
