"""Does the program vouch for what somebody else put into its tables while it was not running?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import orjson
import pytest

from data.events import EventDraft
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, mapping, tamper
from tests.data.test_journal import left_by_a_crash, record

FILE = "secondlook.duckdb"
UNSEALED = "the sums of the tables did not carry this ledger's seal when it was opened after event"


def note(ledger: Ledger, name: str) -> None:
    with ledger.writing() as w:
        row = {"note_id": name, "case_id": "", "transaction_seq": 1, "author": "analyst-1", "content": "seen"}
        w.insert("notes", [{**row, "at": AT}])
        w.event(EventDraft("analyst-1", "note.written", f"note:{name}", {}), AT)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    """A closed ledger under a key, with two notes."""
    file = tmp_path_factory.mktemp("closed") / FILE
    with Ledger.create(file, mapping(), at=AT, keyring=keyring) as ledger:
        note(ledger, "n1")
        note(ledger, "n2")
    return file


@pytest.fixture
def file(closed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(closed, tmp_path / FILE))


def without_its_entry(file: Path) -> None:
    """The rows of a table away, and what the last line of sums says of it."""
    with duckdb.connect(str(file)) as connection:
        last = "rowid = (SELECT max(rowid) FROM state_seals)"
        (text,) = connection.execute(f"SELECT tables FROM state_seals WHERE {last}").fetchall()[0]
        kept = orjson.loads(text)
        assert kept.pop("notes")
        connection.execute("DELETE FROM notes")
        connection.execute(f"UPDATE state_seals SET tables = ? WHERE {last}", [orjson.dumps(kept).decode()])


def an_older_line(file: Path) -> None:
    """An older line of sums in place of the last, and the rows of then."""
    tamper(file, "DELETE FROM state_seals WHERE event_seq = 3", "DELETE FROM notes WHERE note_id = 'n2'")


def no_line(file: Path) -> None:
    tamper(file, "DELETE FROM state_seals", "DELETE FROM notes")


def no_json(file: Path) -> None:
    tamper(file, "UPDATE state_seals SET tables = '{never'")


def other_types(file: Path) -> None:
    tamper(file, "UPDATE state_seals SET tables = '{\"notes\": 7}', mac = ''::BLOB")


@pytest.mark.parametrize("change", [without_its_entry, an_older_line, no_line, no_json, other_types])
def test_sums_that_were_changed_are_told_of_for_good_however_much_is_written_after_them(
    file: Path, keyring: Keyring, change: Callable[[Path], None]
) -> None:
    change(file)
    for name in ("n3", "n4"):
        with Ledger.open(file, keyring=keyring) as ledger:
            assert not chain.verify(ledger).ok
            note(ledger, name)
            ledger.checkpoint()
            report = chain.verify(ledger)
            assert not report.ok
            assert f"{UNSEALED} 3" in report.problem


def test_the_mark_of_changed_sums_cannot_be_taken_away_without_the_key(file: Path, keyring: Keyring) -> None:
    without_its_entry(file)
    with Ledger.open(file, keyring=keyring) as ledger:
        note(ledger, "n3")
    tamper(file, "UPDATE state_seals SET tables = '{}'")
    with Ledger.open(file, keyring=keyring) as ledger:
        note(ledger, "n4")
        assert f"{UNSEALED} 4" in chain.verify(ledger).problem


def test_a_ledger_that_died_between_commits_is_no_altered_one(
    closed: Path, tmp_path: Path, keyring: Keyring
) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    shutil.copyfile(closed, folder / FILE)
    with Ledger.open(folder / FILE, keyring=keyring) as ledger:
        note(ledger, "n3")
        with ledger._order:  # nothing is settled meanwhile
            record(ledger, "a")
            died = left_by_a_crash(folder, tmp_path / "died")
    with Ledger.open(died, keyring=keyring) as ledger:
        with pytest.raises(ZeroDivisionError), ledger.writing() as w:
            w.execute("DELETE FROM notes")
            raise ZeroDivisionError
        note(ledger, "n4")
        assert chain.verify(ledger).ok
