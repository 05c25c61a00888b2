"""Is a file found out that holds something that could speak in place of the program?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data import chain
from data.errors import LedgerError
from data.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, mapping, tamper

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


def test_a_function_in_a_ledger_without_a_key_is_told_of_by_verification(tmp_path: Path) -> None:
    Ledger.create(tmp_path / FILE, mapping(), at=AT).close()
    tamper(tmp_path / FILE, "CREATE MACRO coalesced(x) AS x")
    with Ledger.open(tmp_path / FILE) as ledger:
        assert "the function coalesced" in chain.verify(ledger).problem


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "ALTER TABLE notes ALTER transaction_seq TYPE INTEGER",
            r"notes\.transaction_seq has the type INTEGER",
        ),
        (
            "DELETE FROM schema_migrations WHERE number = 13",
            "do not fit the list of migrations that made them",
        ),
    ],
)
def test_tables_of_another_make_are_refused_in_a_sentence(
    file: Path, keyring: Keyring, statement: str, said: str
) -> None:
    tamper(file, statement)
    with pytest.raises(LedgerError, match=said):
        Ledger.open(file, keyring=keyring)
