"""Do transactions come back as they went in, in the right order, and export the same every time?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from data import export, reading
from data.errors import ConflictError, DiskError, InputError, NotFoundError
from data.ledger import Ledger
from data.storage.id_index import IdIndex
from tests.data.builders import AT, new_ledger, transaction
from tests.data.test_faults import no_file_may_grow_beyond

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def filled(folder: Path, days: int = 3) -> Ledger:
    """A ledger with two payments a day: t0 and t1 on the first, and so on."""
    ledger = new_ledger(folder)
    rows = [
        transaction(f"t{n}", occurred_at=NOON + timedelta(days=n // 2), entities={"customer": f"c{n % 2}"})
        for n in range(2 * days)
    ]
    with ledger.writing() as w:
        w.insert_transactions(rows, AT, "api")
        w.insert(
            "outcomes",
            [
                {
                    "transaction_seq": 1, "is_fraud": True, "known_at": NOON + timedelta(days=1), "reported_seq": 2,
                    "source": "chargeback", "reason_code": "10.4", "recorded_at": AT,
                }
            ],
        )  # fmt: skip
    return ledger


def test_ranges_of_seq_and_time_select_transactions_in_order(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        assert [one.seq for one in reading.transactions(ledger)] == [1, 2, 3, 4, 5, 6]
        assert [one.seq for one in reading.transactions(ledger, first_seq=2, last_seq=3)] == [2, 3]
        since, until = NOON + timedelta(days=1), NOON + timedelta(days=2)
        assert [one.seq for one in reading.transactions(ledger, since=since, until=until)] == [3, 4]


def test_one_transaction_is_found_by_id_or_seq(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        assert reading.one(ledger, "t3") == reading.one(ledger, 4)
        assert reading.one(ledger, 4).entities == {"customer": "c1", "device": None}
        with pytest.raises(NotFoundError, match="t9: there is no such transaction"):
            reading.one(ledger, "t9")


def test_an_export_has_one_file_a_day_and_only_what_was_known(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        snapshot = export.export_partitions(ledger, tmp_path / "s", until=NOON + timedelta(days=1, hours=1))
    assert [part.rows for part in snapshot.transactions] == [2, 2]
    assert snapshot.outcomes.rows == 1
    assert pq.read_table(snapshot.transaction_files[0])["seq"].to_pylist() == [1, 2]
    assert pq.read_table(snapshot.outcomes_file)["transaction_seq"].to_pylist() == [1]
    assert export.load_snapshot(tmp_path / "s", snapshot.snapshot_id) == snapshot


def test_exporting_again_writes_only_what_changed(tmp_path: Path) -> None:
    until = NOON + timedelta(days=9)
    with filled(tmp_path) as ledger:
        first = export.export_partitions(ledger, tmp_path / "s", until=until)
        assert export.export_partitions(ledger, tmp_path / "s", until=until) == first
        with ledger.writing() as w:
            w.insert_transactions([transaction("late", occurred_at=NOON)], AT, "api")
        second = export.export_partitions(ledger, tmp_path / "s", until=until)
    assert second.snapshot_id != first.snapshot_id
    assert second.transactions[1:] == first.transactions[1:]
    assert export.load_snapshot(tmp_path / "s", first.snapshot_id) == first


def test_an_export_for_which_the_disk_has_no_room_leaves_no_half_file_and_comes_out_later(
    tmp_path: Path,
) -> None:
    until = NOON + timedelta(days=9)
    with filled(tmp_path) as ledger:
        with no_file_may_grow_beyond(100), pytest.raises(DiskError, match=r"\(File too large\)") as told:
            export.export_partitions(ledger, tmp_path / "s", until=until)
        assert str(tmp_path) not in told.value.where
        assert list((tmp_path / "s").iterdir()) == []
        snapshot = export.export_partitions(ledger, tmp_path / "s", until=until)
    assert export.load_snapshot(tmp_path / "s", snapshot.snapshot_id) == snapshot


def test_a_changed_or_missing_part_is_refused(tmp_path: Path) -> None:
    with filled(tmp_path) as ledger:
        snapshot = export.export_partitions(ledger, tmp_path, until=NOON + timedelta(days=9))
        with pytest.raises(InputError, match="there are no transactions to export"):
            export.export_partitions(ledger, tmp_path, until=NOON - timedelta(days=9))
    with pytest.raises(NotFoundError, match="there is no such snapshot"):
        export.load_snapshot(tmp_path, "snap_x")
    snapshot.outcomes_file.write_bytes(b"changed")
    with pytest.raises(ConflictError, match="a file of the snapshot was changed"):
        export.load_snapshot(tmp_path, snapshot.snapshot_id)
    snapshot.outcomes_file.unlink()
    with pytest.raises(ConflictError, match="a file of the snapshot is missing"):
        export.load_snapshot(tmp_path, snapshot.snapshot_id)
    (tmp_path / f"{snapshot.snapshot_id}.json").write_bytes(b"{}")
    with pytest.raises(ConflictError, match="the manifest was changed"):
        export.load_snapshot(tmp_path, snapshot.snapshot_id)


def test_colliding_hashes_in_the_id_index_do_not_lie() -> None:
    class SameHash(str):
        def __hash__(self) -> int:
            return 7

    ids = {1: SameHash("a"), 2: SameHash("b")}
    index = IdIndex(ids.get)
    index.add_bulk([(list(ids.values()), np.array([1, 2]))])
    assert (index.get(SameHash("a")), index.get(SameHash("b")), index.get(SameHash("c"))) == (1, 2, None)
    assert len(index) == 2


def test_ids_leave_the_text_form_once_duckdb_has_them_and_are_still_found() -> None:
    ids = {n: f"t-{n}" for n in range(1, 50_001)}
    index = IdIndex(ids.get)
    for first in range(1, 50_001, 10_000):
        index.add({ids[n]: n for n in range(first, first + 10_000)})
        index.settled(first + 4_999)  # what came after is not in DuckDB yet, where it could be looked up
        assert index.get(ids[first + 9_999]) == first + 9_999
    assert index.recent < 20_000
    assert len(index) == 50_000
    assert all(index.get(ids[n]) == n for n in range(1, 50_001, 997))
    assert index.get("t-0") is None


def test_a_few_recent_ids_stay_as_they_are() -> None:
    index = IdIndex({}.get)  # one that finds nothing: whoever is asked for must be held as text
    index.add({"a": 1, "b": 2})
    index.settled(2)
    assert (index.get("a"), index.get("b"), index.recent) == (1, 2, 2)


def test_small_statements_may_keep_to_one_thread_for_a_while(tmp_path: Path) -> None:
    threads = "SELECT current_setting('threads') AS n"
    with filled(tmp_path) as ledger:
        usual = ledger.read(threads)
        with pytest.raises(ZeroDivisionError), ledger.on_one_thread():
            assert ledger.read(threads) == [{"n": 1}]
            assert len(ledger.read("SELECT * FROM transactions")) == 6
            _ = 1 / 0
        assert ledger.read(threads) == usual
