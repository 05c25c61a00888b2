"""Does what decides learn an import step by step as if it had been loaded anew, with decisions going on beside it?"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from casework.app import App
from casework.deciding import importing
from casework.deciding.transactions import Sent, checked
from casework.workspace import Admin, create, write_private
from data import reading
from data.incoming import ingest_steps
from data.integrity import chain
from tests.http.institution import KEY, PASSWORD, RULES, START, payment, proposals

HEADER = (
    "transaction_id,occurred_at,customer,card,merchant,device,merchant_category,merchant_country,country,"
    "channel,amount,currency,age_band,customer_name,email,fraud\n"
)
NOW = START + timedelta(days=2)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text((RULES / "mapping.yaml").read_text() + "\nlabel: {column: fraud, known_after: 1h}\n")
    workspace = create(tmp_path / "bank", mapping, proposals(), Admin("admin-1", PASSWORD), at=START)
    write_private(workspace.key_file, KEY)
    app = App.open(workspace, lambda: NOW)
    yield app
    app.close()


def decide(app: App, number: int, **changes: Any) -> None:
    body = payment(number, **changes)
    sent = Sent(
        body["transaction_id"],
        datetime.fromisoformat(body["occurred_at"]).astimezone(UTC),
        Decimal(body["amount"]),
        body["currency"],
        body["entities"],
        body["attributes"],
        {},
    )
    (answer,) = app.decide([checked(sent, app.mapping)], NOW)
    assert isinstance(answer, bytes)


def history(folder: Path, rows: int) -> Path:
    """Payments of the same customers, some before and some among those decided, some of them fraud."""
    lines = []
    for n in range(rows):
        at = (START + timedelta(minutes=7 * (n * 37 % rows) - 600)).isoformat()
        fraud = "1" if n % 9 == 0 else "0" if n % 4 else ""
        lines.append(
            f"h{n},{at},c{n % 5},k{n % 5},m1,d{n % 5},food,DE,DE,pos,{n}.50,EUR,30-39,Customer,c@example.org,{fraud}\n"
        )
    path = folder / "history.csv"
    path.write_text(HEADER + "".join(lines))
    return path


def seen(app: App) -> list[dict[str, Any]]:
    """The features that each customer's next payment would have, and what a reviewer would see beside it."""
    last = list(reading.transactions(app.ledger))[-10:]
    return [app.live.memory.features(one) for one in last]


def test_memory_that_took_in_a_file_in_steps_equals_memory_built_anew(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_steps, "STEP", 20)
    decide(app, 1)
    before, left = app.live, threading.Event()

    def decisions() -> None:
        for number in range(2, 40):
            decide(app, number)
        left.set()

    beside = threading.Thread(target=decisions)
    beside.start()
    report = importing.import_file(app, history(tmp_path, 150), "history.csv", actor="admin-1", at=NOW)
    beside.join()
    assert left.is_set()
    assert (report["accepted"], report["quarantined"]) == (150, 0)
    assert app.live.memory is before.memory  # kept up, not loaded anew
    kept, frauds = seen(app), dict(app.live.past._frauds)
    app.forget()
    assert seen(app) == kept
    assert any(value for row in kept for name, value in row.items() if "fraud" in name)
    assert dict(app.live.past._frauds) == frauds
    assert chain.verify(app.ledger).ok


@pytest.mark.parametrize("decided", [False, True])
def test_rows_older_than_memory_reaches_are_counted_and_told(app: App, tmp_path: Path, decided: bool) -> None:
    if decided:
        decide(app, 1)
    else:
        newer = tmp_path / "newer.csv"
        newer.write_text(history(tmp_path, 1).read_text().replace("h0,", "newer,"))
        importing.import_file(app, newer, "newer.csv", actor="admin-1", at=NOW)
    text, path = history(tmp_path, 2).read_text(), tmp_path / "old.csv"
    path.write_text(re.sub(r"\d{4}-\d\d-\d\dT", "2018-03-01T", text))
    report = importing.import_file(app, path, "old.csv", actor="admin-1", at=NOW)
    assert (report["accepted"], report["beyond_memory"]) == (2, 2)
    assert "their windows are empty" in report["warnings"][0]
    now = importing.import_file(app, history(tmp_path, 9), "now.csv", actor="admin-1", at=NOW)
    assert (now["beyond_memory"], now["warnings"]) == (0, [])


def test_an_import_that_fails_in_a_step_leaves_a_memory_that_fits_the_ledger(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_steps, "STEP", 20)
    decide(app, 1)
    learn, calls = importing.observe, []

    def fails(*told: Any) -> None:
        calls.append(told)
        if len(calls) == 30:
            raise MemoryError
        learn(*told)

    monkeypatch.setattr(importing, "observe", fails)
    with pytest.raises(MemoryError):
        importing.import_file(app, history(tmp_path, 100), "history.csv", actor="admin-1", at=NOW)
    kept = seen(app)
    app.forget()
    assert seen(app) == kept
    monkeypatch.undo()
    again = importing.import_file(app, history(tmp_path, 100), "history.csv", actor="admin-1", at=NOW)
    assert (again["accepted"] + again["duplicate"], again["quarantined"]) == (100, 0)
    assert again["accepted"] > 0
    assert again["duplicate"] > 0
    kept = seen(app)
    app.forget()
    assert seen(app) == kept
    assert chain.verify(app.ledger).ok
