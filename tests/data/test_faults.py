"""What does the ledger do when the disk is full or the file damaged, and is anything lost by it?"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from data.errors import CheckpointBusyError, DiskError, LedgerError, MemoryShortError
from data.events import EventDraft
from data.integrity import chain
from data.ledger import Ledger
from data.storage import checkpoints, disk
from data.storage.copying import copy_ledger
from tests.data.builders import AT, new_ledger, transaction


@contextmanager
def no_file_may_grow_beyond(size: int) -> Iterator[None]:
    """As on a disk that is full: the system refuses to make any file longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(ledger: Ledger, name: str, count: int = 50) -> None:
    with ledger.writing() as w:
        w.insert_transactions([transaction(f"{name}-{n}") for n in range(count)], AT, "api")


def record(ledger: Ledger, name: str) -> None:
    with ledger.recording() as w:
        w.insert_transactions([transaction(name)], AT, "api")
        w.event(EventDraft("api", "job.finished", "job:x", {}), AT)


def ids(ledger: Ledger) -> int:
    return int(ledger.read("SELECT count(*) AS n FROM transactions")[0]["n"])


def test_a_full_disk_refuses_a_commit_whole_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        write(ledger, "before")
        with no_file_may_grow_beyond(ledger.wal_bytes + 1000):
            with pytest.raises(DiskError, match="the disk does not take what is written"):
                write(ledger, "lost", 300)
            assert ids(ledger) == 50
        write(ledger, "after")
        assert ids(ledger) == 100
        assert chain.verify(ledger).ok


def test_a_full_disk_refuses_a_record_whole_and_the_next_takes_its_place(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        record(ledger, "before")
        with no_file_may_grow_beyond(100), pytest.raises(DiskError, match=r"\(File too large\)"):
            record(ledger, "lost")
        record(ledger, "after")
        assert [row["transaction_id"] for row in ledger.read("SELECT transaction_id FROM transactions")] == [
            "before",
            "after",
        ]
    with Ledger.open(tmp_path / "secondlook.duckdb") as again:
        assert ids(again) == 2
        assert chain.verify(again).ok


def test_a_disk_that_becomes_full_behind_the_journal_keeps_what_was_recorded(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        record(ledger, "first")
        with no_file_may_grow_beyond(ledger.wal_bytes + 10), pytest.raises(DiskError):
            ledger.settle()
        assert ledger.waiting == 2
        assert ids(ledger) == 1  # there is room again: the read settles it


def test_a_checkpoint_without_room_is_refused_before_it_can_break_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_ledger(tmp_path) as ledger:
        write(ledger, "a")
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=1024))
        with pytest.raises(DiskError, match="there is no room for a checkpoint"):
            ledger.checkpoint()
        write(ledger, "b")
        monkeypatch.undo()
        ledger.checkpoint()
        assert ids(ledger) == 100


@contextmanager
def an_older_read(ledger: Ledger) -> Iterator[None]:
    """Something is read for so long that a change is committed meanwhile: DuckDB then refuses a checkpoint."""
    with ledger.view() as view:
        view.read("SELECT count(*) FROM events")
        change(ledger)
        yield


def change(ledger: Ledger) -> None:
    with ledger.writing() as w:
        w.execute("UPDATE about SET value = value || '.' WHERE name = 'institution'")
        w.event(EventDraft("admin-1", "ledger.renamed", "ledger", {}), AT)


def test_a_checkpoint_beside_an_older_read_is_left_for_the_next_one_and_says_what_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "secondlook.ledger")
    with new_ledger(tmp_path) as ledger:
        write(ledger, "a")
        with an_older_read(ledger), pytest.raises(CheckpointBusyError, match="began before the last change"):
            ledger.checkpoint()
        assert "MainThread: several queries of one moment" in caplog.text
        assert ledger.wal_bytes > 0
        ledger.checkpoint()
        assert ledger.wal_bytes == 0
        assert ids(ledger) == 50


