"""Is a record that somebody changed in the journal after a crash refused, and nothing lost by it?"""

from __future__ import annotations

import hashlib
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from data.errors import LedgerError
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, mapping, transaction
from tests.data.test_journal import left_by_a_crash, record

FILE = "secondlook.duckdb"


def forged(record_: bytes, change: Callable[[dict], None]) -> bytes:
    """A journal's first record with other rows and a checksum that fits them, as anybody can make it."""
    mark, size, _ = struct.unpack("<8sQ32s", record_[:48])
    start = 48 if mark[-1] == 2 else 80
    rows = orjson.loads(record_[start : start + size])
    change(rows)
    body = orjson.dumps(rows)
    return struct.pack("<8sQ32s", mark, len(body), hashlib.sha256(body).digest()) + record_[48:start] + body


def one_row_more(rows: dict) -> None:
    row = {"note_id": "x", "case_id": "", "transaction_seq": 1, "author": "a", "content": "c"}
    rows["notes"] = [{**row, "at": AT.isoformat()}]


def another_number(rows: dict) -> None:
    change = {"table": "tasks", "key": "task_id", "column": "priority", "of": "t", "value": 9.0}
    rows["_changes"] = [change]


def no_events(rows: dict) -> None:
    rows.clear()


@pytest.mark.parametrize("change", [one_row_more, another_number, no_events])
def test_a_record_of_the_journal_that_was_changed_after_a_crash_is_refused_and_kept(
    closed: Path, tmp_path: Path, keyring: Keyring, change: Callable[[dict], None]
) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    shutil.copyfile(closed, folder / FILE)
    with Ledger.open(folder / FILE, keyring=keyring) as ledger, ledger._order:
        record(ledger, "a")
        died = left_by_a_crash(folder, tmp_path / "died")
    journal = died.with_suffix(".journal")
    whole = journal.read_bytes()
    journal.write_bytes(forged(whole, change))
    left = journal.read_bytes()
    with pytest.raises(LedgerError, match="does not carry this ledger's seal") as told:
        Ledger.open(died, keyring=keyring)
    assert "nothing was changed" in str(told.value)
    assert journal.read_bytes() == left
    journal.write_bytes(whole)
    with Ledger.open(died, keyring=keyring) as ledger:
        assert ledger.seq_of("a") == 1
        assert chain.verify(ledger).ok


def test_what_an_older_round_left_in_the_journal_before_the_key_is_passed_over(
    tmp_path: Path, keyring: Keyring
) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    with Ledger.create(folder / FILE, mapping(), at=AT) as ledger:
        record(ledger, "a")
        ledger.settle()
        died = left_by_a_crash(folder, tmp_path / "died")
    with Ledger.open(died, keyring=keyring) as ledger:
        kept = died.with_suffix(".journal").read_bytes()
        ledger.seal(AT, "admin-1")
    died.with_suffix(".journal").write_bytes(kept)
    with Ledger.open(died, keyring=keyring) as ledger:
        with ledger.writing() as w:
            w.insert_transactions([transaction("b")], AT, "api")
        assert chain.verify(ledger).ok
