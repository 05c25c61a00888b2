"""Is what a killed process left taken away when the server starts, and nothing else?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casework.app import App
from casework.keeping import backups
from data.errors import LedgerError
from tests.http.institution import make_workspace


def killed_backup(app: App, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy for a backup whose process was killed: nobody takes it away."""

    def die(*_: object) -> None:
        raise LedgerError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(backups, "_copy_rest", die)
        dying.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(LedgerError, match="killed"):
            backups.make(app, app.workspace.backups, "admin-1", "a test")
    return next(app.workspace.backups.iterdir())


def test_a_start_takes_away_what_a_killed_process_left_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_BACKUPS", str(tmp_path / "backups"))
    workspace = make_workspace(tmp_path / "bank")
    whole = workspace.files / "ab" / ("ab" * 32)
    mine = workspace.root / "import-2026" / "mine.csv"
    left = [
        whole.with_suffix(".0123abcd"),
        whole.with_suffix(".0123abcd.part"),
        workspace.root / "import-x7.unfinished" / "payments.csv",
        workspace.root / "secondlook.duckdb.tmp" / "spilled.tmp",
    ]
    for file in (whole, mine, *left):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("astrid")
    app = App.open(workspace)
    try:
        half = killed_backup(app, monkeypatch)
        other = half.with_name(half.name.replace(backups._mark(app), "0" * 16))
        shutil.copytree(half, other)
        app.start()
    finally:
        app.close()
    assert not any(file.exists() for file in left)
    assert list(workspace.root.glob("*.unfinished")) == []
    assert [file.name for file in workspace.backups.iterdir()] == [other.name]
    assert whole.exists()
    assert mine.exists()
