"""Do the rules answer their own inline tests as their authors expected?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.decision import RuleState
from engine.rules.compiled import checked, compile_condition
from engine.rules.lists import Lists
from engine.rules.rule import InlineTest, Rule
from engine.rules.rule_set import STATES, RuleSet, kinds_of


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """One inline test and the state its values really led to."""

    __test__ = False  # the word is the rule author's; pytest must not collect it

    rule_id: str
    test: InlineTest
    actual: RuleState

    @property
    def passed(self) -> bool:
        return self.actual is self.test.expect

    def __str__(self) -> str:
        mark = "ok  " if self.passed else "FAIL"
        found = "" if self.passed else f": expected {self.test.expect}, was {self.actual}"
        return f"{mark} {self.rule_id}: {self.test.name}{found}"


def run_tests(rule_set: RuleSet) -> list[TestOutcome]:
    """Run every inline test of every rule, whatever the rule's status."""
    return [outcome for rule in rule_set for outcome in run_rule_tests(rule, rule_set.lists)]


def run_rule_tests(rule: Rule, lists: Lists) -> list[TestOutcome]:
    """Run one rule's inline tests."""
    answer = _answering(rule, lists)
    return [TestOutcome(rule.id, test, answer(test)) for test in rule.tests]


def notices(rule: Rule, lists: Lists) -> bool:
    """Whether any inline test gives something else than it expects; stops at the first that does."""
    answer = _answering(rule, lists)
    return any(answer(test) is not test.expect for test in rule.tests)


def failures(outcomes: Iterable[TestOutcome]) -> list[TestOutcome]:
    """Those that did not come out as expected."""
    return [outcome for outcome in outcomes if not outcome.passed]


def _answering(rule: Rule, lists: Lists) -> Callable[[InlineTest], RuleState]:
    """The rule's answer to a test; its condition is compiled once for all of them."""
    condition, kinds, expires = compile_condition(rule.when, lists), kinds_of(rule.when), rule.then.expires

    def answer(test: InlineTest) -> RuleState:
        if expires is not None and test.at >= expires:
            return RuleState.NO_HIT
        values = {name: checked(test.given.get(name), kind) for name, kind in kinds.items()}
        return STATES[condition(values, test.at)]

    return answer
