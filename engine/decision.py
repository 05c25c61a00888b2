"""What did the engine answer for one transaction, and everything that made it answer so?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any

from data.transactions import Transaction

FeatureValue = float | int | str | bool | None


class Outcome(IntEnum):
    """The engine's answer, ordered by strictness so that `max` is "strictest wins"."""

    APPROVE = 0
    REVIEW = 1
    DECLINE = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class RuleState(StrEnum):
    """What evaluating a rule's condition gave."""

    HIT = "hit"
    NO_HIT = "no_hit"
    MISSING = "missing"
    SNOOZED = "snoozed"
    ERROR = "error"


_COUNTING = frozenset((RuleState.HIT, RuleState.MISSING, RuleState.ERROR))


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule on one transaction; `reason` is rendered with values.

    `floor` is the outcome it asks for in this state: that of `then` when hit, that of `on_missing` when missing or
    in error, else approve. `effect` is floor, allow (an allow lane, up to `amount_cap_minor`) or block (a block list).
    """

    rule_id: str
    version: int
    state: RuleState
    floor: Outcome = Outcome.APPROVE
    lane: str = ""
    reason: str = ""
    status: str = "live"
    features: tuple[str, ...] = ()
    effect: str = "floor"
    amount_cap_minor: int | None = None


class Results(tuple[RuleResult, ...]):
    """The results in order, equal to a plain tuple of them.

    Triage, a shadow's triage, the breaker and the ledger each ask for a part of them, and most payments share one
    object: a rule set makes it once for each pattern of answers without a hit. `written` is a place for their JSON.
    """

    written: Any = None

    @classmethod
    def of(cls, results: Sequence[RuleResult]) -> Results:
        """These results, as they are if they are that already."""
        return results if isinstance(results, Results) else cls(results)

    @cached_property
    def under(self) -> dict[Hashable, Results]:
        """What these became under each set of switches that has been in force, kept by whoever applies them."""
        return {}

    @cached_property
    def live(self) -> tuple[RuleResult, ...]:
        """Those that count."""
        return tuple(r for r in self if r.status == "live")

    @cached_property
    def asking(self) -> tuple[RuleResult, ...]:
        """Live ones that ask for more than approval."""
        return tuple(
            r for r in self.live if r.effect == "floor" and r.state in _COUNTING and r.floor > Outcome.APPROVE
        )

    @cached_property
    def hits(self) -> tuple[RuleResult, ...]:
        return tuple(r for r in self if r.state is RuleState.HIT)

    @cached_property
    def errors(self) -> tuple[RuleResult, ...]:
        """Those of rules that could not be evaluated."""
        return tuple(r for r in self if r.state is RuleState.ERROR)

    @cached_property
    def blocking(self) -> tuple[RuleResult, ...]:
        """Live block lists that hit."""
        return tuple(r for r in self.hits if r.status == "live" and r.effect == "block")

    @cached_property
    def allowing(self) -> tuple[RuleResult, ...]:
        """Live allow lanes that hit, whatever their caps."""
        return tuple(r for r in self.hits if r.status == "live" and r.effect == "allow")


@dataclass(frozen=True, slots=True)
class Strangeness:
    """In what a transaction is unlike those seen: the input (or family of inputs) that stands out most, and the
    strangest ones in words."""

    kind: str
    words: tuple[str, ...]


class TriageReason(StrEnum):
    """Why a person should look. NONE means nobody needs to."""

    NONE = ""
    UNCERTAIN = "uncertain"
    RULE_ASKS = "rule_asks"
    DISAGREE = "model_and_rule_disagree"
    NOVEL = "unlike_anything_seen"
    HIGH_AMOUNT = "high_amount"
    AUDIT = "audit"
    DRIFT = "drift"
    FAIL_SAFE = "fail_safe"


@dataclass(frozen=True, slots=True)
class Triage:
    """Whether a person is worth more than a guess, with the numbers that said so.

    Costs are expected costs in minor units of the base currency. `lane` is money_at_risk, uncertain or audit.
    """

    reason: TriageReason = TriageReason.NONE
    lane: str = ""
    sentence: str = ""
    cost_approve: float = 0.0
    cost_decline: float = 0.0
    cost_review: float = 0.0
    capacity_price: float = 0.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Additive SHAP values in log-odds: base + sum(contributions) = margin within 1e-5 (Lundberg et al. 2020)."""

    base: float
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Draws:
    """Keyed uniform draws in [0, 1) and the probabilities they were held against; unpredictable without the key."""

    audit: float = 1.0
    audit_probability: float = 0.0
    explore: float = 1.0
    explore_probability: float = 0.0

    @property
    def audited(self) -> bool:
        return self.audit < self.audit_probability


@dataclass(frozen=True, slots=True)
class Decision:
    """A whole decision. `margin` is the model's log-odds before calibration, `probability` after it; both None
    when no model ran. `outcome` is what is answered; `explored` says a decline was turned into an approval."""

    transaction: Transaction
    outcome: Outcome
    decided_at: datetime
    set_id: str
    model_id: str
    features: Mapping[str, FeatureValue]
    probability: float | None = None
    margin: float | None = None
    rules: tuple[RuleResult, ...] = ()
    triage: Triage = field(default_factory=Triage)
    draws: Draws = field(default_factory=Draws)
    explanation: Explanation | None = None
    explored: bool = False
    reasons: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hits(self) -> tuple[RuleResult, ...]:
        return Results.of(self.rules).hits

    def with_context(self, context: Mapping[str, Any]) -> Decision:
        """The decision with another context. `replace` does the same in three times the time: it asks for each field by
        name, and every decision beside a shadow is told so."""
        return Decision(
            self.transaction,
            self.outcome,
            self.decided_at,
            self.set_id,
            self.model_id,
            self.features,
            self.probability,
            self.margin,
            self.rules,
            self.triage,
            self.draws,
            self.explanation,
            self.explored,
            self.reasons,
            self.thresholds,
            context,
        )
