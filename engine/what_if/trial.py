"""What would another set of settings answer beside the one that decides, and which payments does it decide itself?

A shadow only answers: its answer is recorded and never obeyed. A rollout decides a share of the entities, the same
ones every time, because the draw is a keyed hash of the entity's value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

from data.transactions import Transaction
from engine.control import NOTHING, Applied, from_context
from engine.costs import CapacityState
from engine.decide import MODEL_FAILURES, Engine, Row, Rules, Scorer, load_after
from engine.decision import Decision, Draws, Outcome, Strangeness, TriageReason
from engine.draws import draw
from engine.segments import Segments
from engine.triage import Triaged, triage

Score = tuple[float | None, float | None]
"""A probability and a novelty, None where there is none."""


class Answered(NamedTuple):
    """What a shadow answered, and the probability its own model gave; None where it has no model of its own, or that
    could not read the payment."""

    outcome: Outcome
    probability: float | None


class Shadow:
    """Settings that answer beside those that decide, with the features, the probability and the draws of the
    decision, and with a day's load of their own.

    `rules` is None where they are those that decide (`set_id`), whose results are then used as they are; `model` is
    None where the probability is that of the decision.
    """

    def __init__(
        self,
        trial_id: str,
        segments: Segments,
        rules: Rules | None,
        set_id: str,
        model: Scorer | None = None,
    ) -> None:
        self.trial_id, self.segments = trial_id, segments
        self._rules, self._set_id, self._model = rules, set_id, model
        self._day: date | None = None
        self._load = CapacityState()
        self._controls: Mapping[str, Any] = {}
        self._applied = NOTHING
        self._own: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def load(self) -> CapacityState:
        """What people would have been given on the day last asked for, had this decided."""
        return self._load

    def restore(self, day: date, load: CapacityState) -> None:
        """Take up a day's load where it was left."""
        self._day, self._load = day, load

    def obey(self, paused: frozenset[str], capped: frozenset[str]) -> None:
        """Have these of its own rules paused and capped, whatever is so of those that decide: a corrected version
        speaks in its trial. Until this is called, what bore on a decision holds here too."""
        self._own = (tuple(sorted(paused)), tuple(sorted(capped)))
        self._controls, self._applied = {}, self._of_own(NOTHING)

    def answers(self, decisions: Sequence[Decision], engine: Engine) -> list[Answered]:
        """The outcomes this would have given where `engine` decided, in order; the day's load grows by them."""
        scored = self._scored(decisions)
        return [self._answer(d, score, engine) for d, score in zip(decisions, scored, strict=True)]

    def _answer(self, decision: Decision, score: Score, engine: Engine) -> Answered:
        at = decision.decided_at
        if self._day != at.date():
            self._day, self._load = at.date(), CapacityState()
        applied = self._applied_to(decision)
        results = decision.rules
        if self._rules is not None or decision.set_id != self._set_id:
            results = applied.on((self._rules or engine.rules).evaluate(decision.features, at))
        segment, policy = self.segments.of(decision.features, at)
        shares = (policy.sampling.audit, policy.sampling.exploration.share)
        draws = Draws(decision.draws.audit, shares[0], decision.draws.explore, shares[1])
        probability, novelty = score
        strange = None
        if engine.unlabelled is not None and novelty is not None and novelty >= policy.novelty_at:
            strange = engine.unlabelled.strangeness(decision.features, policy.currency)
        answered = triage(
            probability,
            decision.transaction.amount_minor,
            results,
            policy,
            load=self._load,
            draws=draws,
            novelty=novelty,
            strange=strange,
            segment=segment,
            killed=bool(decision.context.get("killed")),
            capped=applied.model_capped,
            widening=applied.widening(segment, at),
        )
        if answered.outcome is Outcome.REVIEW or answered.explored or draws.audited:
            self._load = load_after(self._load, _as_decided(decision, answered, draws, strange))
        return Answered(answered.outcome, probability if self._model is not None else None)

    def _applied_to(self, decision: Decision) -> Applied:
        """What bore on the decision: nearly always what bore on the one before."""
        controls = decision.context.get("controls", {})
        if controls != self._controls:
            self._controls, self._applied = controls, self._of_own(from_context(controls))
        return self._applied

    def _of_own(self, applied: Applied) -> Applied:
        if self._own is None:
            return applied
        return replace(applied, paused_rules=self._own[0], capped_rules=self._own[1])

    def _scored(self, decisions: Sequence[Decision]) -> list[Score]:
        """Probability and novelty of each: the decision's own, or those of the model on trial (not asked while the kill
        switch is on), all at once, because asking costs the same for one row as for many."""
        if self._model is None:
            return [(d.probability, d.context.get("novelty")) for d in decisions]
        asked = [d for d in decisions if not d.context.get("killed")]
        found = iter(_scores(self._model, [d.features for d in asked]))
        return [
            (d.probability, d.context.get("novelty")) if d.context.get("killed") else next(found)
            for d in decisions
        ]


