"""Is a decision written in the same bytes, whether or not other payments share its rules' results?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from casework.deciding.decisions import as_json
from data.canonical import canonical_json
from data.transactions import Transaction
from engine.decision import Decision, Outcome, Results, RuleResult, RuleState

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
QUIET = RuleResult("calm", 2, RuleState.NO_HIT, status="shadow")
MISSING = RuleResult(
    "gap", 1, RuleState.MISSING, Outcome.REVIEW, lane="uncertain", reason="a value – is missing"
)
HIT = RuleResult("loud", 1, RuleState.HIT, Outcome.REVIEW, reason="because")


@pytest.mark.parametrize("rules", [(), (QUIET,), (QUIET, MISSING), (QUIET, HIT, MISSING)])
def test_shared_results_are_written_as_each_payments_own(rules: tuple[RuleResult, ...]) -> None:
    paid = Transaction("t", AT, 100, {}, {}, None, "EUR", {}, 1)
    alone = Decision(paid, Outcome.APPROVE, AT, "set", "", {}, rules=rules)
    shared = Results(rules)
    for _ in range(2):
        assert canonical_json(as_json(replace(alone, rules=shared))) == canonical_json(as_json(alone))
