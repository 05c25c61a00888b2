"""Which segment of the policy does a payment belong to, and what does the policy say there?

A segment is a condition of the rules' own closed grammar. They are tried in the order of the file, the first that
holds wins, and `default` is last. A condition whose values are missing does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from data.strict_yaml import load
from engine.decision import FeatureValue
from engine.features.feature_set import FeatureSet
from engine.fields import Fields
from engine.policy import DEFAULT_SEGMENT, Policy
from engine.rules.compiled import WrongValue, checked, compile_condition
from engine.rules.conditions import Node
from engine.rules.grammar import ALLOWED, GrammarError, parse_condition
from engine.rules.lists import Lists
from engine.rules.rule_set import kinds_of
from engine.rules.sql import condition_sql, literal

Row = Mapping[str, FeatureValue]
Condition = Callable[[Mapping[str, Any], datetime], bool | None]


def within(policy: Policy, name: str) -> Policy:
    """The policy with what the segment of that name says in place of the general values."""
    segment = policy.segment(name)
    own = {
        "costs": segment.costs,
        "thresholds": segment.thresholds,
        "four_eyes_amount_minor": segment.four_eyes_amount_minor,
        "high_amount_minor": segment.high_amount_minor,
    }
    said: dict[str, Any] = {key: value for key, value in own.items() if value is not None}
    return replace(policy, **said) if said else policy


@dataclass(frozen=True, slots=True)
class _Tried:
    name: str
    policy: Policy
    node: Node
    kinds: tuple[tuple[str, str], ...]
    holds: Condition


class Segments:
    """The segments of one policy, compiled."""

    def __init__(self, policy: Policy, conditions: Mapping[str, Node], lists: Lists | None = None) -> None:
        self._lists = lists or Lists()
        self._default = (DEFAULT_SEGMENT, within(policy, DEFAULT_SEGMENT))
        self._tried = [
            _Tried(
                name,
                within(policy, name),
                node,
                tuple(kinds_of(node).items()),
                compile_condition(node, self._lists),
            )
            for name, node in conditions.items()
        ]

    def of(self, row: Row, at: datetime) -> tuple[str, Policy]:
        """The segment's name, and the policy as it is there."""
        for tried in self._tried:
            try:
                values = {name: checked(row.get(name), kind) for name, kind in tried.kinds}
                if tried.holds(values, at):
                    return tried.name, tried.policy
            except (WrongValue, OverflowError):
                continue  # a value of another kind than its feature's fits no segment
        return self._default

    def policy(self, name: str) -> Policy:
        """The policy as it is in the segment of that name."""
        return next((tried.policy for tried in self._tried if tried.name == name), self._default[1])

    @property
    def features(self) -> tuple[str, ...]:
        """The features that the conditions read."""
        return tuple(dict.fromkeys(name for tried in self._tried for name, _ in tried.kinds))

    @property
    def names(self) -> Sequence[str]:
        """In the order in which they are tried."""
        return [*(tried.name for tried in self._tried), DEFAULT_SEGMENT]

    def sql(self, at: str) -> str:
        """An expression over a table of features: the segment's name. `at` is SQL for the moment in microseconds."""
        branches = [
            f"WHEN {condition_sql(tried.node, self._lists, at)} THEN {literal(tried.name)}"
            for tried in self._tried
        ]
        return f"CASE {' '.join(branches)} ELSE {literal(DEFAULT_SEGMENT)} END" if branches else "'default'"


def load_segments(
    text: bytes, policy: Policy, features: FeatureSet, lists: Lists, where: str = "rules/policy.yaml"
) -> Segments:
    """Read the conditions of a policy's segments. ConfigError with file:line:column for one that is none."""
    every = Fields(load(text, where)).part("segments")
    kinds = {spec.name: spec.kind for spec in features.features}
    conditions = {}
    for name, segment in policy.segments.items():
        if segment.when:
            part = every.part(name)
            try:
                conditions[name] = parse_condition(segment.when, kinds, tuple(lists))
            except GrammarError as problem:
                raise part.error(problem.what, "when", allowed=ALLOWED, hint=problem.hint) from problem
    return Segments(policy, conditions, lists)
