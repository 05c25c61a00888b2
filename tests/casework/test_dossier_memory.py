"""Is a dossier read once and then remembered, and only as long as it is still the one on record?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casework.cases import dossiers
from data.events import EventDraft
from data.ledger import Ledger
from tests.data.builders import AT, new_ledger


class Counted:
    """A ledger that notes what is read of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self.texts = ledger, list[str]()

    def read(self, sql: str, parameters: Any = ()) -> list[dict[str, Any]]:
        self.texts.append(sql)
        return self._ledger.read(sql, parameters)

    @property
    def contents(self) -> int:
        return sum("content" in text for text in self.texts)


def store(ledger: Ledger, content: dict[str, Any]) -> None:
    with ledger.writing() as w:
        dossiers.store(w, "dossier_1", "", 1, content, AT)
        w.event(EventDraft("engine", "task.opened", "task:1", {}), AT)


def test_what_was_just_stored_or_read_is_not_read_again_until_it_is_forgotten(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        store(ledger, {"question": "?"})
        counted: Any = Counted(ledger)
        assert dossiers.load(counted, "dossier_1", 1) == {"question": "?"}
        assert counted.contents == 0
        dossiers.forget()
        for _ in range(2):
            dossiers.load(counted, "dossier_1", 1)["question"] = "mine alone"
            assert dossiers.load(counted, "dossier_1", 1) == {"question": "?"}
        assert counted.contents == 1


def test_a_dossier_that_was_erased_or_altered_is_read_as_it_is(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        store(ledger, {"question": "?"})
        dossiers.load(ledger, "dossier_1", 1)
        with ledger.writing() as w:
            w.execute(
                "UPDATE dossiers SET content = ?, sha256 = ? WHERE dossier_id = ?", [b"{}", "x", "dossier_1"]
            )
        counted: Any = Counted(ledger)
        assert dossiers.load(counted, "dossier_1", 1) == dossiers.load(counted, "dossier_1", 1) == {}
        assert counted.contents == 2  # what does not fit its digest is not kept


def test_no_more_than_a_few_megabytes_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers, "_MOST_BYTES", 30)
    recent = dossiers._Recent()
    for number in range(4):
        recent.keep(str(number), b"0123456789")
        recent.get("0")
    assert [recent.get(str(number)) is not None for number in range(4)] == [True, False, True, True]
