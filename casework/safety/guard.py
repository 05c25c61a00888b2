"""What is counted, recorded and switched beside each decision, in the same write as the decision itself?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.safety import alarms, breaker_acts, effects
from casework.safety.alarms import BREAKER, FAIL_SAFE, RULE_ERROR, UNEXPLAINED, Key
from data.transactions import Transaction
from data.writer import Writer
from engine.breaker import CAP, MODEL, ON_TRIAL, PAUSE, POLICY, RULE, Acted, Breaker
from engine.control import Control
from engine.costs import CapacityState
from engine.decide import Engine, is_unexplained
from engine.decision import Decision
from engine.what_if.trial import Rollout, Shadow

_FAIL_SAFE = {
    "no_model": "No model runs, so the policy's fail-safe answer stands wherever no rule asks for more.",
    "model_missing": "The champion's files are missing or altered; no model runs, the fail-safe answer stands.",
    "model_failed": "The model failed on payments, which got the policy's fail-safe answer.",
}
Versions = Mapping[str, str]
"""The version of each rule of a set that runs, by its id."""
Switched = frozenset[tuple[str, str, str]]
"""What the breaker has done to rules: (pause or cap, rule id, version)."""
_UNEXPLAINED = "The model {} could not explain decisions. Their answers stand, without reasons for reviewers."


class Guard:
    """Everything of safety that is in memory while an engine decides; the ledger can make it anew at any time.

    `stale` says that what decides must be loaded anew, because a model, policy or rollout was paused.
    """

    def __init__(
        self,
        engine: Engine,
        control: Control,
        breaker: Breaker,
        open_alarms: set[Key],
        shadows: Sequence[Shadow] = (),
        rollout: Rollout | None = None,
        *,
        switched: Switched = frozenset(),
        versions: Mapping[str, Versions] | None = None,
    ) -> None:
        """`versions` holds those of each trial that takes part, by its id."""
        self.engine, self.breaker = engine, breaker
        self.shadows, self.rollout = tuple(shadows), rollout
        self.open_alarms = open_alarms
        self.stale = False
        self.control, self.versions = control, versions or {}
        self.use(control, switched)

    @property
    def trials(self) -> set[str]:
        """The trials that take part, by id."""
        running = {shadow.trial_id for shadow in self.shadows}
        return running | ({self.rollout.trial_id} if self.rollout else set())

    def use(self, control: Control, switched: Switched) -> None:
        """Put another control in force, from the next decision on; `switched` has the rules of every version, because
        what is tried has versions of its own."""
        self.control = self.engine.control = control
        self.switched = switched
        if self.rollout is not None:
            own = rules_switched(switched, self.versions.get(self.rollout.trial_id, {}))
            self.rollout.candidate.control = control.with_rules(*own)
        for shadow in self.shadows:
            shadow.obey(*rules_switched(switched, self.versions.get(shadow.trial_id, {})))

    def kill(self, on: bool) -> None:
        """Turn the engine's own switch, in both arms."""
        self.engine.killed = on
        if self.rollout is not None:
            self.rollout.candidate.killed = on

    def decide(
        self, transactions: Sequence[Transaction], *, at: datetime, load: CapacityState
    ) -> list[Decision]:
        """The engine's decisions, those of a rollout's candidate where it takes them, with what shadows answered."""
        if self.rollout is None:
            made = self.engine.decide(transactions, at=at, load=load)
        else:
            made = self.rollout.decide(self.engine, transactions, at=at, load=load)
        return self._beside(made) if self.shadows else made

    def record(self, w: Writer, made: Sequence[Decision], at: datetime) -> None:
        """Count these decisions, write down what bears on safety, and act where the breaker says so.

        Only adds rows and events, so that the write stays a quick one.
        """
        rows = list(effects.of(made, self.control))
        if rows:
            w.insert("control_effects", rows)
            self._alarm_of(w, rows, at)
        for model_id in {decision.model_id for decision in made if is_unexplained(decision)}:
            self._alarm(w, UNEXPLAINED, model_id, _UNEXPLAINED.format(model_id), at)
        if self.shadows or self.rollout is not None:
            w.insert("trial_answers", list(self._answers(made)))
        for acted in self.breaker.see(made, at):
            self._act(w, acted, at)

    def _beside(self, made: Sequence[Decision]) -> list[Decision]:
        """The decisions with what shadows answered."""
        ids = [shadow.trial_id for shadow in self.shadows]
        answers = [shadow.answers(made, self.engine) for shadow in self.shadows]
        told = []
        for decision, *found in zip(made, *answers, strict=True):
            beside: dict[str, Any] = {
                "shadows": {trial: each.outcome.word for trial, each in zip(ids, found, strict=True)}
            }
            scores = {t: f.probability for t, f in zip(ids, found, strict=True) if f.probability is not None}
            if scores:
                beside["shadow_scores"] = scores
            told.append(decision.with_context({**decision.context, **beside}))
        return told

    def _answers(self, made: Sequence[Decision]) -> Iterator[dict[str, Any]]:
        for decision in made:
            row = {
                "transaction_seq": decision.transaction.seq,
                "decided_at": decision.decided_at,
                "answered": decision.outcome.word,
                "amount_minor": decision.transaction.amount_minor,
            }
            scores = decision.context.get("shadow_scores", {})
            for trial_id, outcome in decision.context.get("shadows", {}).items():
                of = {"trial_id": trial_id, "arm": "live", "probability": scores.get(trial_id)}
                yield {**row, **of, "outcome": outcome}
            arm = decision.context.get("rollout")
            if arm:
                of = {"trial_id": arm["trial"], "arm": arm["arm"], "probability": decision.probability}
                yield {**row, **of, "outcome": decision.outcome.word}

    def _act(self, w: Writer, acted: Acted, at: datetime) -> None:
        breaker_acts.record(w, acted, at)
        self._alarm(w, BREAKER, f"{acted.kind}:{acted.subject}", acted.sentence, at)
        done = {(acted.action, acted.subject, acted.version)} if acted.kind == RULE else set()
        control = controlled(self.control, acted.action, acted.kind, acted.subject)
        self.use(control, self.switched | done)
        if acted.action == PAUSE and acted.kind in (MODEL, POLICY, *ON_TRIAL):
            self.stale = True

    def _alarm_of(self, w: Writer, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        for row in rows:
            kind, subject = row["kind"], row["subject"]
            if kind == effects.FAIL_SAFE and subject in _FAIL_SAFE:
                self._alarm(w, FAIL_SAFE, subject, _FAIL_SAFE[subject], at)
            elif kind == effects.RULE_ERROR:
                sentence = f"The rule {subject} could not be evaluated; it asks as its on_missing says."
                self._alarm(w, RULE_ERROR, subject, sentence, at)

    def _alarm(self, w: Writer, kind: str, subject: str, sentence: str, at: datetime) -> None:
        alarms.raise_alarm(w, kind, subject, sentence, at, is_open=self.open_alarms)
        self.open_alarms.add((kind, subject))


def rules_switched(switched: Switched, versions: Versions) -> tuple[frozenset[str], frozenset[str]]:
    """The ids of rules paused, and of those capped, of a set with these versions."""
    found = [
        {rule for done, rule, version in switched if done == action and versions.get(rule) == version}
        for action in (PAUSE, CAP)
    ]
    return frozenset(found[0]), frozenset(found[1])


def controlled(control: Control, action: str, kind: str, subject: str) -> Control:
    """The control with one more thing paused or capped. A cap on the policy or on declines as a whole is a cap on the
    model; rules have caps of their own."""
    if kind == RULE:
        name = "paused_rules" if action == PAUSE else "capped_rules"
        return replace(control, **{name: getattr(control, name) | {subject}})
    return replace(control, model_capped=True) if action == CAP else control
