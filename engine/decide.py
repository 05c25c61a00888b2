"""How are features, rules, model and policy put together into one decision?"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from data.errors import SecondLookError
from data.transactions import Transaction
from engine.control import Applied, Control, Controls
from engine.costs import CapacityState
from engine.decision import (
    Decision,
    Explanation,
    FeatureValue,
    Outcome,
    RuleResult,
    Strangeness,
    TriageReason,
)
from engine.draws import transaction_draws
from engine.policy import DEFAULT_SEGMENT, Policy
from engine.segments import Segments
from engine.triage import triage

Row = Mapping[str, FeatureValue]
MODEL_FAILURES = (ArithmeticError, LookupError, TypeError, ValueError)
"""What a model may raise on rows it cannot read; XGBoost's own errors are ValueErrors."""
log = logging.getLogger("secondlook.decisions")


class Features(Protocol):
    """The point-in-time memory: `features` looks, `add` makes a transaction count from then on."""

    def features(self, transaction: Transaction) -> dict[str, FeatureValue]: ...
    def add(self, transaction: Transaction) -> None: ...
    def observe_outcome(
        self,
        transaction: Transaction,
        is_fraud: bool,
        *,
        known_at: datetime,
        reported_seq: int,
        recorded_at: datetime,
    ) -> None: ...


class Rules(Protocol):
    """The compiled rules of an approved set."""

    def evaluate(self, row: Row, at: datetime) -> tuple[RuleResult, ...]: ...


class Scorer(Protocol):
    """A model: margins in log-odds before calibration, probabilities after it, and novelties, one a row."""

    @property
    def model_id(self) -> str: ...
    def ask(self, rows: Sequence[Row]) -> tuple[Sequence[float], Sequence[float], Sequence[float]]: ...
    def explain(self, rows: Sequence[Row], margin: Sequence[float]) -> list[Explanation]: ...


