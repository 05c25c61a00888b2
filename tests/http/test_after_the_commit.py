"""What if something fails when the write is on disk already: is it answered, and does memory fit the ledger?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework import live
from casework.app import App
from casework.deciding import importing, outcomes
from casework.deciding.outcomes import Told
from casework.safety import alarms
from data.errors import DiskError, NotFoundError
from data.integrity import chain
from tests.http.institution import START, make_workspace
from tests.http.test_importing_beside import NOW, decide

OUTCOMES = """
outcomes: {transaction_id: transaction_id, known_at: known_at, reason_code: reason_code, fraud_codes: ["10.4"]}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    workspace = make_workspace(tmp_path_factory.mktemp("after") / "bank")
    mapping = workspace.root / "mapping.yaml"
    mapping.write_text(mapping.read_text() + OUTCOMES)
    app = App.open(workspace, lambda: NOW)
    decide(app, 1)
    yield app
    app.close()


def refuse(*_: Any, **__: Any) -> None:
    raise DiskError("the disk does not take what is written", where="x")


def told(number: int, is_fraud: bool = True) -> Told:
    return Told(f"t{number}", is_fraud, NOW, "10.4")


def stored(app: App, number: int) -> list[bool]:
    rows = app.ledger.read(
        "SELECT o.is_fraud FROM outcomes o JOIN transactions t ON t.seq = o.transaction_seq "
        "WHERE t.transaction_id = ? ORDER BY o.rowid",
        [f"t{number}"],
    )
    return [row["is_fraud"] for row in rows]


def test_decisions_are_answered_where_the_alarm_about_earlier_ones_cannot_be_raised(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.readiness.refused("not_recorded", 3)
    with monkeypatch.context() as patched:
        patched.setattr(app.ledger, "writing", refuse)
        decide(app, 2)
    assert not app.readiness.disk_refuses
    decide(app, 3)
    (alarm,) = (a for a in alarms.listed(app.ledger) if a["subject"] == "not_recorded")
    assert alarm["sentence"].startswith("3 payments were sent back")


def test_decisions_are_answered_where_what_decides_cannot_be_loaded_anew_after_them(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.live.guard.stale = True
    with monkeypatch.context() as patched:
        patched.setattr(live, "after_pause", refuse)
        decide(app, 4)
    assert not app.deciding  # what was paused must not go on
    decide(app, 5)
    assert app.deciding


@pytest.mark.parametrize("by_file", [False, True])
def test_outcomes_whose_commit_came_through_though_it_raised_are_learned(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_file: bool
) -> None:
    number = 10 + by_file
    decide(app, number)
    adopt, failures = app.ledger._adopt, iter([MemoryError()])

    def fails_once(writer: Any) -> None:
        if problem := next(failures, None):
            raise problem
        adopt(writer)

    monkeypatch.setattr(app.ledger, "_adopt", fails_once)
    with pytest.raises(MemoryError):
        report(app, number, tmp_path if by_file else None)
    assert stored(app, number) == [True]
    assert not app.deciding
    assert app.live.past._frauds
    assert chain.verify(app.ledger).ok


@pytest.mark.parametrize("by_file", [False, True])
def test_outcomes_that_could_not_all_be_learned_have_the_memory_built_anew(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_file: bool
) -> None:
    number = 20 + by_file
    decide(app, number)
    monkeypatch.setattr(type(app.live.past), "learn", refuse)
    with pytest.raises(DiskError):
        report(app, number, tmp_path if by_file else None)
    assert stored(app, number) == [True]
    assert not app.deciding


def report(app: App, number: int, folder: Path | None) -> None:
    _ = app.live
    if folder is None:
        outcomes.report(app, [told(number)], by="integrator-1", at=NOW)
        return
    file = folder / "told.csv"
    file.write_text(f"transaction_id,known_at,reason_code\nt{number},{NOW.isoformat()},10.4\n")
    importing.import_outcomes(app, file, "told.csv", actor="integrator-1", at=NOW)


def test_an_outcome_of_nothing_is_refused_without_forgetting_what_decides(app: App) -> None:
    before = app.live
    with pytest.raises(NotFoundError):
        outcomes.report(app, [Told("never", True, START, "")], by="integrator-1", at=NOW)
    assert app.live is before


def test_outcomes_reported_again_are_recorded_once_and_counted_as_duplicates(app: App) -> None:
    decide(app, 30)
    decide(app, 31)
    sent = [told(30), told(30), told(31)]
    first = outcomes.report(app, sent, by="integrator-1", at=NOW)
    head = app.ledger.last_event
    again = outcomes.report(app, sent, by="integrator-1", at=NOW)
    assert (first, again) == (
        {"recorded": 2, "frauds": 2, "duplicate": 1},
        {"recorded": 0, "frauds": 0, "duplicate": 3},
    )
    assert app.ledger.last_event == head
    reversal = outcomes.report(app, [told(30, False), told(30)], by="integrator-1", at=NOW)
    assert reversal == {"recorded": 1, "frauds": 0, "duplicate": 1}
    assert (stored(app, 30), stored(app, 31)) == ([True, False], [True])
    assert chain.verify(app.ledger).ok
