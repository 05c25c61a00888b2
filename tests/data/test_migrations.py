"""Does a ledger of every earlier schema open today, with what it held?"""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from data.errors import LedgerError
from data.events import GENESIS, EventDraft, event_hash, microseconds
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.integrity.table_sums import TableSums
from data.ledger import Ledger
from data.storage import schema
from data.storage.connecting import connect
from data.storage.schema import Migration, arrow_schemas, shipped_migrations
from tests.data.builders import AT, mapping, tamper

NAIVE = AT.replace(tzinfo=None)
_VALUES: dict[pa.DataType, Any] = {
    pa.int64(): 7, pa.float64(): 0.5, pa.string(): "kept", pa.bool_(): True, pa.binary(): b"kept",
    pa.timestamp("us"): NAIVE, pa.decimal128(20, 4): Decimal("1.5000"), pa.list_(pa.string()): ["kept"],
}  # fmt: skip
OURS = {"schema_migrations", "events", "about", "fields", "state_seals", "transactions", "personal_values"}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """An empty database after each migration, by its number."""
    folder: Path = tmp_path_factory.mktemp("schemas")
    growing, found = folder / "growing.duckdb", {}
    for migration in shipped_migrations():
        connection = connect(growing)
        schema._apply(connection, [migration], NAIVE, lambda: None)
        connection.close()
        found[migration.number] = Path(shutil.copyfile(growing, folder / f"{migration.number}.duckdb"))
    return found


def older(path: Path, empty: Path) -> dict[str, tuple[Any, ...]]:
    """A ledger of an earlier schema, a row in every table of its time; the rows by table."""
    shutil.copyfile(empty, path)
    connection = connect(path)
    texts = (b"admin-1", b"ledger.created", b"ledger", b"{}", b"{}")
    made = event_hash(GENESIS, 1, microseconds(AT), texts)
    event = [1, NAIVE, *(text.decode() for text in texts[:3]), *texts[3:], GENESIS, made]
    columns = "(seq, recorded_at, actor, kind, subject, payload, commitments, prev_hash, hash)"
    connection.execute(f"INSERT INTO events {columns} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", event)
    rows = {}
    for table, shape in arrow_schemas(connection).items():
        if table not in OURS:
            row = tuple(_VALUES[field.type] for field in shape)
            connection.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(row))})', list(row))
            rows[table] = connection.execute(f'SELECT * FROM "{table}"').fetchall()[0]
    connection.close()
    return rows


@pytest.mark.parametrize("number", [migration.number for migration in shipped_migrations()])
def test_a_ledger_of_every_earlier_schema_opens_with_its_rows(
    tmp_path: Path, schemas: dict[int, Path], number: int
) -> None:
    path = tmp_path / "secondlook.duckdb"
    rows = older(path, schemas[number])
    with Ledger.open(path, keyring=Keyring(tmp_path / "keys")) as ledger:
        for table, row in rows.items():
            found = ledger._connection.execute(f'SELECT * FROM "{table}"').fetchall()
            assert len(found) == 1
            assert found[0][: len(row)] == row, table
        with ledger.writing() as w:
            w.event(EventDraft("admin-1", "note.written", "note:1", {}), AT)
        ledger.seal(AT, "admin-1")
        assert ledger.read("SELECT number FROM schema_migrations ORDER BY number") == [
            {"number": migration.number} for migration in shipped_migrations()
        ]
        report = chain.verify(ledger)
        assert (report.events, report.last_hash) == (3, ledger.last_event.hash.hex())


def test_a_sealed_ledger_that_was_changed_is_not_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, keyring = tmp_path / "secondlook.duckdb", Keyring(tmp_path / "keys")
    with Ledger.create(path, at=AT, keyring=keyring):
        pass
    later = Migration(9999, "words", "ALTER TABLE notes ADD COLUMN words BIGINT DEFAULT 3;")
    monkeypatch.setattr(schema, "shipped_migrations", lambda: [*shipped_migrations(), later])
    with Ledger.open(path, keyring=keyring) as ledger:
        assert chain.verify(ledger).ok
    tamper(path, "DELETE FROM schema_migrations WHERE number = 9999", "ALTER TABLE notes DROP COLUMN words")
    tamper(path, "INSERT INTO users VALUES ('x', 'admin', 'h', now()::TIMESTAMP, NULL)")
    with pytest.raises(LedgerError, match="tables were changed by something other than the program: users"):
        Ledger.open(path, keyring=keyring)


def test_a_sealed_ledger_whose_upgrade_was_killed_before_its_sums_were_taken_opens_and_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, keyring = tmp_path / "secondlook.duckdb", Keyring(tmp_path / "keys")
    with Ledger.create(path, mapping(), at=AT, keyring=keyring) as ledger, ledger.writing() as w:
        row = {"note_id": "n1", "case_id": "", "transaction_seq": 1, "author": "analyst-1", "at": AT}
        w.insert("notes", [{**row, "content": "seen"}])
        w.event(EventDraft("analyst-1", "note.written", "note:n1", {}), AT)
    words = Migration(9998, "words", "ALTER TABLE notes ADD COLUMN words BIGINT DEFAULT 3;")
    counted = Migration(
        9999, "counted", "UPDATE notes SET words = 4; ALTER TABLE notes ADD COLUMN pages BIGINT;"
    )
    monkeypatch.setattr(schema, "shipped_migrations", lambda: [*shipped_migrations(), words, counted])
    (tmp_path / "killed").mkdir()

    def killed(sums: TableSums) -> None:
        for file in tmp_path.glob("secondlook.duckdb*"):  # as a kill leaves them
            shutil.copyfile(file, tmp_path / "killed" / file.name)
        raise OSError("killed")

    with monkeypatch.context() as upgrading:
        upgrading.setattr(TableSums, "recount", killed)
        with pytest.raises(OSError, match="killed"):
            Ledger.open(path, keyring=keyring)
    for left in (path, tmp_path / "killed" / path.name):
        with Ledger.open(left, keyring=keyring) as ledger:
            assert ledger.read("SELECT words, pages FROM notes") == [{"words": 4, "pages": None}]
            assert chain.verify(ledger).ok


def test_a_newer_ledger_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "secondlook.duckdb"
    with Ledger.create(path, at=AT):
        pass
    tamper(path, "INSERT INTO schema_migrations VALUES (9999, 'future', 'x', NULL)")
    with pytest.raises(
        LedgerError, match=r"the ledger has schema 9999, newer than the \d+ this program knows"
    ):
        Ledger.open(path)


def test_a_journal_that_another_version_left_is_refused_before_the_ledger_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secondlook.duckdb"
    with Ledger.create(path, at=AT):
        pass
    later = Migration(9999, "words", "ALTER TABLE notes ADD COLUMN words BIGINT;")
    monkeypatch.setattr(schema, "shipped_migrations", lambda: [*shipped_migrations(), later])
    left = b"2ndLOOK\x01" + (8).to_bytes(8, "little") + bytes(32) + b"8 bytes."
    for name in (".journal", ".journal2"):
        path.with_suffix(name).write_bytes(left)
        with pytest.raises(LedgerError, match="left by another version of Second Look \\(form 1, here 3\\)"):
            Ledger.open(path)
        assert path.with_suffix(name).read_bytes() == left
        path.with_suffix(name).unlink()
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchall() == [(1,)]
        newest = connection.execute("SELECT max(number) FROM schema_migrations").fetchall()
        assert newest == [(shipped_migrations()[-1].number,)]
