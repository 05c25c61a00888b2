"""Is a workspace backed up while it is served, and put back whole or not at all?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.app import App
from casework.keeping import backups
from casework.people.permissions import Person, Role
from casework.workspace import Workspace
from data.canonical import canonical_json
from data.errors import ConflictError, DiskError, InputError, LedgerError
from data.events import EventDraft
from data.integrity import chain
from data.ledger import Head, Ledger
from tests.data.builders import tamper
from tests.data.test_faults import no_file_may_grow_beyond
from tests.http.institution import START, Institution, large_payment, make_workspace, payment, served
from tests.http.test_keeping import an_older_read, good


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    """Three payments, one with a case."""
    with served(make_workspace(tmp_path_factory.mktemp("backups") / "bank")) as running:
        for form in (payment(1), large_payment(2), payment(3)):
            running.decide(form)
        yield running


def backed_up(bank: Institution, folder: Path) -> Path:
    made = backups.make(bank.app, folder, "admin-1", "a test")
    return folder / made["backup"]


def test_a_backup_made_while_serving_comes_back_whole_and_goes_on(
    bank: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_BACKUPS", str(tmp_path / "kept"))
    model, training = bank.app.workspace.models / "m_1", bank.app.workspace.snapshots / "run_1"
    for folder in (model, training):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    for name in ("day.unfinished", "result.json.part"):
        (training / name).write_text("about to get its name")
    made = good(bank.ask("admin-1", "POST", "/v1/backups", json={"reason": "before the upgrade"}))
    bank.decide(payment(4))  # after the copy
    done = backups.restore(tmp_path / "kept" / made["backup"], tmp_path / "again", by="admin-1", at=START)
    assert (done["event_seq"], done["hash"]) == (made["event_seq"], made["hash"])
    workspace = Workspace(tmp_path / "again").opened()
    assert (workspace.models / "m_1" / "manifest.json").is_file(), "a folder without it is no model"
    assert [file.name for file in (workspace.snapshots / "run_1").iterdir()] == ["manifest.json"]
    assert not (workspace.root / "manifest.json").exists()
    shutil.rmtree(model)
    shutil.rmtree(training)
    with Ledger.open(workspace.ledger_file) as ledger:
        assert chain.verify(ledger).ok
        assert ledger.seq_of("t3") == 3
        assert ledger.seq_of("t4") is None
        last = ledger.read("SELECT kind, actor FROM events ORDER BY seq DESC LIMIT 1")
        assert last == [{"kind": "ledger.restored", "actor": "admin-1"}]
    assert good(bank.ask("auditor-1", "GET", "/v1/backups"))["backups"][0]["backup"] == made["backup"]
    assert chain.verify(bank.app.ledger).ok


def test_a_backup_made_while_payments_are_recorded_is_restored(
    bank: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = bank.app.ledger
    checkpoint = ledger.checkpoint

    def after_a_record() -> None:
        with ledger.recording() as w:
            w.event(EventDraft("engine", "payment.seen", "transaction:t1", {}), START)
        checkpoint()

    monkeypatch.setattr(ledger, "checkpoint", after_a_record)
    before = ledger.last_event.seq
    whole = backed_up(bank, tmp_path)
    done = backups.restore(whole, tmp_path / "again", by="admin-1", at=START)  # which verifies all of it
    assert done["event_seq"] == before + 1


def test_a_backup_whose_manifest_names_an_earlier_event_is_restored_and_one_that_names_another_is_not(
    bank: Institution, tmp_path: Path
) -> None:
    whole, ledger = backed_up(bank, tmp_path), bank.app.ledger
    told = orjson.loads((whole / backups.MANIFEST).read_bytes())["manifest"]
    sealer = ledger.sealer
    assert sealer is not None

    def with_manifest(**changes: Any) -> Path:
        text = canonical_json(told | changes)
        sealed = {"manifest": orjson.Fragment(text), "seal": sealer.of(text).hex()}
        (whole / backups.MANIFEST).write_bytes(orjson.dumps(sealed))
        return whole

    earlier = told["event_seq"] - 1
    row = ledger.read("SELECT hash FROM events WHERE seq = ?", [earlier])[0]
    for wrong in ({"event_seq": earlier}, {"event_seq": told["event_seq"] + 1}):
        with pytest.raises(LedgerError, match="does not hold event"):
            backups.restore(with_manifest(**wrong), tmp_path / "never", by="admin-1", at=START)
    of_before = with_manifest(event_seq=earlier, hash=row["hash"].hex())
    done = backups.restore(of_before, tmp_path / "again", by="admin-1", at=START)
    assert (done["event_seq"], done["hash"]) == (earlier + 1, told["hash"])


def test_only_a_command_on_the_machine_says_where_a_backup_goes(bank: Institution, tmp_path: Path) -> None:
    form = {"reason": "mine", "folder": str(tmp_path / "mine")}
    bank.app.signin.admit("own", Person("local-admin", Role.ADMIN), bank.app.clock() + timedelta(hours=1))
    mine = {"authorization": "Bearer own"}
    assert bank.ask("", "POST", "/v1/backups", json=form, headers=mine).status_code == 200
    taken = {"user": "local-admin", "role": "admin", "password": "long enough", "reason": "mine"}
    assert bank.ask("admin-1", "POST", "/v1/users", json=taken).status_code == 422
    assert bank.ask("admin-1", "POST", "/v1/backups", json=form).status_code == 403
    assert bank.ask("risk-manager-1", "POST", "/v1/backups", json={"reason": "mine"}).status_code == 403


def test_a_backup_that_was_touched_is_not_put_back(bank: Institution, tmp_path: Path) -> None:
    whole = backed_up(bank, tmp_path / "kept")
    rule = next((whole / "rules").rglob("*.yaml")).relative_to(whole)
    changes: dict[str, tuple[Any, str]] = {
        "changed": (lambda at: (at / rule).write_text("x"), "is not what was backed up"),
        "gone": (lambda at: (at / rule).unlink(), "is missing from this backup"),
        "added": (lambda at: (at / "rules" / "new.yaml").write_text("x"), "does not belong to this backup"),
    }
    for name, (change, problem) in changes.items():
        copy = shutil.copytree(whole, tmp_path / name)
        change(copy)
        with pytest.raises(LedgerError, match=problem):
            backups.restore(copy, tmp_path / "never", by="admin-1", at=START)
        assert not (tmp_path / "never").exists()


def test_a_backup_whose_ledger_and_manifest_were_both_changed_is_not_put_back(
    bank: Institution, tmp_path: Path
) -> None:
    whole = backed_up(bank, tmp_path)
    tamper(whole / "secondlook.duckdb", "UPDATE decisions SET outcome = 'approve'")
    told = orjson.loads((whole / backups.MANIFEST).read_bytes())
    told["manifest"]["files"]["secondlook.duckdb"] = backups._hash_of(whole / "secondlook.duckdb")
    (whole / backups.MANIFEST).write_bytes(orjson.dumps(told))
    with pytest.raises(LedgerError, match="the manifest does not carry the ledger's seal"):
        backups.restore(whole, tmp_path / "never", by="admin-1", at=START)


def test_only_old_backups_of_the_same_ledger_make_room(bank: Institution, tmp_path: Path) -> None:
    first = backed_up(bank, tmp_path).rename(tmp_path / "secondlook-20200102T000000Z")
    other = Path(shutil.copytree(first, tmp_path / "secondlook-20200101T000000Z"))
    told = orjson.loads((other / backups.MANIFEST).read_bytes())
    told["manifest"]["key_id"] = "key_of_another_bank"
    (other / backups.MANIFEST).write_bytes(orjson.dumps(told))
    made = backups.make(bank.app, tmp_path, "admin-1", "scheduled", keep=1)
    assert {each.name for each in tmp_path.iterdir()} == {made["backup"], other.name}


def test_a_backup_is_refused_where_it_cannot_go(bank: Institution, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(ConflictError, match="not empty"):
        backups.restore(backed_up(bank, tmp_path), tmp_path / "full", by="admin-1", at=START)
    with pytest.raises(InputError, match="this is no whole backup"):
        backups.restore(tmp_path / "full", tmp_path / "never", by="admin-1", at=START)


def test_a_backup_beside_a_long_query_is_made_and_restored(
    bank: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_BACKUPS", str(tmp_path / "kept"))
    with an_older_read(bank):
        made = good(bank.ask("admin-1", "POST", "/v1/backups", json={"reason": "before the move"}))
    found = backups.restore(
        Path(made["folder"]) / made["backup"], tmp_path / "again", by="admin-1", at=bank.app.clock()
    )
    assert found["event_seq"] == made["event_seq"]


def test_a_backup_for_which_the_disk_has_no_room_is_refused_and_nothing_of_it_is_left(
    bank: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_BACKUPS", str(tmp_path))
    ledger, head = bank.app.ledger, bank.app.ledger.last_event
    checkpoint, before = ledger.checkpoint, backups.table(ledger)
    bank.token("admin-1")
    with ExitStack() as full:

        def the_last_that_fits() -> None:
            checkpoint()
            full.enter_context(no_file_may_grow_beyond(4096))

        monkeypatch.setattr(ledger, "checkpoint", the_last_that_fits)
        refused = bank.ask("admin-1", "POST", "/v1/backups", json={"reason": "before the upgrade"})
    assert (refused.status_code, refused.json()["title"]) == (503, "The disk takes nothing"), refused.text
    assert "File too large" in refused.json()["detail"]
    assert str(tmp_path) not in refused.text
    assert list(tmp_path.iterdir()) == []
    assert (backups.table(ledger), ledger.last_event.seq >= head.seq) == (before, True)


def test_a_backup_that_cannot_be_recorded_is_taken_away_again(
    bank: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(head: Head) -> None:
        raise DiskError("no room")

    bank.app.ledger.settle()
    monkeypatch.setattr(bank.app.ledger, "_seal_tables", full)
    with pytest.raises(DiskError, match="no room"):
        backups.make(bank.app, tmp_path, "admin-1", "a test")
    assert list(tmp_path.iterdir()) == []


def test_a_restore_for_which_the_disk_has_no_room_is_refused_and_leaves_nothing(
    bank: Institution, tmp_path: Path
) -> None:
    whole = backed_up(bank, tmp_path)
    with no_file_may_grow_beyond(4096), pytest.raises(DiskError, match=r"is written \(\[Errno 27\] File"):
        backups.restore(whole, tmp_path / "never", by="admin-1", at=START)
    assert not (tmp_path / "never").exists()


def test_what_a_killed_restore_leaves_is_not_opened_and_a_whole_one_is(
    bank: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, verify = backed_up(bank, tmp_path), chain.verify

    def as_killed_here(ledger: Ledger) -> Any:
        shutil.copytree(tmp_path / "again", tmp_path / "killed")
        return verify(ledger)

    monkeypatch.setattr(chain, "verify", as_killed_here)
    backups.restore(whole, tmp_path / "again", by="admin-1", at=START)
    assert Workspace(tmp_path / "killed").exists
    with pytest.raises(InputError, match="nothing of it is verified") as told:
        App.open(Workspace(tmp_path / "killed"))
    assert "delete this directory and restore again" in told.value.hint
    with pytest.raises(ConflictError, match="not empty"):
        backups.restore(whole, tmp_path / "killed", by="admin-1", at=START)
    App.open(Workspace(tmp_path / "again")).close()