def _scores(model: Scorer, rows: Sequence[Row]) -> list[Score]:
    """What a model says of each row; nothing of those that it cannot read."""
    if not rows:
        return []
    try:
        _, probabilities, novelties = model.ask(rows)
        return list(zip(probabilities, novelties, strict=True))
    except MODEL_FAILURES:
        return [(None, None)] if len(rows) == 1 else [_scores(model, [row])[0] for row in rows]


def _as_decided(decision: Decision, answered: Triaged, draws: Draws, strange: Strangeness | None) -> Decision:
    """The decision as it would have been with this answer, as far as a day's load counts it."""
    context = {name: value for name, value in decision.context.items() if name != "novel_kind"}
    if strange is not None and answered.triage.reason is TriageReason.NOVEL:
        context["novel_kind"] = strange.kind
    return replace(
        decision,
        outcome=answered.outcome,
        triage=answered.triage,
        draws=draws,
        explored=answered.explored,
        context=context,
    )


@dataclass(frozen=True)
class Rollout:
    """A share of an entity's values decided by `candidate`; `name` is what the draws are keyed by, so that raising the
    share keeps those who were in."""

    trial_id: str
    name: str
    entity: str
    share: float
    key: bytes
    candidate: Engine

    def takes(self, transaction: Transaction) -> bool:
        """Whether the candidate decides this payment; where the entity is missing, its own id stands in."""
        return self.drawn(transaction) < self.share

    def drawn(self, transaction: Transaction) -> float:
        """The number drawn for the payment's value of the entity, in [0, 1)."""
        value = transaction.entities.get(self.entity) or transaction.transaction_id
        return draw(self.key, f"rollout:{self.name}:{self.entity}", value)

    def told(self, transaction: Transaction) -> dict[str, str | float]:
        """What a decision records of it: the trial, the arm, and the draw that put the payment there."""
        drawn = self.drawn(transaction)
        arm = "candidate" if drawn < self.share else "live"
        return {
            "trial": self.trial_id,
            "arm": arm,
            "entity": self.entity,
            "draw": drawn,
            "share": self.share,
        }

    def decide(
        self, live: Engine, transactions: Sequence[Transaction], *, at: datetime, load: CapacityState
    ) -> list[Decision]:
        """Like `Engine.decide`, each payment by its arm, in order, sharing the memory and the day's load."""
        rows: list[Row] = []
        for transaction in transactions:
            rows.append(live.state.features(transaction))
            live.state.add(transaction)
        made: list[Decision] = []
        paired = zip(transactions, rows, strict=True)
        for taken, run in groupby(paired, key=lambda pair: self.takes(pair[0])):
            payments, known = zip(*run, strict=True)
            engine = self.candidate if taken else live
            for decision in engine.decide_rows(payments, known, at=at, load=load):
                load = load_after(load, decision)
                told = self.told(decision.transaction)
                made.append(replace(decision, context={**decision.context, "rollout": told}))
        return made
