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
from data.events import EventDraft
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


def test_a_burst_decided_at_once_hides_nothing_that_was_before_it(tmp_path: Path) -> None:
    app = App.open(make_workspace(tmp_path / "workspace"))
    try:
        columns = app.mapping
        kept = past.PastPayments(app.ledger, columns)
        one = {**payment(1), "occurred_at": NOW, "amount": Decimal("12.50"), "personal": {}}
        burst = [replace(checked(Sent(**one), columns), seq=n) for n in range(1, 121)]
        kept.add(burst[:3])
        kept.add(burst[3:60])
        asked = [Decision(burst[n], Outcome.REVIEW, NOW, "set_1", "", {}) for n in (4, 59)]
        found = kept.before(asked, NOW)
        kept.add(burst[60:])
        later = kept.before([Decision(burst[119], Outcome.REVIEW, NOW, "set_1", "", {})], NOW)
    finally:
        app.close()
    assert [row["seq"] for row in found[5]] == [4, 3, 2, 1]
    assert [row["seq"] for row in found[60]] == list(range(59, 39, -1))
    assert [row["seq"] for row in later[120]] == list(range(119, 99, -1))


def test_a_fraud_that_was_taken_back_is_no_known_fraud(tmp_path: Path) -> None:
    app = App.open(make_workspace(tmp_path / "workspace"))
    try:
        one = {**payment(1), "occurred_at": NOW, "amount": Decimal("12.50"), "personal": {}}
        app.decide([checked(Sent(**one), app.mapping)], NOW)
        latest = replace(checked(Sent(**one), app.mapping), seq=app.ledger.next_transaction_seq)
        asked, known = Decision(latest, Outcome.REVIEW, NOW, "set_1", "", {}), []
        kept = past.PastPayments(app.ledger, app.mapping)
        for reported_seq, is_fraud in ((1, True), (2, False)):
            kept.learn(1, is_fraud, NOW)
            outcome = {"transaction_seq": 1, "is_fraud": is_fraud, "known_at": NOW, "recorded_at": NOW}
            with app.ledger.writing() as w:
                w.insert(
                    "outcomes",
                    [{**outcome, "reported_seq": reported_seq, "source": "api", "reason_code": ""}],
                )
                w.event(EventDraft("test", "outcomes.reported", "outcomes"), NOW)
            anew = past.PastPayments(app.ledger, app.mapping)
            known += [memory.before([asked], NOW)[latest.seq][0]["known_fraud"] for memory in (kept, anew)]
    finally:
        app.close()
    assert known == [True, True, False, False]
