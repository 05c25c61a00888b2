"""Is a file that the ledger relies on forced to disk, under its name, before anything can be said of it?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casework.app import App
from casework.cases import attachments
from casework.keeping import backups
from casework.learning.retraining import concluding
from casework.workspace import Workspace
from data import export
from data.integrity.keyring import Keyring
from tests.http.institution import make_workspace, payment, served
from tests.http.test_models import saved

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Forced = dict[Path, set[str]]
"""By folder, the names in it when it was last forced to disk; by file, nothing."""


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> Forced:
    found: Forced = {}
    really = os.fsync

    def noting(handle: int) -> None:
        really(handle)
        path = Path(f"/proc/self/fd/{handle}").readlink()
        found[path] = {each.name for each in path.iterdir()} if path.is_dir() else set()

    monkeypatch.setattr(os, "fsync", noting)
    return found


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with served(make_workspace(tmp_path_factory.mktemp("forced") / "bank")) as bank:
        bank.decide(payment(1))
        yield bank.app


def unforced(path: Path, forced: Forced, above: Path) -> list[Path]:
    """Those of a path and the folders up to `above` whose names would be gone after a power cut."""
    whole = [path, *(each for each in path.parents if each != above and above in each.parents)]
    return [each for each in whole if each.name not in forced.get(each.parent, set())]


def test_an_attachment_has_its_name_on_disk_before_it_is_recorded(tmp_path: Path, forced: Forced) -> None:
    digest = attachments._store(tmp_path / "files", b"%PDF-1.7 a receipt")
    kept = tmp_path / "files" / digest[:2] / digest
    assert kept.is_file() and unforced(kept, forced, tmp_path) == []


def test_a_model_taken_over_has_its_name_and_its_files_on_disk(tmp_path: Path, forced: Forced) -> None:
    model_id = saved(tmp_path / "made")
    concluding.take_over(tmp_path / "made", tmp_path / "kept", {"model_id": model_id})
    made, kept = tmp_path / "made" / model_id, tmp_path / "kept" / model_id
    assert unforced(kept, forced, tmp_path) == []
    names = {file.name for file in kept.iterdir()}
    assert forced[made] == names and {made / name for name in names} <= forced.keys()


def test_a_key_has_its_name_on_disk_before_anything_is_sealed_with_it(tmp_path: Path, forced: Forced) -> None:
    keyring = Keyring(tmp_path / "keys" / "of ours")
    made = keyring.make(tmp_path / "ledger.duckdb", 1)
    assert unforced(keyring.file(made.key_id), forced, tmp_path) == []


def test_a_snapshot_has_all_its_names_on_disk(app: App, tmp_path: Path, forced: Forced) -> None:
    folder = tmp_path / "snapshots" / "days"
    snapshot = export.export_partitions(app.ledger, folder, until=datetime(2030, 1, 1, tzinfo=UTC))
    files = [snapshot.outcomes.path, *(part.path for part in snapshot.transactions)]
    for file in (*files, f"{snapshot.snapshot_id}.json"):
        assert unforced(folder / file, forced, tmp_path) == []


def test_a_backup_is_on_disk_whole_before_it_is_recorded_and_so_is_what_is_made_of_it(
    app: App, tmp_path: Path, forced: Forced
) -> None:
    told = backups.make(app, tmp_path / "backups", "admin-1", "a test")
    backup = tmp_path / "backups" / told["backup"]
    assert unforced(backup, forced, tmp_path) == []
    half = next(path for path in forced if path.name.endswith(".part") and "manifest.json" in forced[path])
    of_half = {path.relative_to(half) for path in forced if half in path.parents}
    assert {path.relative_to(backup) for path in backup.rglob("*")} <= of_half
    root = tmp_path / "back"
    backups.restore(backup, root, by="admin-1", at=NOW)
    assert Workspace(root).restore_file.name not in forced[root]
    assert all(unforced(path, forced, tmp_path) == [] for path in root.rglob("*") if path.is_file())