def test_a_checkpoint_waits_a_moment_for_a_read_that_is_about_to_end(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        write(ledger, "a")
        refused = iter(["refused"])
        read = an_older_read(ledger)
        read.__enter__()

        def end(_: float) -> None:
            if next(refused, None):
                read.__exit__(None, None, None)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(checkpoints.time, "sleep", end)
            ledger.checkpoint()
        assert ledger.wal_bytes == 0


def test_under_load_a_checkpoint_leaves_small_groups_of_rows_and_a_tidy_one_puts_them_together(
    tmp_path: Path,
) -> None:
    groups = "SELECT count(DISTINCT row_group_id) AS n FROM pragma_storage_info('transactions')"
    with new_ledger(tmp_path) as ledger:
        found = []
        for n in range(6):
            write(ledger, f"p{n}")
            ledger.checkpoint(tidy=False)
            found.append(ledger.read(groups)[0]["n"])
        assert ledger.left_small == 6
        write(ledger, "last")
        ledger.checkpoint()
        assert ledger.left_small == 0
        assert found[-1] > found[0]
        assert ledger.read(groups)[0]["n"] < found[-1]
        assert ledger.read("SELECT current_setting('max_vacuum_tasks') AS n") == [{"n": 100}]
        assert chain.verify(ledger).ok


def test_whoever_closes_in_a_hurry_leaves_an_empty_log_and_the_small_groups(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = new_ledger(tmp_path)
    with ledger.writing() as w:
        case = {"case_id": "c", "added_at": AT, "reason": "", "amount_minor": 1, "verdict": ""}
        w.insert("case_transactions", [{**case, "transaction_seq": 1}])
        w.event(EventDraft("engine", "case.opened", "case:c"), AT)
    ledger.checkpoint(tidy=False)
    with ledger.writing() as w:
        w.insert("case_transactions", [{**case, "transaction_seq": 2}])
        w.event(EventDraft("engine", "something.happened", "case:c"), AT)
    ledger.close(tidy=False)
    ledger.close(tidy=False)
    assert not caplog.records
    assert not ledger.wal_bytes
    with Ledger.open(ledger.path) as again:
        assert again.left_small == 1


def test_a_copy_beside_an_older_read_takes_the_log_along(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with new_ledger(tmp_path) as ledger:
        write(ledger, "a")
        with an_older_read(ledger):
            head = copy_ledger(ledger, tmp_path / "copy")
        assert head == ledger.last_event
    with Ledger.open(tmp_path / "copy" / "secondlook.duckdb") as copied:
        assert copied.last_event == head
        assert ids(copied) == 50


def test_a_copy_ends_at_the_event_that_is_told_though_more_was_recorded_while_it_was_made(
    tmp_path: Path,
) -> None:
    class Busy(Ledger):
        """Something is recorded whenever a checkpoint begins."""

        def checkpoint(self, *, tidy: bool = True) -> None:
            record(self, "meanwhile")
            super().checkpoint(tidy=tidy)

    (tmp_path / "copy").mkdir()
    new_ledger(tmp_path).close()
    with Busy.open(tmp_path / "secondlook.duckdb") as ledger:
        write(ledger, "a", 2)
        head = copy_ledger(ledger, tmp_path / "copy")
        record(ledger, "after")
    with Ledger.open(tmp_path / "copy" / "secondlook.duckdb") as copied:
        assert (copied.last_event, ids(copied)) == (head, 3)
        assert chain.verify(copied).ok


def test_a_walk_over_the_record_keeps_no_checkpoint_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "_PAGE", 2)
    moved = []

    def meanwhile(checked: int, _: int) -> None:
        if checked == 2:
            change(ledger)
            ledger.checkpoint()
            moved.append(ledger.wal_bytes)

    with new_ledger(tmp_path) as ledger:
        for name in "abc":
            write(ledger, name)
        report = chain.verify(ledger, progress=meanwhile)
        assert moved == [0]
        assert (report.ok, report.events) == (
            True,
            ledger.last_event.seq,
        )  # what came meanwhile is walked, too


def test_a_query_that_needs_too_much_memory_is_refused_in_a_sentence_and_changes_nothing(
    tmp_path: Path,
) -> None:
    large = "SELECT len(list(repeat('x', 99) || i)) AS n FROM range(999999) r(i)"
    with new_ledger(tmp_path) as ledger:
        write(ledger, "a")
        with ledger._connection.cursor() as setting:
            setting.execute("SET GLOBAL memory_limit = '8MB'")
            with pytest.raises(MemoryShortError, match="more memory than the ledger has left") as told:
                ledger.read(large)
            with pytest.raises(MemoryShortError), ledger.writing() as w:
                w.insert_transactions([transaction("never")], AT, "api")
                w.read(large)
            setting.execute("RESET GLOBAL memory_limit")
        assert "Nothing was changed" in told.value.hint
        write(ledger, "b")
        assert ids(ledger) == 100
        assert chain.verify(ledger).ok


@pytest.mark.parametrize("part", ["head", "middle", "end"])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, part: str) -> None:
    with new_ledger(tmp_path) as ledger:
        write(ledger, "a", 1000)
        ledger.checkpoint()
    path = tmp_path / "secondlook.duckdb"
    content = bytearray(path.read_bytes())
    if part == "end":
        del content[len(content) // 2 :]
    else:
        first = 16 if part == "head" else len(content) // 3
        content[first : first + 300_000] = bytes(b ^ 0x5A for b in content[first : first + 300_000])
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="the ledger's file is damaged") as told:
        Ledger.open(path)
    assert "secondlook restore" in told.value.hint
    with pytest.raises(LedgerError, match="the ledger's file is damaged"):
        Ledger.open(path)  # the lock was given back


def test_a_ledger_beside_which_nothing_can_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    new_ledger(tmp_path).close()
    lock = tmp_path / "secondlook.lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(DiskError, match="the disk does not take what is written"):
        Ledger.open(tmp_path / "secondlook.duckdb")
    lock.rmdir()
    Ledger.open(tmp_path / "secondlook.duckdb").close()


def test_a_refusal_that_is_not_the_disks_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(duckdb.TransactionException, match="no transaction"), disk.disk_errors(tmp_path):
        raise duckdb.TransactionException("no transaction is active")
    with pytest.raises(DiskError), disk.disk_errors(tmp_path):
        raise duckdb.FatalException("FATAL Error: database has been invalidated")


def test_a_full_disk_at_a_start_is_not_taken_for_a_damaged_file(tmp_path: Path) -> None:
    said = f'IO Error: Could not write file "secondlook.duckdb": {os.strerror(errno.ENOSPC)}'
    with pytest.raises(DiskError, match="does not take what is written"), disk.damage_named(tmp_path):
        raise duckdb.IOException(said)
    with (
        pytest.raises(LedgerError, match="the ledger's file is damaged") as told,
        disk.damage_named(tmp_path),
    ):
        raise duckdb.IOException("IO Error: Could not read enough bytes from file")
    assert not isinstance(told.value, DiskError)


def test_a_clock_that_jumps_back_breaks_no_order_and_no_chain(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        for hours in (0, 5, -3, -48):
            with ledger.writing() as w:
                w.event(EventDraft("a", "job.finished", "job:x", {}), AT + timedelta(hours=hours))
        rows = ledger.read("SELECT seq, recorded_at FROM events ORDER BY seq DESC LIMIT 4")
        assert [row["seq"] for row in rows] == sorted((row["seq"] for row in rows), reverse=True)
        assert rows[0]["recorded_at"] < rows[2]["recorded_at"]  # said as it was read, not smoothed over
        assert chain.verify(ledger).ok
