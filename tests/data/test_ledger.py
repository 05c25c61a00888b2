"""Does the ledger keep what was committed, nothing else, and say clearly why it cannot be opened?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from data.errors import ConflictError, InputError, LedgerBusyError, LedgerError
from data.events import EventDraft
from data.ledger import Ledger
from data.storage import schema
from tests.data.builders import AT, new_ledger, tamper, transaction


def draft(kind: str = "case.opened", **payload: object) -> EventDraft:
    return EventDraft("analyst-1", kind, "case:1", payload)


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            seqs = w.insert_transactions([transaction("a"), transaction("b")], AT, "api")
            w.event(draft(reason="uncertain"), AT)
        head = ledger.last_event
    with Ledger.open(tmp_path / "secondlook.duckdb") as ledger:
        assert seqs == [1, 2]
        assert (ledger.seq_of("a"), ledger.seq_of("b"), ledger.seq_of("c")) == (1, 2, None)
        assert ledger.last_event == head
        assert ledger.next_transaction_seq == 3
        stored = ledger.read("SELECT occurred_at, country, trusted, score FROM transactions WHERE seq = 1")[0]
        assert stored == {
            "occurred_at": transaction().occurred_at, "country": "NO", "trusted": True, "score": 0.5
        }  # fmt: skip
        assert ledger.about["institution"] == "test bank"


def test_a_failed_write_leaves_the_ledger_and_its_memory_as_they_were(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        before = (ledger.last_event, ledger.next_transaction_seq)
        with pytest.raises(RuntimeError, match="the power went"), ledger.writing() as w:
            w.take_seqs(5)
            w.insert_transactions([transaction("a")], AT, "api")
            w.event(draft(), AT)
            w.flush()
            raise RuntimeError("the power went")
        assert (ledger.last_event, ledger.next_transaction_seq) == before
        assert ledger.seq_of("a") is None
        assert ledger.read("SELECT count(*) AS n FROM transactions") == [{"n": 0}]
        with ledger.writing() as w:
            assert w.insert_transactions([transaction("a")], AT, "api") == [1]


def test_a_row_the_database_refuses_undoes_the_whole_write(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        head = ledger.last_event
        with pytest.raises(LedgerError, match=r"drafts: rows were refused .*NOT NULL"), ledger.writing() as w:
            w.event(draft(), AT)
            w.insert("drafts", [{"task_id": "t", "saved_at": AT}])
        assert ledger.last_event == head
        assert ledger.read("SELECT count(*) AS n FROM events") == [{"n": head.seq}]


def test_an_interrupt_after_the_commit_does_not_fork_the_chain(tmp_path: Path) -> None:
    class Interrupted(Ledger):
        once = True

        def _adopt(self, writer) -> None:
            if Interrupted.once and writer.head.seq > 1:
                Interrupted.once = False
                raise KeyboardInterrupt
            super()._adopt(writer)

    new_ledger(tmp_path).close()
    with Interrupted.open(tmp_path / "secondlook.duckdb") as ledger:
        with pytest.raises(KeyboardInterrupt), ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")
        assert ledger.last_event.seq == ledger.read("SELECT max(seq) AS seq FROM events")[0]["seq"]
        assert ledger.seq_of("a") == 1


def test_a_writer_sees_its_own_writes_and_readers_do_not_until_the_commit(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")
            assert w.read("SELECT transaction_id FROM transactions") == [{"transaction_id": "a"}]
            assert w.seq_of("a") == 1
            assert ledger.seq_of("a") is None
            assert ledger.read("SELECT count(*) AS n FROM transactions") == [{"n": 0}]
        assert ledger.seq_of("a") == 1


def test_a_view_stays_at_its_moment(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, ledger.view() as view:
        assert view.read("SELECT count(*) AS n FROM transactions") == [{"n": 0}]
        with ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")
        assert view.read("SELECT count(*) AS n FROM transactions") == [{"n": 0}]
        assert ledger.read("SELECT count(*) AS n FROM transactions") == [{"n": 1}]


def test_writers_in_many_threads_make_one_unbroken_chain(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:

        def work(name: int) -> None:
            for number in range(5):
                with ledger.writing() as w:
                    w.insert_transactions([transaction(f"{name}-{number}")], AT, "api")
                assert ledger.read("SELECT count(*) AS n FROM transactions")[0]["n"] > 0

        threads = [threading.Thread(target=work, args=[name]) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seqs = [row["seq"] for row in ledger.read("SELECT seq FROM transactions ORDER BY seq")]
        assert seqs == list(range(1, 21))
        assert ledger.last_event.seq == 21


def test_a_write_inside_a_write_is_refused(tmp_path: Path) -> None:
    with (
        new_ledger(tmp_path) as ledger,
        ledger.writing(),
        pytest.raises(LedgerError, match="a write is already open in this thread"),
        ledger.writing(),
    ):
        pass


def test_an_id_the_ledger_has_is_refused_even_within_one_write(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with (
            pytest.raises(ConflictError, match="a: the ledger already has this transaction"),
            ledger.writing() as w,
        ):
            w.insert_transactions([transaction("a"), transaction("a")], AT, "api")
        with ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")
        with pytest.raises(ConflictError), ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")


def test_seqs_must_be_taken_and_in_order(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with (
            pytest.raises(LedgerError, match="the seq 7 was not taken, or is out of order"),
            ledger.writing() as w,
        ):
            w.insert_transactions([transaction("a", seq=7)], AT, "api")
        with ledger.writing() as w:
            first = w.take_seqs(2)
            w.insert_transactions([transaction("a", seq=first), transaction("b", seq=first + 1)], AT, "api")
        assert ledger.seq_of("b") == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attributes": {"colour": "red"}}, "t1: the institution has no field 'colour'"),
        ({"attributes": {"score": float("nan")}}, "score: the number is not finite"),
        ({"amount": transaction().amount / 1000}, "t1: the amount 0.01234 cannot be stored exactly"),
    ],
)
def test_a_transaction_that_cannot_be_stored_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with new_ledger(tmp_path) as ledger, pytest.raises(InputError, match=message), ledger.writing() as w:
        w.insert_transactions([transaction(**changes)], AT, "api")


def test_naive_times_unknown_columns_and_wrong_types_are_refused(tmp_path: Path) -> None:
    good = {"task_id": "t", "reviewer": "analyst-1", "content": "{}", "saved_at": AT}
    bad = {
        "drafts.saved_at: a time without a time zone": {"saved_at": datetime(2026, 1, 1)},
        "drafts: the table has no column colour": {"colour": "red"},
        "drafts.content: a value does not fit the column": {"content": 5},
    }
    with new_ledger(tmp_path) as ledger:
        for message, change in bad.items():
            with pytest.raises(LedgerError, match=message), ledger.writing() as w:
                w.insert("drafts", [good | change])
        with pytest.raises(LedgerError, match="no rows can be inserted into 'events'"), ledger.writing() as w:
            w.insert("events", [{}])
        assert ledger.read("SELECT count(*) AS n FROM drafts") == [{"n": 0}]


def test_aware_times_can_be_bound_in_queries(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")
        sql = "SELECT count(*) AS n FROM transactions WHERE occurred_at = ?"
        assert ledger.read(sql, [transaction().occurred_at]) == [{"n": 1}]


def test_personal_values_are_apart_and_only_their_commitments_are_in_the_record(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            w.insert_transactions([transaction("a", personal={"email": "c1@example.org"})], AT, "api")
            w.event(EventDraft("admin-1", "user.created", "user:x", {}, {"name": "Somebody"}), AT)
        owners = [r["owner"] for r in ledger.read("SELECT owner FROM personal_values ORDER BY owner")]
        assert owners == [f"event:{ledger.last_event.seq}", "transaction:1"]
        for event in ledger.read("SELECT payload, commitments FROM events"):
            assert b"example.org" not in event["payload"] + event["commitments"]
            assert b"Somebody" not in event["payload"] + event["commitments"]


def test_a_second_opening_names_the_process_that_has_it(tmp_path: Path) -> None:
    path = tmp_path / "secondlook.duckdb"
    with new_ledger(tmp_path), pytest.raises(LedgerBusyError) as caught:
        Ledger.open(path)
    assert str(caught.value) == (
        f"{path}: the ledger is in use by process {os.getpid()}. One process owns a ledger: send the command"
        " through the running server, or stop it first."
    )
    Ledger.open(path).close()


def test_a_file_that_is_no_ledger_is_refused_in_one_sentence(tmp_path: Path) -> None:
    hint = "Make a workspace with `secondlook init DIR --mapping FILE`."
    missing, text, other = (tmp_path / name for name in ("a.duckdb", "b.duckdb", "c.duckdb"))
    text.write_text("not a database" * 500)
    tamper(other, "CREATE TABLE recipes (name VARCHAR)")
    for path, what in (
        (missing, "there is no ledger here"),
        (text, "this file is not a DuckDB database"),
        (other, "this is a DuckDB database, but not a Second Look ledger"),
    ):
        with pytest.raises(LedgerError) as caught:
            Ledger.open(path)
        assert str(caught.value) == f"{path}: {what}. {hint}"


def test_a_newer_schema_or_a_changed_migration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secondlook.duckdb"
    new_ledger(tmp_path).close()
    newest = schema.shipped_migrations()[-1].number
    tamper(path, "INSERT INTO schema_migrations VALUES (99, 'future', '', NULL)")
    with pytest.raises(LedgerError, match=f"schema 99, newer than the {newest} this program knows"):
        Ledger.open(path)
    tamper(
        path, "DELETE FROM schema_migrations WHERE number = 99", "UPDATE schema_migrations SET sha256 = 'x'"
    )
    with pytest.raises(LedgerError, match="another version of migration 0001"):
        Ledger.open(path)


def test_create_refuses_an_existing_file_and_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "secondlook.duckdb"
    path.write_text("precious")
    with pytest.raises(LedgerError, match="there is already a file"):
        new_ledger(tmp_path)
    assert path.read_text() == "precious"


def test_the_ledger_can_reach_no_other_file(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger, pytest.raises(duckdb.Error, match="disabled by configuration"):
        ledger.read("SELECT * FROM read_csv('/etc/hostname')")


def test_a_killed_process_loses_nothing_it_committed(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from tests.data.builders import AT, new_ledger, transaction
ledger = new_ledger(Path(sys.argv[1]))
for number in range(3):
    with ledger.writing() as w:
        w.insert_transactions([transaction(f"t{number}")], AT, "api")
    print(number, flush=True)
with ledger.writing() as w:
    w.insert_transactions([transaction("unfinished")], AT, "api")
    w.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, text=True
    )
    assert done.stdout.split() == ["0", "1", "2"], done.stderr
    with Ledger.open(tmp_path / "secondlook.duckdb") as ledger:
        assert [ledger.seq_of(f"t{number}") for number in range(3)] == [1, 2, 3]
        assert ledger.seq_of("unfinished") is None


def test_numpy_values_and_large_batches_are_stored_like_plain_ones(tmp_path: Path) -> None:
    def outcome(seq: object) -> dict:
        return {
            "transaction_seq": seq, "is_fraud": True, "known_at": AT, "reported_seq": 0, "source": "chargeback",
            "reason_code": "", "recorded_at": AT,
        }  # fmt: skip

    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            w.insert("outcomes", [outcome(np.int64(1))])
        with ledger.writing() as w:
            w.insert("outcomes", [outcome(seq) for seq in range(2, 2002)])
        with ledger.writing() as w:
            w.insert("outcomes", [outcome(2002)])
        stored = ledger.read("SELECT DISTINCT ON (source) known_at, is_fraud FROM outcomes")
        assert stored == [{"known_at": AT, "is_fraud": True}]
        assert ledger.read("SELECT count(*) AS n, sum(transaction_seq)::BIGINT AS total FROM outcomes") == [
            {"n": 2002, "total": 2002 * 2003 // 2}
        ]


def test_a_refused_batch_does_not_come_up_in_a_later_write(tmp_path: Path) -> None:
    good = {"task_id": "t", "reviewer": "analyst-1", "content": "{}", "saved_at": AT}
    with new_ledger(tmp_path) as ledger:
        for bad in ({"reviewer": None}, {"saved_at": datetime(2026, 1, 1)}):
            with pytest.raises(LedgerError), ledger.writing() as w:
                w.insert("drafts", [good, good | bad])
        with pytest.raises(RuntimeError), ledger.writing() as w:
            w.insert("drafts", [good])
            w.flush()
            raise RuntimeError("changed its mind")
        with ledger.writing() as w:
            w.insert("drafts", [good])
        assert ledger.read("SELECT task_id, saved_at FROM drafts") == [{"task_id": "t", "saved_at": AT}]


def test_a_checkpoint_moves_the_log_into_the_file_and_writing_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "secondlook.duckdb.wal"
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            w.insert_transactions([transaction("a")], AT, "api")
        before = log.stat().st_size
        ledger.checkpoint()
        assert (log.stat().st_size if log.exists() else 0) < before
        with ledger.writing() as w:
            w.insert_transactions([transaction("b")], AT, "api")
        assert ledger.seq_of("b") == 2
