"""From which payments does a server without a model learn what is usual, where the record is large?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from casework.app import App
from casework.deciding.transactions import Sent, checked
from casework.learning.registry import novelty
from tests.http.institution import make_workspace, payment

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_of_a_large_record_stretches_are_learned_from_that_are_spread_over_the_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(novelty, "LARGE", 40)
    monkeypatch.setattr(novelty, "STRETCHES", 4)
    monkeypatch.setattr(novelty, "IN_A_STRETCH", 3)
    app = App.open(make_workspace(tmp_path / "bank"))
    try:
        bodies = [
            {**payment(n), "occurred_at": NOW, "amount": Decimal("12.50"), "personal": {}}
            for n in range(1, 61)
        ]
        app.decide([checked(Sent(**body), app.mapping) for body in bodies], NOW)
        features = app.settings().features
        few = novelty._latest(app.ledger, features, 40, 40)
        many = novelty._latest(app.ledger, features, 60, 60)
        whole = novelty.batch_features(app.ledger, features, first_seq=1, last_seq=60)
    finally:
        app.close()
    assert few["seq"].to_pylist() == list(range(1, 41))
    assert many["seq"].to_pylist() == [28, 29, 30, 38, 39, 40, 48, 49, 50, 58, 59, 60]
    # Each row as if all had been worked out.
    assert many.to_pylist() == [row for row in whole.to_pylist() if row["seq"] in many["seq"].to_pylist()]
