"""What is one rule, once its file has been read?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from engine.decision import FeatureValue, Outcome, RuleState
from engine.rules.conditions import Node, names
from engine.rules.reasons import Reason

STATUSES = ("draft", "shadow", "live", "retired")
SEVERITIES = ("low", "medium", "high", "critical")
EFFECTS = ("floor", "allow", "block")


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a hit does: ask for an outcome of at least `floor`, open an allow lane (up to an amount in minor units,
    until before `expires`), or block. `lane` is where the case goes, empty for the usual one."""

    effect: str
    floor: Outcome
    reason: Reason
    lane: str = ""
    expires: datetime | None = None
    amount_cap_minor: int | None = None


@dataclass(frozen=True, slots=True)
class InlineTest:
    """Feature values (those not given are missing) and the state they must lead to."""

    name: str
    given: Mapping[str, FeatureValue]
    expect: RuleState
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a rule's tuning history."""

    version: int
    at: str
    change: str


@dataclass(frozen=True)
class Rule:
    """A whole rule file. `sha256` is that of the file's bytes; `where` names the file in errors."""

    id: str
    version: int
    title: str
    status: str
    typology: str
    severity: str
    owner: str
    description: str
    when: Node
    conditions: tuple[str, ...]
    then: Consequence
    on_missing: Outcome
    false_positives: str
    runbook: str
    history: tuple[Change, ...]
    tests: tuple[InlineTest, ...]
    where: str
    sha256: str

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features the condition reads."""
        return names(self.when)

    @property
    def runs(self) -> bool:
        """Live rules are obeyed, shadow rules are only recorded; drafts and retired ones are not evaluated."""
        return self.status in ("live", "shadow")
