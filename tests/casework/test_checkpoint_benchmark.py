"""Does the table of checkpoints measure what it says: decisions on record, and a write-ahead log that went away?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.checkpoints import measured
from casework.app import App
from casework.workspace import Workspace
from data.transactions import Transaction
from tests.http.institution import START, make_workspace

ENTITIES = {"customer": "c1", "card": "k1", "merchant": "m1", "device": "d1"}
PAST = [
    Transaction(
        f"p{n}", START + timedelta(minutes=n), 1250, ENTITIES, {"channel": "pos"}, Decimal("12.5"), "EUR", {}
    )
    for n in range(20)
]


@pytest.mark.parametrize("tidy", [True, False])
def test_each_row_is_of_its_own_decisions_and_leaves_little_to_move(tmp_path: Path, tidy: bool) -> None:
    root = make_workspace(tmp_path / "bank").root
    few, more = measured(root, PAST, (5, 40), tidy=tidy)
    assert (few[0], more[0]) == (5, 40)
    assert 0 < few[1] < more[1]
    assert all(spent >= 0 and peak > 0 for _, _, spent, _, peak in (few, more))
    app = App.open(Workspace(root))
    try:
        assert app.ledger.read("SELECT count(*) AS n FROM decisions")[0]["n"] == 45
    finally:
        app.close()
