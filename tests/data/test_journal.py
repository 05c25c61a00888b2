"""Is what was recorded on disk at once, seen by every read, and still there after the process died?"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from data.errors import DiskError, LedgerError
from data.events import EventDraft
from data.integrity import chain
from data.ledger import Ledger
from data.storage import journal
from tests.data.builders import AT, new_ledger, transaction

PAYMENT = {
    "transaction_seq": 1,
    "added_at": AT,
    "reason": "",
    "amount_minor": 5,
    "verdict": "",
    "settled_at": None,
}


def record(ledger: Ledger, name: str) -> None:
    with ledger.recording() as w:
        w.insert_transactions([transaction(name)], AT, "api")
        w.event(EventDraft("engine", "transaction.seen", f"transaction:{name}", {"outcome": "approve"}), AT)


def left_by_a_crash(folder: Path, into: Path) -> Path:
    """The files as they are at this moment, as a process that dies now would leave them."""
    into.mkdir()
    for file in folder.iterdir():
        if file.suffix != ".lock":
            shutil.copy(file, into / file.name)
    return into / "secondlook.duckdb"


def ids(ledger: Ledger) -> list[str]:
    return [r["transaction_id"] for r in ledger.read("SELECT transaction_id FROM transactions ORDER BY seq")]


def test_every_read_sees_what_was_recorded_before_it(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        record(ledger, "a")
        assert ledger.seq_of("a") == 1
        assert ids(ledger) == ["a"]
        record(ledger, "b")
        assert ledger.read_arrow("SELECT seq FROM transactions").num_rows == 2
        record(ledger, "c")
        with ledger.view() as view:
            assert view.read("SELECT count(*) AS n FROM transactions") == [{"n": 3}]
        assert chain.verify(ledger).ok


def test_what_was_recorded_survives_a_crash_whole_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        record(ledger, "a")
        assert ids(ledger) == ["a"]  # settled: the journal starts over
        for name in ("b", "c"):
            record(ledger, name)
        head = ledger.last_event
        with ledger._order:  # nothing is settled meanwhile
            file = left_by_a_crash(folder, tmp_path / "crashed")
    for _ in range(2):  # the second start finds the same records, which the ledger has by then
        with Ledger.open(file) as again:
            assert ids(again) == ["a", "b", "c"]
            assert (again.last_event, again.next_transaction_seq) == (head, 4)
            assert chain.verify(again).ok
    assert not file.with_suffix(".journal").exists()


def test_numbers_changed_in_earlier_rows_survive_a_crash_with_their_seals(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger, ledger._order:
        for priority in (1.5, 2.5):
            with ledger.recording() as w:
                w.insert("case_transactions", [{**PAYMENT, "case_id": f"case-{priority}"}])
                w.event(EventDraft("engine", "something.happened", "case:1", {}), AT)
                w.change("case_transactions", "case_id", "amount_minor", {"case-1.5": int(10 * priority)})
        file = left_by_a_crash(folder, tmp_path / "crashed")
    with Ledger.open(file) as survivor:
        rows = survivor.read("SELECT case_id, amount_minor FROM case_transactions ORDER BY case_id")
        assert rows == [
            {"case_id": "case-1.5", "amount_minor": 25},
            {"case_id": "case-2.5", "amount_minor": 5},
        ]
        assert chain.verify(survivor).ok


def test_a_record_cut_short_by_a_crash_is_as_if_it_never_was(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        record(ledger, "a")
        with ledger._order:  # nothing is settled meanwhile
            file = left_by_a_crash(folder, tmp_path / "before")
        whole = file.with_suffix(".journal").read_bytes()
        size = len(whole.rstrip(b"\0"))
    file.with_suffix(".journal").write_bytes(whole[: size - 40] + bytes(len(whole) - size + 40))
    with Ledger.open(file) as again:
        assert ids(again) == []
        record(again, "a")
        assert ids(again) == ["a"]


def test_a_journal_that_goes_on_beyond_its_ledger_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        older = left_by_a_crash(folder, tmp_path / "older")
        for name in ("a", "b"):
            record(ledger, name)
            ids(ledger)
        record(ledger, "c")
        newer = left_by_a_crash(folder, tmp_path / "newer")
    for suffix in (".journal", ".journal2"):
        shutil.copy(newer.with_suffix(suffix), older.with_suffix(suffix))
    with pytest.raises(LedgerError, match=r"the journal goes on at event \d+, but the ledger ends at"):
        Ledger.open(older)


def test_a_recorded_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        record(ledger, "a")
        head = ledger.last_event
        with pytest.raises(LedgerError, match="a value is missing"), ledger.recording() as w:
            w.event(EventDraft("engine", "case.opened", "case:1", {}), AT)
            w.insert("cases", [{"case_id": "c1"}])
        assert (ledger.last_event, ids(ledger)) == (head, ["a"])
        record(ledger, "b")
        assert ids(ledger) == ["a", "b"]
        assert chain.verify(ledger).ok


def test_a_recorded_write_cannot_query_since_it_waits_for_nothing(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        record(ledger, "a")
        with pytest.raises(LedgerError, match="only adds"), ledger.recording() as w:
            w.insert_transactions([transaction("b")], AT, "api")
            w.read("SELECT count(*) AS n FROM transactions")
        with pytest.raises(LedgerError, match="without an event"), ledger.recording():
            pass
        assert ids(ledger) == ["a"]
        assert chain.verify(ledger).ok


def test_what_is_recorded_while_duckdb_settles_goes_on_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        for name in ("a", "b"):
            record(ledger, name)
        settling = threading.Thread(target=ids, args=(ledger,))
        with ledger._database:  # DuckDB is busy: a checkpoint, or a round of settling
            settling.start()
            record(ledger, "c")
            assert ledger.waiting > 0
        settling.join()
        record(ledger, "d")
        with ledger.recording() as w:  # nothing is settled meanwhile
            w.event(EventDraft("engine", "case.opened", "case:1", {}), AT)
            file = left_by_a_crash(folder, tmp_path / "crashed")
    with Ledger.open(file) as again:
        assert ids(again) == ["a", "b", "c", "d"]
        assert chain.verify(again).ok


def test_a_crash_between_two_rounds_of_settling_loses_neither(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        record(ledger, "a")
        with ledger._order:
            ledger._backlog.take()  # a round has begun
        record(ledger, "b")
        file = left_by_a_crash(folder, tmp_path / "crashed")
    with Ledger.open(file) as again:
        assert ids(again) == ["a", "b"]
        assert chain.verify(again).ok


def test_a_record_that_could_not_be_forced_to_disk_is_gone_when_others_follow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        record(ledger, "a")
        with ledger._order:  # nothing is settled meanwhile

            def refuse(_: int) -> None:
                monkeypatch.undo()
                raise OSError(5, "Input/output error")

            monkeypatch.setattr(journal, "_force", refuse)
            with pytest.raises(DiskError, match="Input/output error"):
                record(ledger, "lost")
            dead = left_by_a_crash(folder, tmp_path / "dead")
        with ledger.writing() as w:
            w.event(EventDraft("admin-1", "note.written", "note:x", {}), AT)
        killed = left_by_a_crash(folder, tmp_path / "killed")
        record(ledger, "b")
        assert ids(ledger) == ["a", "b"]
    for file in (dead, killed):
        with Ledger.open(file) as again:
            assert ids(again) == ["a"]
            assert chain.verify(again).ok
