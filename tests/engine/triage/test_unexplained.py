"""Is a payment answered where its explanation fails?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.transactions import Transaction
from engine.costs import CapacityState
from engine.decide import Engine
from engine.decision import Explanation, Outcome
from engine.model.explain import ExplanationError
from engine.policy import load_policy

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes(), "policy.yaml")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Unreadable:
    """A model that is sure, and whose reasons do not add up."""

    model_id = "m_unreadable"

    def ask(self, rows: Sequence[Any]) -> tuple[list[float], list[float], list[float]]:
        return [0.0] * len(rows), [0.99] * len(rows), [0.0] * len(rows)

    def explain(self, rows: Sequence[Any], margin: Sequence[float]) -> list[Explanation]:
        raise ExplanationError("the reasons of row 0 sum to 1.0, its margin is 2.0")


class Silent:
    """No rule ever says anything."""

    def evaluate(self, row: Any, at: datetime) -> tuple[()]:
        return ()


def test_a_decision_whose_explanation_fails_stands_without_it(caplog: pytest.LogCaptureFixture) -> None:
    parts: dict[str, Any] = {"state": None, "rules": Silent(), "policy": POLICY, "model": Unreadable()}
    engine = Engine(**parts, key=b"k" * 32, set_id="set_1")
    payment = Transaction("t1", NOW, 6000, Decimal(60), "EUR", {}, {}, {}, seq=1)

    with caplog.at_level(logging.ERROR, "secondlook.decisions"):
        [made] = engine.decide_rows([payment], [{}], at=NOW, load=CapacityState())

    assert (made.outcome, made.model_id, made.explanation) == (Outcome.DECLINE, "m_unreadable", None)
    assert "could not explain 1 decisions" in caplog.text
