"""What does a served workspace do whose queries find no memory?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from casework.http.api import create_api
from data.integrity import chain
from tests.http.institution import large_payment, make_workspace, payment, served

pytestmark = pytest.mark.soak


def test_decisions_go_on_where_queries_find_no_memory_and_those_are_refused_in_sentences(
    tmp_path: Path,
) -> None:
    with served(make_workspace(tmp_path / "bank")) as bank:
        for n in range(1, 40):
            bank.decide(large_payment(n) if n % 3 == 0 else payment(n))
        paths = create_api(bank.app).openapi()["paths"]
        lists = [
            path
            for path, does in paths.items()
            if "get" in does and path.startswith("/v1") and "{" not in path
        ]
        ledger, answered = bank.app.ledger, Counter[int]()
        with ledger._connection.cursor() as setting:
            setting.execute("SET GLOBAL memory_limit = '8MB'")
            for who in ("risk-manager-1", "auditor-1", "analyst-1"):
                for path in lists:
                    told = bank.ask(who, "GET", path)
                    answered[told.status_code] += 1
                    if told.status_code >= 500:
                        assert (told.status_code, told.json()["title"]) == (503, "Not enough memory"), path
            decided = [bank.decide(payment(n))["transaction_id"] for n in range(40, 90)]
            setting.execute("RESET GLOBAL memory_limit")
        assert min(answered[200], answered[503]) > 10
        assert all(ledger.seq_of(name) for name in decided)
        ledger.checkpoint()
        assert chain.verify(ledger).ok
