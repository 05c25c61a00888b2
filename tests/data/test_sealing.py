"""Is a ledger found out that was rebuilt, cut or changed by somebody who has the file but not the key?"""

from __future__ import annotations

import shutil
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import LedgerError
from data.events import GENESIS, EventDraft, event_hash, microseconds
from data.integrity import chain, seal_checks
from data.integrity.keyring import Keyring
from data.integrity.row_digests import Sum, of_rows, sum_sql
from data.integrity.table_sums import APART, changed_part, found_problems
from data.ledger import Ledger
from data.storage.rows import View
from tests.data.builders import AT, mapping, new_ledger, tamper, transaction

LAST = 7
FILE = "secondlook.duckdb"


def fill(ledger: Ledger) -> None:
    """A payment with its disposition, two notes, an outbox message that was changed, and a recorded payment."""
    with ledger.writing() as w:
        w.insert_transactions([transaction("t1", personal={"email": "a@b.c"})], AT, "api")
        payload = {"value": "released", "reason": "r", "case_id": "", "was": "held", "disposition_seq": 1}
        row = {
            "disposition_seq": 1,
            "transaction_seq": 1,
            "transaction_id": "t1",
            "case_id": "",
            "actor": "lead-1",
        }
        w.insert("dispositions", [{**row, "value": "released", "reason": "r", "at": AT}])
        w.event(EventDraft("lead-1", "disposition.recorded", "transaction:t1", payload), AT)
    for number in range(2):
        with ledger.writing() as w:
            note = {"note_id": f"n{number}", "case_id": "", "transaction_seq": 1, "author": "analyst-1"}
            w.insert("notes", [{**note, "content": "seen before", "at": AT}])
            w.event(EventDraft("analyst-1", "note.written", f"note:n{number}", {}), AT)
    with ledger.writing() as w:
        w.execute("UPDATE notes SET content = 'seen often' WHERE note_id = ?", ["n1"])
    with ledger.recording() as w:
        w.insert_transactions([transaction("t2")], AT, "api")
        w.event(EventDraft("engine", "payment.seen", "transaction:t2", {}), AT)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Iterator[Path]:
    """A closed ledger under a key, its head noted at event 4 and at its end."""
    file = tmp_path_factory.mktemp("sealed") / FILE
    with Ledger.create(file, mapping(), at=AT, keyring=keyring) as ledger:
        fill(ledger)
        assert ledger.last_event.seq == LAST
        seal_checks.note_head(ledger, AT)
    yield file


def copied(file: Path, folder: Path) -> Path:
    return Path(shutil.copyfile(file, folder / FILE))


def report_of(file: Path, keyring: Keyring) -> chain.ChainReport:
    with Ledger.open(file, keyring=keyring) as ledger:
        return chain.verify(ledger)


def test_a_sealed_ledger_verifies_and_says_from_where_on(
    sealed: Path, keyring: Keyring, tmp_path: Path
) -> None:
    report = report_of(copied(sealed, tmp_path), keyring)
    assert (report.ok, report.problem, report.sealed_from) == (True, "", 1)
    assert report_of(sealed, keyring).anchored_seq == LAST


def rebuilt(file: Path, *, keep: int, secret_seals: bool = False) -> None:
    """What somebody with the file can do: change the payload of event `keep` and link everything after it anew."""
    with duckdb.connect(str(file)) as connection:
        columns = "seq, recorded_at, actor, kind, subject, payload, commitments"
        rows = connection.execute(f"SELECT {columns} FROM events ORDER BY seq").fetchall()
        before = GENESIS
        for seq, at, actor, kind, subject, payload, commitments in rows:
            payload = payload.replace(b"lead-1", b"lead-2") if seq != keep else b'{"forged":true}'
            at_us = microseconds(at.replace(tzinfo=AT.tzinfo))
            texts = (actor.encode(), kind.encode(), subject.encode(), payload, commitments)
            made = event_hash(before, seq, at_us, texts)
            connection.execute(
                "UPDATE events SET payload = ?, prev_hash = ?, hash = ? WHERE seq = ?",
                [payload, before, made, seq],
            )
            before = made


