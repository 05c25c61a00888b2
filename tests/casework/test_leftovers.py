"""Is what a killed process left taken away when the server starts, and nothing else?"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from casework.app import App
from casework.cases import attachments
from casework.cli.reach import opened
from casework.keeping import backups
from data.canonical import sha256_hex
from data.errors import LedgerError
from data.storage import unfinished
from tests.http.institution import START, make_workspace

DIES_IN_ITS_FOLDER = (
    "import os, signal\nfrom data.storage.unfinished import command_folder\n"
    "with command_folder('score') as folder:\n    (folder / 'payments').write_text('astrid')\n"
    "    os.kill(os.getpid(), signal.SIGKILL)"
)


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


def kept(app: App, content: bytes, *, killed: bool = False) -> Path:
    """An attachment's file; with `killed` its process died before the record was committed, which undoes that."""
    about = {"case_id": "", "transaction_seq": 1, "author": "analyst-1", "name": "letter.txt", "at": START}
    policy, folder = app.settings().policy, app.workspace.files
    try:
        with app.ledger.writing() as w:
            attachments.keep(w, folder, content=content, policy=policy, **about)
            if killed:
                raise LedgerError("killed")
    except LedgerError:
        assert killed
    digest = sha256_hex(content)
    return folder / digest[:2] / digest


def test_a_start_takes_away_what_a_killed_process_left_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_BACKUPS", str(tmp_path / "backups"))
    workspace = make_workspace(tmp_path / "bank")
    half = workspace.files / "ab" / ("ab" * 32)
    mine = workspace.root / "import-2026" / "mine.csv"
    left = [
        half.with_suffix(".0123abcd"),
        half.with_suffix(".0123abcd.part"),
        workspace.root / "import-x7.unfinished" / "payments.csv",
        workspace.root / "secondlook.duckdb.tmp" / "spilled.tmp",
    ]
    for file in (mine, *left):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("astrid")
    app = App.open(workspace)
    try:
        on_record, on_none = kept(app, b"on record"), kept(app, b"astrid", killed=True)
        assert on_record.exists() and on_none.exists()
        half_made = killed_backup(app, monkeypatch)
        other = half_made.with_name(half_made.name.replace(backups._mark(app), "0" * 16))
        shutil.copytree(half_made, other)
        app.start()
    finally:
        app.close()
    assert not any(file.exists() for file in (*left, on_none))
    assert list(workspace.root.glob("*.unfinished")) == []
    assert [file.name for file in workspace.backups.iterdir()] == [other.name]
    assert on_record.exists()
    assert mine.exists()


def test_a_command_that_owns_the_ledger_takes_away_what_a_killed_import_left(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "bank")
    left = workspace.root / "import-x7.unfinished"
    left.mkdir()
    (left / "payments.csv").write_text("astrid")
    with opened(workspace.root):
        assert not left.exists()


def test_the_next_command_takes_away_the_folder_of_a_dead_one_and_never_of_one_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    subprocess.run([sys.executable, "-c", DIES_IN_ITS_FOLDER], check=False)
    (dead,) = tmp_path.iterdir()
    assert (dead / "payments").read_text() == "astrid"
    with unfinished.command_folder("mapping") as first:
        assert list(tmp_path.iterdir()) == [first]
        with unfinished.command_folder("score") as second:
            assert sorted(tmp_path.iterdir()) == sorted([first, second])
            assert list(unfinished.left_by_commands()) == []
    assert list(tmp_path.iterdir()) == []
