"""Does a shadow answer by its own settings, with a day's load that grows by its own answers alone?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.transactions import Transaction
from engine.costs import CapacityState, cut_offs
from engine.decide import Engine
from engine.decision import Decision, Explanation, Outcome, Results, Triage, TriageReason
from engine.policy import load_policy
from engine.segments import Segments
from engine.what_if.trial import Shadow

AT = datetime(2026, 5, 1, tzinfo=UTC)
POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes(), "policy.yaml")
SEGMENTS = Segments(POLICY, {})
AMOUNT = 80_000
UNCERTAIN = sum(cut_offs(AMOUNT, POLICY)) / 2


class Nothing:
    """Neither rules nor a memory that anybody asks."""

    def evaluate(self, row: Any, at: datetime) -> Results:
        return Results()


class Halving:
    """A model whose probability is half the row's `p`; a row with a text there it cannot read."""

    model_id = "m2"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def ask(self, rows: Sequence[Any]) -> tuple[list[float], list[float], list[float]]:
        self.asked.append(len(rows))
        halves = [row["p"] / 2 for row in rows]
        return halves, halves, [0.0] * len(rows)

    def explain(self, rows: Sequence[Any], margin: Sequence[float]) -> list[Explanation]:
        return []


ENGINE = Engine(state=Nothing(), rules=Nothing(), policy=POLICY, model=None, key=b"k", set_id="s")  # type: ignore[arg-type]


def decision(p: Any, reason: TriageReason = TriageReason.NONE, **context: Any) -> Decision:
    transaction = Transaction("t", AT, AMOUNT, {}, {}, None, "EUR", {}, 1)
    outcome = Outcome.REVIEW if reason else Outcome.APPROVE
    known = p if isinstance(p, float) else None
    return Decision(
        transaction, outcome, AT, "s", "m1", {"p": p}, known, None, Results(), Triage(reason), context=context
    )


@pytest.mark.parametrize(
    ("p", "context", "own"),
    [
        (UNCERTAIN, {}, CapacityState(reviews_today=1)),
        (0.0001, {"novelty": 0.0, "novel_kind": "amount"}, CapacityState()),
    ],
)
def test_why_the_live_decision_was_looked_at_is_not_counted_as_the_shadows(
    p: float, context: dict[str, Any], own: CapacityState
) -> None:
    shadow = Shadow("trial", SEGMENTS, None, "s")
    reason = TriageReason.NOVEL if context else TriageReason.DRIFT
    shadow.answers([decision(p, reason, **context)], ENGINE)
    assert shadow.load == own


def test_a_model_on_trial_is_asked_once_for_many_and_answers_as_if_asked_for_each() -> None:
    made = [replace(decision(p), decided_at=AT) for p in (0.0001, 0.9, 2 * UNCERTAIN, 2 * UNCERTAIN, 0.999)]
    together, alone = Halving(), Halving()
    at_once, each = (Shadow("trial", SEGMENTS, None, "s", model) for model in (together, alone))
    assert at_once.answers(made, ENGINE) == [each.answers([one], ENGINE)[0] for one in made]
    assert at_once.load == each.load != CapacityState()
    assert (together.asked, alone.asked) == ([5], [1] * 5)


def test_a_row_that_the_model_on_trial_cannot_read_leaves_the_others_their_answers() -> None:
    shadow = Shadow("trial", SEGMENTS, None, "s", Halving())
    made = [decision(0.5), decision("broken"), decision(0.5, killed=True), decision(0.25)]
    assert [found.probability for found in shadow.answers(made, ENGINE)] == [0.25, None, 0.5, 0.125]