def test_a_chain_linked_anew_without_the_key_is_found(sealed: Path, keyring: Keyring, tmp_path: Path) -> None:
    file = copied(sealed, tmp_path)
    rebuilt(file, keep=4)
    report = report_of(file, keyring)
    assert (report.first_bad_seq, report.problem) == (4, "event 4 does not carry this ledger's seal")


TAMPERED = {
    "UPDATE events SET seal = NULL WHERE seq = 5": "event 5 carries no seal, though every one from 1 on must",
    "UPDATE events SET seal = hash WHERE seq = 6": "event 6 does not carry this ledger's seal",
    "UPDATE notes SET content = 'x' WHERE note_id = 'n0'":
        "rows of the table notes were changed by something other than the program",
    "DELETE FROM notes WHERE note_id = 'n0'": "the table notes holds 1 rows where the program left 2",
    "INSERT INTO notes SELECT * FROM notes LIMIT 1": "the table notes holds 3 rows where the program left 2",
    "DELETE FROM personal_values": "the table personal_values holds 0 rows where the program left 1",
    "UPDATE about SET value = 'another bank' WHERE name = 'institution'":
        "rows of the table about were changed by something other than the program",
    "DROP TABLE notes": "the table notes is gone",
    "UPDATE dispositions SET value = 'declined'":
        "the disposition 1 differs from its event: dispositions.value was changed",
    "DELETE FROM dispositions": "the disposition 1 is missing from dispositions",
    "INSERT INTO dispositions SELECT * FROM dispositions": "the disposition 1 is in dispositions more than once",
    "INSERT INTO dispositions SELECT * REPLACE (9 AS disposition_seq) FROM dispositions":
        "the disposition 9 is in dispositions, but no event speaks of it",
    "DELETE FROM state_seals": "no sums of the tables are stored",
    "UPDATE state_seals SET event_seq = 6": "the sums of the tables do not carry this ledger's seal as of its last event",  # noqa: E501
    "INSERT INTO users VALUES ('x', 'admin', 'h', now()::TIMESTAMP, NULL)":
        "the user x is in users, but no event speaks of it",
}  # fmt: skip


@pytest.mark.parametrize("statement", TAMPERED)
def test_a_change_without_the_key_is_found(
    sealed: Path, keyring: Keyring, tmp_path: Path, statement: str
) -> None:
    file = copied(sealed, tmp_path)
    tamper(file, statement)
    report = report_of(file, keyring)
    assert not report.ok
    assert TAMPERED[statement] in (report.problem, *report.problems)


_VALUES = {
    pa.int64(): 1, pa.float64(): 0.5, pa.string(): "x", pa.bool_(): True, pa.binary(): b"x",
    pa.timestamp("us"): AT, pa.decimal128(20, 4): Decimal("1.5000"), pa.list_(pa.string()): ["x"],
}  # fmt: skip


def test_every_table_is_watched(tmp_path: Path, keyring: Keyring) -> None:
    with Ledger.create(tmp_path / FILE, mapping(), at=AT, keyring=keyring) as ledger:
        watched = {table: shape for table, shape in ledger.shapes.items() if table not in APART}
        with ledger.writing() as w:
            for table, shape in watched.items():
                w.insert(table, [{field.name: _VALUES[field.type] for field in shape}])
            w.event(EventDraft("admin-1", "all.filled", "tables", {}), AT)
        assert ledger.sealer is not None
        head = ledger.last_event
        for table, shape in watched.items():
            text = next(f.name for f in shape if f.type == pa.string())
            for change in (
                f'DELETE FROM "{table}"',
                f'INSERT INTO "{table}" SELECT * FROM "{table}"',
                f'UPDATE "{table}" SET "{text}" = \'y\' WHERE rowid = 0',
            ):
                with ledger._connection.cursor() as cursor:
                    cursor.execute("BEGIN")
                    cursor.execute(change)
                    only = {table: shape}
                    found = found_problems(View(cursor), ledger.sealer, only, head.seq, head.hash)
                    assert table in next(found), change
                    cursor.execute("ROLLBACK")
        assert len(watched) > 35


