"""Is what was recorded on disk at once, seen by every read, and still there after the process died?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data import chain
from data.errors import LedgerError
from data.events import EventDraft
from data.ledger import Ledger
from tests.data.builders import AT, new_ledger, transaction


def record(ledger: Ledger, name: str) -> None:
    with ledger.recording() as w:
        w.insert_transactions([transaction(name)], AT, "api")
        w.event(
            EventDraft("engine", "transaction.decided", f"transaction:{name}", {"outcome": "approve"}), AT
        )


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
        with ledger.recording():  # nothing is settled meanwhile
            file = left_by_a_crash(folder, tmp_path / "crashed")
    for _ in range(2):  # the second start finds the same records, which the ledger has by then
        with Ledger.open(file) as again:
            assert ids(again) == ["a", "b", "c"]
            assert (again.last_event, again.next_transaction_seq) == (head, 4)
            assert chain.verify(again).ok
    assert not file.with_suffix(".journal").exists()


def test_a_record_cut_short_by_a_crash_is_as_if_it_never_was(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with new_ledger(folder) as ledger:
        record(ledger, "a")
        with ledger.recording():  # nothing is settled meanwhile
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
        record(ledger, "a")
        ids(ledger)
        record(ledger, "b")
        newer = left_by_a_crash(folder, tmp_path / "newer")
    shutil.copy(newer.with_suffix(".journal"), older.with_suffix(".journal"))
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


def test_a_recorded_write_that_reads_sees_itself_and_is_committed(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        record(ledger, "a")
        with ledger.recording() as w:
            w.insert_transactions([transaction("b")], AT, "api")
            assert [row["transaction_id"] for row in w.unsettled("transactions")] == ["a", "b"]
            assert w.read("SELECT count(*) AS n FROM transactions") == [{"n": 2}]
        assert ledger.waiting == 0
        assert ids(ledger) == ["a", "b"]
