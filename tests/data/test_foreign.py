"""Is a file found out that holds something that could speak in place of the program?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data.errors import LedgerError
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, MAPPING, mapping, tamper

FILE = "secondlook.duckdb"


@pytest.fixture
def file(closed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(closed, tmp_path / FILE))


FOREIGN = {
    "CREATE MACRO sha256(x) AS 'fake'": "the function sha256",
    "CREATE MACRO duckdb_tables() AS TABLE SELECT 'x' AS table_name": "the function duckdb_tables",
    "CREATE VIEW duckdb_tables AS SELECT 'x' AS table_name": "the view duckdb_tables",
    "CREATE SCHEMA other": "the schema other",
    "CREATE TYPE word AS ENUM ('a')": "the type word",
    "CREATE SEQUENCE numbers": "the sequence numbers",
    "CREATE INDEX fast ON notes (note_id)": "the index fast",
    "CREATE TRIGGER away AFTER INSERT ON notes FOR EACH STATEMENT DELETE FROM flags": "the trigger away",
}


@pytest.mark.parametrize("statement", FOREIGN)
def test_a_file_that_holds_more_than_tables_is_refused(file: Path, keyring: Keyring, statement: str) -> None:
    tamper(file, statement)
    with pytest.raises(LedgerError, match="something that the program never put there") as told:
        Ledger.open(file, keyring=keyring)
    assert FOREIGN[statement] in str(told.value)


DECLARED = {
    "ALTER TABLE cases ALTER segment SET DEFAULT 'x'": "cases: segment VARCHAR DEFAULT('x')",
    "ALTER TABLE cases ALTER raised DROP DEFAULT": "cases: raised DOUBLE",
    "ALTER TABLE notes ALTER author DROP NOT NULL": "notes: author VARCHAR",
    "ALTER TABLE notes ADD PRIMARY KEY (note_id)": "notes: PRIMARY KEY(note_id)",
    "ALTER TABLE notes ALTER transaction_seq TYPE INTEGER": "notes: transaction_seq INTEGER NOT NULL",
    "ALTER TABLE users ALTER user_id TYPE VARCHAR COLLATE NOCASE": "users: user_id VARCHAR COLLATE NOCASE NOT NULL",
    "ALTER TABLE flags DROP COLUMN answered_at": "flags without answered_at TIMESTAMP",
    "ALTER TABLE transactions ADD COLUMN more VARCHAR": "transactions: more VARCHAR",
}


@pytest.mark.parametrize("statement", DECLARED)
def test_a_file_whose_tables_were_declared_anew_is_refused(
    file: Path, keyring: Keyring, statement: str
) -> None:
    tamper(file, statement)
    with pytest.raises(LedgerError, match="declared otherwise than by the program") as told:
        Ledger.open(file, keyring=keyring)
    assert DECLARED[statement] in str(told.value)


def test_a_field_whose_name_needs_quotes_is_no_stranger(tmp_path: Path, keyring: Keyring) -> None:
    Ledger.create(
        tmp_path / FILE, mapping(MAPPING.replace("country:", "order:", 1)), at=AT, keyring=keyring
    ).close()
    with Ledger.open(tmp_path / FILE, keyring=keyring) as ledger:
        assert chain.verify(ledger).ok


def test_a_function_and_a_default_in_a_ledger_without_a_key_are_told_of_by_verification(
    tmp_path: Path,
) -> None:
    Ledger.create(tmp_path / FILE, mapping(), at=AT).close()
    tamper(
        tmp_path / FILE, "CREATE MACRO coalesced(x) AS x", "ALTER TABLE cases ALTER segment SET DEFAULT 'x'"
    )
    with Ledger.open(tmp_path / FILE) as ledger:
        told = "; ".join(chain.verify(ledger).problems)
    assert "the function coalesced" in told
    assert "cases: segment VARCHAR DEFAULT('x')" in told


def test_a_column_of_a_type_that_none_has_is_refused_without_a_key_too(tmp_path: Path) -> None:
    Ledger.create(tmp_path / FILE, mapping(), at=AT).close()
    tamper(tmp_path / FILE, "ALTER TABLE notes ALTER transaction_seq TYPE INTEGER")
    with pytest.raises(LedgerError, match=r"notes\.transaction_seq has the type INTEGER"):
        Ledger.open(tmp_path / FILE)


def test_tables_that_a_migration_finds_are_refused_in_a_sentence(file: Path, keyring: Keyring) -> None:
    tamper(file, "DELETE FROM schema_migrations WHERE number = 13")
    with pytest.raises(LedgerError, match="do not fit the list of migrations that made them"):
        Ledger.open(file, keyring=keyring)