def test_a_changed_row_stays_found_when_the_program_goes_on_writing(
    sealed: Path, keyring: Keyring, tmp_path: Path
) -> None:
    file = copied(sealed, tmp_path)
    tamper(file, "UPDATE notes SET content = 'x' WHERE note_id = 'n0'")
    with Ledger.open(file, keyring=keyring) as ledger:
        with ledger.writing() as w:
            w.execute("UPDATE notes SET content = 'y' WHERE note_id = 'n0'")
            w.event(EventDraft("analyst-1", "note.written", "note:n0", {}), AT)
        assert not chain.verify(ledger).ok


def test_a_cut_tail_is_found_by_the_head_noted_outside(tmp_path: Path, keyring: Keyring) -> None:
    file, early = tmp_path / FILE, tmp_path / "early.duckdb"
    with Ledger.create(file, mapping(), at=AT, keyring=keyring):
        pass
    shutil.copyfile(file, early)
    with Ledger.open(file, keyring=keyring) as ledger:
        fill(ledger)
        seal_checks.note_head(ledger, AT)
    shutil.copyfile(early, file)  # every seal in it is right
    report = report_of(file, keyring)
    assert report.first_bad_seq == 2
    assert report.problem.startswith(
        f"event {LAST}, noted outside at 2026-03-01T12:00:00.123456Z, is missing"
    )


def test_a_moved_ledger_is_held_against_its_old_place_and_a_copy_is_not(
    tmp_path: Path, keyring: Keyring
) -> None:
    first, copy = tmp_path / FILE, tmp_path / "copy"
    copy.mkdir()
    with Ledger.create(first, mapping(), at=AT, keyring=keyring):
        pass
    shutil.copyfile(first, copy / FILE)
    with Ledger.open(first, keyring=keyring) as ledger:
        fill(ledger)
        seal_checks.note_head(ledger, AT)
    assert report_of(copy / FILE, keyring).ok
    first.unlink()
    assert not report_of(copy / FILE, keyring).ok


def test_a_forged_note_of_a_head_is_found(sealed: Path, tmp_path: Path, keyring: Keyring) -> None:
    with Ledger.open(sealed, keyring=keyring) as ledger:
        assert ledger.sealer is not None
        file = keyring.anchor_file(ledger.sealer.key.key_id)
        kept = file.read_bytes()
        try:
            file.write_bytes(kept.replace(b'"seq":7', b'"seq":6'))
            assert "does not carry the key's seal" in chain.verify(ledger).problem
        finally:
            file.write_bytes(kept)


def test_without_the_key_the_ledger_does_not_open(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="the key that seals this ledger is not here"):
        Ledger.open(copied(sealed, tmp_path), keyring=Keyring(tmp_path / "elsewhere"))


def test_a_key_that_does_not_fit_is_refused(sealed: Path, tmp_path: Path, keyring: Keyring) -> None:
    broken = Keyring(Path(shutil.copytree(keyring.folder, tmp_path / "keys")))
    for file in broken.folder.glob("*.key"):
        file.write_text('{"key": "00", "sealed_from": 1, "ledger": ""}')
    with pytest.raises(LedgerError, match="this is not a key"):
        Ledger.open(copied(sealed, tmp_path), keyring=broken)