class Unlabelled(Protocol):
    """What stands in for a model while nobody has said what is fraud: how unlike the others a row is, and in what."""

    @property
    def novelty_id(self) -> str: ...
    def novelty(self, row: Row) -> float: ...
    def novelties(self, table: pa.Table) -> np.ndarray: ...
    def strangeness(self, row: Row, currency: str) -> Strangeness: ...


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model said of one row; all None where no model ran, or where it `failed` on these rows."""

    margin: float | None = None
    probability: float | None = None
    novelty: float | None = None
    failed: bool = False


class Engine:
    """Decides transactions in `seq` order, each seeing all that came before it, also within one batch.

    `state` is the only thing that changes; it must have seen every transaction and outcome of the ledger.
    `killed` is the kill switch: rules decide, the model is not asked. `control` says what people and the breaker have
    switched, snoozed or listed; `notes` are kept in the context of every decision. `unlabelled` finds what is worth
    a look where there is no model; `absent` is the word for why there is none.
    """

    def __init__(
        self,
        *,
        state: Features,
        rules: Rules,
        policy: Policy,
        model: Scorer | None,
        key: bytes,
        set_id: str,
        segments: Segments | None = None,
        control: Controls | None = None,
        notes: Mapping[str, Any] | None = None,
        unlabelled: Unlabelled | None = None,
        absent: str = "no_model",
    ) -> None:
        self.state, self.rules, self.policy, self.model = state, rules, policy, model
        self.key, self.set_id = key, set_id
        self.segments, self.control = segments or Segments(policy, {}), control or Control()
        self.notes = dict(notes or {})
        self.unlabelled = unlabelled if model is None else None
        self.absent = absent
        self.killed = False

    def decide(
        self, transactions: Sequence[Transaction], *, at: datetime, load: CapacityState
    ) -> list[Decision]:
        """Decisions in the order given, which must be that of `seq`. `load` is what the day held before."""
        rows = []
        for transaction in transactions:
            rows.append(self.state.features(transaction))
            self.state.add(transaction)
        return self.decide_rows(transactions, rows, at=at, load=load)

    def decide_rows(
        self,
        transactions: Sequence[Transaction],
        rows: Sequence[Row],
        *,
        at: datetime,
        load: CapacityState,
    ) -> list[Decision]:
        """Decisions from features that are already known (replay, backtest); the state is not touched."""
        scored = self._score(rows)
        decisions = []
        for transaction, row, score in zip(transactions, rows, scored, strict=True):
            decision = self._decide_one(transaction, row, score, at, load)
            load = load_after(load, decision)
            decisions.append(decision)
        return self._explained(decisions, rows)

    def instead(
        self, transactions: Sequence[Transaction], rows: Sequence[Row], *, at: datetime, load: CapacityState
    ) -> list[Decision]:
        """What each would be answered by itself, all under the same load and unexplained; nothing is remembered."""
        made = zip(transactions, rows, self._score(rows), strict=True)
        return [self._decide_one(transaction, row, score, at, load) for transaction, row, score in made]

    def _score(self, rows: Sequence[Row]) -> list[Scored]:
        if self.killed or not rows:
            return [Scored()] * len(rows)
        if self.model is None:
            return [Scored(novelty=self.unlabelled.novelty(row) if self.unlabelled else None) for row in rows]
        try:
            return [Scored(*said) for said in zip(*self.model.ask(rows), strict=True)]
        except MODEL_FAILURES:
            log.exception(
                "the model %s failed on %d payments; rules decide them", self.model.model_id, len(rows)
            )
            return [Scored(failed=True)] * len(rows)

    def _decide_one(
        self, transaction: Transaction, row: Row, score: Scored, at: datetime, load: CapacityState
    ) -> Decision:
        results, applied = self.rules.evaluate(row, at), self.control.applying(transaction, at)
        if applied:
            results = applied.on(results)
        segment, policy = self.segments.of(row, at)
        sampling = self.policy.sampling
        draws = transaction_draws(
            self.key, transaction.transaction_id, sampling.audit, sampling.exploration.share
        )
        strange = self._strangeness(row, score, policy)
        answer = triage(
            score.probability,
            transaction.amount_minor,
            results,
            policy,
            load=load,
            draws=draws,
            novelty=score.novelty,
            segment=segment,
            killed=self.killed,
            capped=applied.model_capped,
            strange=strange,
            widening=applied.widening(segment, at),
        )
        if applied.widenings:
            drifted = answer.triage.reason is TriageReason.DRIFT
            applied = applied.having_used(applied.widening(segment, at) if drifted else None)
        looked_at = strange if strange and answer.triage.reason is TriageReason.NOVEL else None
        return Decision(
            transaction=transaction,
            outcome=answer.outcome,
            decided_at=at,
            set_id=self.set_id,
            model_id=self.model.model_id if self.model and not self.killed and not score.failed else "",
            features=row,
            probability=score.probability,
            margin=score.margin,
            rules=results,
            triage=answer.triage,
            draws=draws,
            explored=answer.explored,
            reasons=answer.reasons,
            thresholds=answer.thresholds,
            context=self._context(load, score, segment, applied, looked_at),
        )

    def _strangeness(self, row: Row, score: Scored, policy: Policy) -> Strangeness | None:
        """In what a row is strange; only asked where that may bring it before a person."""
        if self.unlabelled is None or score.novelty is None or score.novelty < policy.novelty_at:
            return None
        return self.unlabelled.strangeness(row, policy.currency)

    def _context(
        self,
        load: CapacityState,
        score: Scored,
        segment: str,
        applied: Applied,
        strange: Strangeness | None,
    ) -> dict[str, Any]:
        """What else mattered; it replays from this. `fail_safe` says why no model answered."""
        context = {"load": load.to_json(), "novelty": score.novelty, "killed": self.killed, **self.notes}
        if self.unlabelled is not None and score.novelty is not None:
            context["novelty_id"] = self.unlabelled.novelty_id
        if strange is not None:
            context["novel_kind"] = strange.kind
        if segment != DEFAULT_SEGMENT:
            context["segment"] = segment
        if applied:
            context["controls"] = applied.as_context()
        if score.probability is None:
            why = "model_failed" if score.failed else self.absent
            context["fail_safe"] = "kill_switch" if self.killed else why
        return context

    def _explained(self, decisions: list[Decision], rows: Sequence[Row]) -> list[Decision]:
        """SHAP for all but plain approvals: whoever looks at it later needs it, and audits look too."""
        if self.model is None or self.killed:
            return decisions
        wanted = [i for i, d in enumerate(decisions) if d.margin is not None and needs_explanation(d)]
        if not wanted:
            return decisions
        margins = [margin for i in wanted if (margin := decisions[i].margin) is not None]
        told = self._explanations([rows[i] for i in wanted], margins)
        for i, explanation in zip(wanted, told, strict=True):
            decisions[i] = replace(decisions[i], explanation=explanation)
        return decisions

    def _explanations(self, rows: Sequence[Row], margins: Sequence[float]) -> Sequence[Explanation | None]:
        """One for each row. Where they fail the answer stands unexplained: a payer waits for it, and no part of it was
        taken from its explanation."""
        assert self.model is not None
        try:
            return self.model.explain(rows, margins)
        except (SecondLookError, *MODEL_FAILURES):
            log.exception("the model %s could not explain %d decisions", self.model.model_id, len(rows))
            return [None] * len(rows)


def needs_explanation(decision: Decision) -> bool:
    """Whether SHAP values are stored with the decision rather than worked out on demand."""
    return decision.outcome is not Outcome.APPROVE or bool(decision.triage.reason) or decision.explored


def is_unexplained(decision: Decision) -> bool:
    """Whether SHAP values should be stored with it, and are not, because working them out failed."""
    return decision.explanation is None and decision.margin is not None and needs_explanation(decision)


def load_after(load: CapacityState, decision: Decision) -> CapacityState:
    """The day's load once this decision is made; audits count, since they take a reviewer's time too."""
    if decision.outcome is Outcome.REVIEW or decision.draws.audited:
        load = replace(load, reviews_today=load.reviews_today + 1)
    if decision.explored:
        amount = decision.transaction.amount_minor or 0
        load = replace(
            load,
            explored_today=load.explored_today + 1,
            explored_amount_today_minor=load.explored_amount_today_minor + amount,
        )
    if decision.triage.reason is TriageReason.DRIFT:
        load = replace(load, drift_today=load.drift_today + 1)
    if (kind := decision.context.get("novel_kind")) is not None:
        before = load.novel_today
        load = replace(load, novel_today={**before, kind: before.get(kind, 0) + 1})
    return load
