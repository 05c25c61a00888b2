"""Does the breaker pause what is new and too loud, within the decisions it states, and never what has stood long?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.transactions import Transaction
from engine.breaker import (
    CAP,
    DECLINES,
    MODEL,
    PAUSE,
    POLICY,
    RULE,
    Acted,
    Breaker,
    Expected,
    RatioTest,
    Watch,
)
from engine.decision import Decision, Outcome, RuleResult, RuleState, Triage, TriageReason
from engine.policy import Breaker as Limits

START = datetime(2026, 5, 1, tzinfo=UTC)
LIMITS = Limits()
USUAL = Expected(0.005, "history", 5000)


def decision(
    *hits: str, outcome: Outcome = Outcome.APPROVE, status: str = "live", set_id: str = "s"
) -> Decision:
    transaction = Transaction("t", START, 100, {}, {}, None, "EUR", {}, 1)
    rules = tuple(RuleResult(name, 1, RuleState.HIT, Outcome.REVIEW, status=status) for name in hits)
    reason = TriageReason.UNCERTAIN if outcome is Outcome.REVIEW else TriageReason.NONE
    return Decision(transaction, outcome, START, set_id, "m1", {}, rules=rules, triage=Triage(reason))


def watch(kind: str = RULE, subject: str = "r", *, since: datetime = START, seen: int = 0) -> Watch:
    made = Watch(kind, subject, "v1", since, USUAL)
    made.seen = made.last = seen
    return made


def until_it_acts(
    breaker: Breaker, made: Sequence[Decision], at: datetime = START
) -> tuple[int, Acted | None]:
    for count, each in enumerate(made, 1):
        acted = breaker.see([each], at)
        if acted:
            return count, acted[0]
    return len(made), None


def stream(rate: float, count: int, seed: int) -> list[Decision]:
    hits = np.random.default_rng(seed).random(count) < rate
    return [decision("r") if hit else decision() for hit in hits]


@pytest.mark.parametrize("seed", range(5))
def test_a_new_rule_that_hits_a_hundred_times_as_often_is_paused_within_fifty_decisions(seed: int) -> None:
    breaker = Breaker([watch()], LIMITS, "s")
    count, acted = until_it_acts(breaker, stream(0.5, 1000, seed))
    assert acted is not None and acted.action == PAUSE
    assert count <= 50
    assert "was expected from 5,000 earlier decisions" in acted.sentence
    assert acted.sentence.endswith("recorded, not obeyed.")


def test_the_test_of_a_rate_is_walds_in_figures() -> None:
    usual = RatioTest.of(USUAL, LIMITS)
    assert (usual.q0, usual.q1) == (0.01, 0.03)
    assert usual.limit == pytest.approx(math.log(10_000))
    assert usual.loud == pytest.approx(math.log(3))
    assert usual.quiet == pytest.approx(math.log(0.97 / 0.99))
    assert usual.decisions_until(0.06) == pytest.approx(197.087, abs=0.001)
    assert usual.decisions_until(usual.q0) == math.inf


def test_a_rate_at_the_ends_is_still_told_from_its_multiple() -> None:
    """Six times 30 % would be no probability, and nothing can be a multiple of 0."""
    often, never = (RatioTest.of(Expected(rate, "history"), LIMITS) for rate in (0.3, 0.0))
    assert (often.q0, often.q1) == (pytest.approx(0.95 / 3), 0.95)
    assert (never.q0, never.q1) == (pytest.approx(2e-6), pytest.approx(6e-6))


def test_the_stated_number_of_decisions_is_about_right() -> None:
    expected = RatioTest.of(USUAL, LIMITS).decisions_until(0.3)
    found = [until_it_acts(Breaker([watch()], LIMITS, "s"), stream(0.3, 200, seed))[0] for seed in range(50)]
    # Wald's approximation leaves out what the last step overshoots, at most one hit's worth of evidence.
    assert expected <= np.mean(found) <= 1.25 * expected


def test_a_rule_as_loud_as_expected_is_left_alone_as_often_as_promised() -> None:
    limits = Limits(false_alarms=0.05)
    test = RatioTest.of(Expected(0.05, "stated"), limits)
    paused = 0
    for seed in range(300):
        made = Watch(RULE, "r", "v1", START, Expected(0.05, "stated"))
        paused += until_it_acts(Breaker([made], limits, "s"), stream(test.q0, 400, seed))[1] is not None
    # At most 5 % ever, whatever the number of decisions; 300 runs give at most 25 with a chance of 99.7 %.
    assert 0 < paused <= 25


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=400),
    st.floats(1e-5, 0.4),
    st.integers(LIMITS.days, 400),
    st.sampled_from([RULE, MODEL, POLICY, DECLINES]),
)
def test_what_has_stood_long_is_never_paused_however_loud(
    hits: list[bool], rate: float, age: int, kind: str
) -> None:
    subject = {RULE: "r", MODEL: "m1", POLICY: POLICY, DECLINES: DECLINES}[kind]
    old = Watch(kind, subject, "v1", START - timedelta(days=age), Expected(rate, "history", 900))
    old.seen = old.last = LIMITS.decisions
    names = {RULE: ("r",)}.get(kind, ())
    loud = decision(*names, outcome=Outcome.DECLINE)
    breaker = Breaker([old], LIMITS, "s")
    acted = breaker.see([loud if hit else decision() for hit in hits] + [loud] * 200, START)
    assert [act.action for act in acted] == [CAP]


def test_declines_as_a_whole_are_never_paused() -> None:
    fresh = watch(DECLINES, DECLINES)
    acted = Breaker([fresh], LIMITS, "s").see([decision(outcome=Outcome.DECLINE)] * 50, START)
    assert [act.action for act in acted] == [CAP]


def test_new_is_young_or_with_few_decisions() -> None:
    old = START + timedelta(days=LIMITS.days)
    assert watch(seen=LIMITS.decisions).is_new(START, LIMITS)
    assert watch(seen=LIMITS.decisions - 1).is_new(old, LIMITS)
    assert not watch(seen=LIMITS.decisions).is_new(old, LIMITS)


def test_a_late_change_of_an_old_rule_is_seen_as_soon_as_an_early_one() -> None:
    quiet = [decision()] * 5000
    loud = stream(0.5, 200, 1)
    at = START + timedelta(days=30)
    early = until_it_acts(Breaker([watch(seen=9000)], LIMITS, "s"), loud, at)[0]
    late = until_it_acts(Breaker([watch(seen=9000)], LIMITS, "s"), [*quiet, *loud], at)[0]
    assert late - len(quiet) == early


def test_the_sentence_counts_the_rise_and_not_the_quiet_time_before_it() -> None:
    old = watch(since=START - timedelta(days=90), seen=30_000)
    breaker = Breaker([old], LIMITS, "s")
    _, acted = until_it_acts(breaker, [*[decision()] * 1000, *[decision("r")] * 20])
    assert acted is not None and acted.action == CAP and acted.seen > 31_000
    risen = old.alarms
    assert f"hit {risen} of the latest {risen} decisions (100 %)" in acted.sentence


def test_counts_taken_up_after_a_restart_go_on_where_they_were() -> None:
    made = stream(0.02, 300, 3)
    whole = Breaker([watch()], LIMITS, "s")
    whole.see(made, START)
    first = Breaker([watch()], LIMITS, "s")
    first.see(made[:200], START)
    held = first.counted()[0]
    again = watch()
    again.restore(held.seen, held.alarms, LIMITS)
    second = Breaker([again], LIMITS, "s")
    second.see(made[200:], START)
    (a,), (b,) = whole.counted(), second.counted()
    assert (a.seen, a.alarms) == (b.seen, b.alarms)
    last = (len(made) - a.last) * RatioTest.of(USUAL, LIMITS).quiet
    assert math.isclose(a.evidence + last, b.evidence + (b.seen - b.last) * RatioTest.of(USUAL, LIMITS).quiet)


def test_shadow_and_paused_rules_and_other_sets_do_not_count() -> None:
    breaker = Breaker([watch()], LIMITS, "s")
    for status in ("shadow", "paused"):
        assert breaker.see([decision("r", status=status)] * 100, START) == []
    assert breaker.see([decision("r", set_id="candidate")] * 100, START) == []
    assert breaker.counted()[0].seen == 200


def test_a_model_answers_only_for_what_no_rule_asked() -> None:
    model = Watch(MODEL, "m1", "m1", START, Expected(0.01, "history", 900))
    breaker = Breaker([model], LIMITS, "s")
    assert breaker.see([decision("r", outcome=Outcome.DECLINE)] * 100, START) == []
    acted = breaker.see([decision(outcome=Outcome.REVIEW)] * 100, START)
    assert [(act.action, act.kind) for act in acted] == [(PAUSE, MODEL)]
