"""Do the gates refuse what they should, and say why?"""

from __future__ import annotations

from dataclasses import replace

from casework.learning.gates.gates import (
    Evidence,
    GateLimits,
    Golden,
    LabelTurn,
    Segment,
    judge,
    verdict_sentence,
)
from engine.measuring.intervals import Interval

LIMITS = GateLimits(min_labels=1_000, min_frauds=20)
GOOD = Evidence(
    training_labels=9_000,
    training_frauds=90,
    judged_rows=4_000,
    judged_frauds=40,
    champion_id="m_1",
    difference={
        "average_precision": Interval(0.04, 0.01, 0.07),
        "expected_cost_saved": Interval(0.1, -0.02, 0.2),
    },
)


def failed(evidence: Evidence) -> list[str]:
    return [g.name for g in judge(evidence, LIMITS) if not g.passed]


def test_a_better_challenger_passes_every_gate() -> None:
    assert failed(GOOD) == []
    assert verdict_sentence(judge(GOOD, LIMITS)).startswith("Passed all 6 gates: average precision +0.040")


def test_too_few_frauds_to_be_judged_on_is_refused_with_the_numbers() -> None:
    few = replace(GOOD, judged_frauds=3)
    assert failed(few) == ["enough matured labels"]
    assert "3 frauds to be judged on" in verdict_sentence(judge(few, LIMITS))


def test_a_worse_challenger_is_refused() -> None:
    worse = {**GOOD.difference, "average_precision": Interval(-0.05, -0.09, -0.01)}
    assert failed(replace(GOOD, difference=worse)) == ["no worse than the champion"]


def test_two_equal_models_give_no_reason_to_change() -> None:
    zero = Interval(0.0, 0.0, 0.0)
    equal = {"average_precision": zero, "expected_cost_saved": zero}
    assert "nothing speaks clearly for a change" in verdict_sentence(
        judge(replace(GOOD, difference=equal), LIMITS)
    )


def test_a_better_ranking_that_may_cost_more_needs_to_be_clearly_better() -> None:
    cost = Interval(-0.15, -0.9, 0.26)
    hoped = {"average_precision": Interval(0.08, -0.01, 0.16), "expected_cost_saved": cost}
    clear = {"average_precision": Interval(0.08, 0.01, 0.16), "expected_cost_saved": cost}
    assert failed(replace(GOOD, difference=hoped)) == ["no worse than the champion"]
    assert failed(replace(GOOD, difference=clear)) == []


def test_cheaper_decisions_are_taken_although_ranking_is_equal() -> None:
    cheaper = {
        "average_precision": Interval(-0.004, -0.034, 0.023),
        "expected_cost_saved": Interval(0.09, 0.05, 0.14),
    }
    assert failed(replace(GOOD, difference=cheaper)) == []


def test_dearer_decisions_are_refused_even_with_better_ranking() -> None:
    dearer = {**GOOD.difference, "expected_cost_saved": Interval(-0.2, -0.3, -0.1)}
    assert failed(replace(GOOD, difference=dearer)) == ["no worse than the champion"]


def test_agreement_below_chance_is_refused() -> None:
    collapsed = replace(GOOD, agreement=Interval(-0.2, -0.3, -0.1), agreement_items=200)
    assert failed(collapsed) == ["agreement has not collapsed"]


def test_a_worse_golden_set_is_refused() -> None:
    assert failed(replace(GOOD, golden=Golden(50, 45, 40))) == ["golden set no worse"]


def test_a_golden_task_lost_by_chance_is_told_and_does_not_refuse() -> None:
    gate = judge(replace(GOOD, golden=Golden(50, 45, 44, lost=3)), LIMITS)[3]
    assert gate.passed
    assert gate.sentence == "44 of 50 right, the champion 45, which chance alone does in 50% of cases"


def test_labels_that_contradict_the_champion_are_refused_with_their_week() -> None:
    turn = LabelTurn("2026-02-02", "verdicts of reviewers", 40, 60, Interval(0.2, 0.11, 0.29))
    turned = replace(GOOD, turned=[turn])
    assert failed(turned) == ["labels are not turned over"]
    assert "verdicts of reviewers of the week from 2026-02-02 look turned over" in verdict_sentence(
        judge(turned, LIMITS)
    )


def test_a_segment_that_would_cost_more_at_its_own_costs_is_harmed() -> None:
    even = Interval(0.0, -0.05, 0.05)
    dear = Segment("segment large", 30, even, Interval(-0.4, -0.6, -0.2))
    assert failed(replace(GOOD, segments=[dear])) == ["no segment harmed"]


def test_with_many_segments_one_may_look_harmed_by_chance() -> None:
    alone = Segment("channel pos", 30, Interval(-0.2, -0.38, -0.02))
    others = [Segment(f"channel {n}", 30, Interval(0.0, -0.1, 0.1)) for n in range(15)]
    assert failed(replace(GOOD, segments=[alone])) == ["no segment harmed"]
    assert failed(replace(GOOD, segments=[alone, *others])) == []


def test_a_harmed_segment_is_named() -> None:
    harmed = replace(GOOD, segments=[Segment("age_band 65+", 30, Interval(-0.3, -0.4, -0.2))])
    assert failed(harmed) == ["no segment harmed"]
    assert "age_band 65+" in verdict_sentence(judge(harmed, LIMITS))


def test_a_small_segment_is_not_judged() -> None:
    small = replace(GOOD, segments=[Segment("age_band 65+", 3, Interval(-0.3, -0.4, -0.2))])
    assert failed(small) == []


def test_the_first_model_must_beat_chance() -> None:
    first = replace(GOOD, champion_id="", difference={}, base_rate=0.01)
    assert failed(replace(first, average_precision=Interval(0.4, 0.3, 0.5))) == []
    assert failed(replace(first, average_precision=Interval(0.02, 0.005, 0.1))) == [
        "no worse than the champion"
    ]
