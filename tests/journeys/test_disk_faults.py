"""What does a served workspace do on a disk that is really full, and on one that is really read-only?

Needs a file system of its own, so it runs where one may be mounted (as root in a container, say), in the soak.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from casework.app import App
from casework.workspace import Workspace
from data.errors import DiskError
from data.integrity import chain, keyring
from data.ledger import Ledger
from tests.http.institution import Institution, large_payment, make_workspace, payment, served

pytestmark = pytest.mark.soak


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no file system may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def workspace(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace there. Its heads are noted apart: those of a disk that is gone would be held against it."""
    made = make_workspace(disk / "bank")
    apart = shutil.ignore_patterns("*.anchors")
    keys = shutil.copytree(os.environ[keyring.VARIABLE], tmp_path / "keys", ignore=apart)
    monkeypatch.setenv(keyring.VARIABLE, str(keys))
    return made


@contextmanager
def full(disk: Path) -> Iterator[None]:
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (65_536, 1):
            with suppress(OSError):
                while True:
                    filler.write(b"x" * size)
        yield
    (disk / "filler").unlink()


def status(bank: Institution, path: str, user: str = "risk-manager-1") -> int:
    return bank.ask(user, "GET", path).status_code


def test_a_full_disk_leaves_decisions_to_the_journals_room_and_refuses_the_rest(
    disk: Path, workspace: Workspace
) -> None:
    with served(workspace) as bank:
        _ = bank.app.live  # a start is not what is looked at here
        bank.decide(payment(1))
        [bank.token(user) for user in ("integrator-1", "risk-manager-1")]  # signing in is a write, too
        bank.app.ledger.settle()
        with full(disk):
            answered = [bank.decide(payment(n))["transaction_id"] for n in range(2, 9)]
            assert bank.app.ledger.waiting >= 2 * len(answered)
            assert (status(bank, "/healthz"), status(bank, "/readyz")) == (200, 200)
            refused = bank.ask("risk-manager-1", "GET", "/v1/decisions")
            assert (refused.status_code, str(disk) in refused.text) == (503, False), refused.text
            told = bank.ask("integrator-1", "GET", "/metrics")
            assert f"secondlook_journal_waiting_events {bank.app.ledger.waiting}.0" in told.text
            with pytest.raises(DiskError):
                bank.app.ledger.checkpoint()
        bank.decide(payment(9))
        assert status(bank, "/v1/decisions") == 200
        assert all(status(bank, f"/v1/decisions/{name}") == 200 for name in answered)
        assert chain.verify(bank.app.ledger).ok
        bank.app.close()
    with Ledger.open(workspace.ledger_file) as again:
        assert chain.verify(again).ok


def test_what_people_and_jobs_write_on_a_full_disk_is_refused_whole_and_taken_when_there_is_room(
    disk: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_BACKUPS", str(disk / "backups"))
    rows = b"transaction_id\n" + b"x" * 100_000
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("team-lead-1", "/v1/cases/{case}/files", {"files": {"file": ("a.txt", b"kept " * 20_000)}}),
        ("admin-1", "/v1/backups", {"json": {"reason": "before the upgrade"}}),
        ("admin-1", "/v1/imports", {"files": {"file": ("rows.csv", rows)}}),
    )
    with served(workspace) as bank:
        case = bank.decide(large_payment(1))["case_id"]
        [bank.token(user) for user, _, _ in asked]
        bank.app.ledger.settle()
        before = {file for file in disk.rglob("*") if file.is_file()}
        with full(disk):
            for user, path, form in asked:
                told = bank.ask(user, "POST", path.format(case=case), **form)
                assert (told.status_code, str(disk) in told.text) == (503, False), (path, told.text)
        assert {file for file in disk.rglob("*") if file.is_file()} == before
        for user, path, form in asked[:2]:
            told = bank.ask(user, "POST", path.format(case=case), **form)
            assert told.is_success, told.text
        assert chain.verify(bank.app.ledger).ok


def test_a_workspace_on_a_read_only_disk_is_refused_with_a_sentence_and_opens_when_it_is_writable(
    disk: Path, workspace: Workspace
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(DiskError, match=r"does not take what is written \(Read-only file system\)") as told:
        App.open(workspace)
    assert "writable" in told.value.hint
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    App.open(workspace).close()
