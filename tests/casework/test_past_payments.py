"""Does a reviewer see the same past whether it was at hand or had to be read?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from casework.app import App
from casework.cases import past
from casework.deciding.transactions import Sent, checked
from engine.decision import Decision, Outcome
from tests.http.institution import make_workspace, payment

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_past_is_the_same_at_hand_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App.open(make_workspace(tmp_path / "workspace"))
    try:
        bodies = [payment(n, amount=None if n == 3 else "12.50", attributes={}) for n in range(1, 5)]
        sent = [
            Sent(**{**b, "occurred_at": NOW, "amount": b["amount"] and Decimal(b["amount"]), "personal": {}})
            for b in bodies
        ]
        same = [replace(s, entities=sent[0].entities) for s in sent]
        app.decide([checked(s, app.mapping) for s in same], NOW)
        next_seq = app.ledger.next_transaction_seq
        latest = replace(checked(same[0], app.mapping), seq=next_seq)
        asked = Decision(latest, Outcome.REVIEW, NOW, "set_1", "", {})

        at_hand = past.PastPayments(app.ledger, app.mapping).before([asked], NOW)
        monkeypatch.setattr(past, "_AT_HAND", 0)
        read = past.PastPayments(app.ledger, app.mapping).before([asked], NOW)
    finally:
        app.close()

    assert [row["transaction_id"] for row in at_hand[next_seq]] == [b["transaction_id"] for b in bodies[::-1]]
    assert at_hand == read
