"""A model whose decisions stand though its reasons cannot be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.decision import Explanation
from engine.model.explain import ExplanationError


class Unreadable:
    """A model that is sure, and whose reasons do not add up."""

    model_id = "m_unreadable"

    def ask(self, rows: Sequence[Any]) -> tuple[list[float], list[float], list[float]]:
        return [0.0] * len(rows), [0.99] * len(rows), [0.0] * len(rows)

    def explain(self, rows: Sequence[Any], margin: Sequence[float]) -> list[Explanation]:
        raise ExplanationError("the reasons of row 0 sum to 1.0, its margin is 2.0")
