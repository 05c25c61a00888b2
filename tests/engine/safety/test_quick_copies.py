"""Is a copy that is made the quick way the same as by `dataclasses.replace`?"""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime
from decimal import Decimal

from data.transactions import Transaction
from engine.decision import Decision, Draws, Explanation, Outcome, Triage, TriageReason

AT = datetime(2026, 3, 1, tzinfo=UTC)
PAYMENT = Transaction(
    "t1", AT, 5, {"card": "c"}, {"channel": "web"}, Decimal("0.05"), "EUR", {"iban": "x"}, 7
)
DECISION = Decision(
    PAYMENT, Outcome.REVIEW, AT, "set_1", "model_1", {"f": 1}, 0.5, 0.1, (), Triage(TriageReason.NOVEL), Draws(0.5),
    Explanation(0.1, {"f": 0.2}), True, ("because",), {"review_at": 0.4}, {"killed": False},
)  # fmt: skip


def test_no_field_is_lost_by_a_quick_copy() -> None:
    for made in (PAYMENT, DECISION):
        empty = [f.default if f.default_factory is MISSING else f.default_factory() for f in fields(made)]
        told = [getattr(made, f.name) for f in fields(made)]
        assert all(here != left_out for here, left_out in zip(told, empty, strict=True) if here != ())
    assert PAYMENT.placed(9) == replace(PAYMENT, seq=9)
    assert DECISION.with_context({"killed": True}) == replace(DECISION, context={"killed": True})