def test_an_older_ledger_is_sealed_from_a_stated_event_on(tmp_path: Path, keyring: Keyring) -> None:
    with new_ledger(tmp_path) as ledger:
        fill(ledger)
    with Ledger.open(tmp_path / FILE, keyring=keyring) as ledger:
        ledger.seal(AT + timedelta(days=1), "admin-1")
        ledger.seal(AT + timedelta(days=2), "admin-1")  # changes nothing
        with ledger.writing() as w:
            w.event(EventDraft("admin-1", "note.written", "note:x", {}), AT)
        report = chain.verify(ledger)
        assert (report.ok, report.sealed_from, report.events) == (True, LAST + 1, LAST + 2)
        assert ledger.read("SELECT kind FROM events WHERE seq = ?", [LAST + 1]) == [{"kind": "ledger.sealed"}]
    tamper(tmp_path / FILE, "UPDATE notes SET content = 'x' WHERE note_id = 'n0'")
    assert not report_of(tmp_path / FILE, keyring).ok


def test_a_ledger_stripped_of_its_key_is_not_given_another(tmp_path: Path, keyring: Keyring) -> None:
    file = tmp_path / FILE
    with Ledger.create(file, mapping(), at=AT, keyring=keyring):
        pass
    tamper(
        file,
        "DELETE FROM about WHERE name = 'key_id'",
        "UPDATE events SET seal = NULL",
        "DELETE FROM state_seals",
    )
    with (
        Ledger.open(file, keyring=keyring) as ledger,
        pytest.raises(LedgerError, match="a key was made for the ledger at this place"),
    ):
        ledger.seal(AT, "system")


def test_a_write_that_fails_leaves_the_sums_as_they_were(
    sealed: Path, keyring: Keyring, tmp_path: Path
) -> None:
    with Ledger.open(copied(sealed, tmp_path), keyring=keyring) as ledger:
        with pytest.raises(ZeroDivisionError), ledger.writing() as w:
            w.execute("DELETE FROM notes WHERE true")
            raise ZeroDivisionError
        assert chain.verify(ledger).ok


def test_only_the_change_of_one_table_can_be_run() -> None:
    assert changed_part("UPDATE t SET a = (SELECT max(x) FROM u WHERE y = ?), b = ' WHERE ?' WHERE c = ?") == (
        "t", False, "WHERE c = ?", 1,
    )  # fmt: skip
    assert changed_part("DELETE FROM t") == ("t", True, "", 0)
    with pytest.raises(LedgerError, match="only an UPDATE or DELETE"):
        changed_part("CREATE TABLE t (a INTEGER)")


SHAPE = pa.schema(
    [("b", pa.string()), ("a", pa.int64()), ("x", pa.float64()), ("f", pa.bool_()), ("c", pa.binary()),
     ("t", pa.timestamp("us")), ("m", pa.decimal128(20, 4)), ("l", pa.list_(pa.string()))]
)  # fmt: skip
texts = st.text(string.printable + "äß€😀", max_size=12)
rows = st.tuples(
    st.none() | texts,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats() | st.just(-float("nan")),
    st.none() | st.booleans(),
    st.none() | st.binary(max_size=12),
    st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.none() | st.decimals(-(10**12), 10**12, places=4, allow_nan=False).map(lambda d: d + Decimal(0)),
    st.none() | st.lists(texts, max_size=3),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(rows, max_size=4))
def test_sql_and_python_make_the_same_sums(found: list[tuple]) -> None:
    table = pa.Table.from_pylist([dict(zip(SHAPE.names, row, strict=True)) for row in found], schema=SHAPE)
    with duckdb.connect() as connection:
        connection.register("_rows", table)
        there = connection.execute(sum_sql("s", "t", SHAPE, "_rows")).fetchall()[0]
    assert Sum(*there) == of_rows("s", "t", SHAPE, found)


def test_a_missing_value_is_told_from_an_empty_one() -> None:
    assert of_rows("s", "t", SHAPE, [("",) + (None,) * 7]) != of_rows("s", "t", SHAPE, [(None,) * 8])
    assert of_rows("s", "t", SHAPE, [(None,) * 8]) - Sum(1) != replace(Sum(), rows=0)
