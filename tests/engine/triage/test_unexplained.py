"""Is a payment answered where its explanation fails?"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.transactions import Transaction
from engine.costs import CapacityState
from engine.decide import Engine
from engine.decision import Outcome
from engine.policy import load_policy
from tests.unreadable import Unreadable

POLICY = load_policy((Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes(), "policy.yaml")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


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
