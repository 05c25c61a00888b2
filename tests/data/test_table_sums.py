"""Do the sums of the tables follow whatever the program does to them, and tell of all else?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from data.errors import LedgerError
from data.events import EventDraft
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.integrity.table_sums import changed_part, found_problems
from data.ledger import Ledger
from data.storage.rows import View
from tests.data.builders import AT, mapping

FILE = "secondlook.duckdb"
ASKED = ("notes", "case_transactions")
NOTE = {"case_id": "", "transaction_seq": 1, "author": "analyst-1", "content": "seen", "at": AT}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keyring]:
    """A new ledger's file and its key."""
    folder = tmp_path_factory.mktemp("made")
    keyring = Keyring(folder / "keys")
    Ledger.create(folder / FILE, mapping(), at=AT, keyring=keyring).close()
    return folder / FILE, keyring


@pytest.fixture
def ledger(made: tuple[Path, Keyring], tmp_path: Path) -> Iterator[Ledger]:
    file, keyring = made
    with Ledger.open(Path(shutil.copyfile(file, tmp_path / FILE)), keyring=keyring) as ledger:
        yield ledger


def note(ledger: Ledger, count: int) -> None:
    with ledger.writing() as w:
        w.insert("notes", [{**NOTE, "note_id": f"n{number}"} for number in range(count)])
        w.event(EventDraft("analyst-1", "notes.written", "notes", {}), AT)


def problems(ledger: Ledger, *before: str) -> list[str]:
    """What is found after these statements behind the program's back, which are taken back then."""
    assert ledger.sealer is not None
    head = ledger.last_event
    with ledger._connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in before:
            cursor.execute(statement)
        shapes = {table: shape for table, shape in ledger.shapes.items() if table in ASKED}
        found = list(found_problems(View(cursor), ledger.sealer, shapes, head.seq, head.hash))
        cursor.execute("ROLLBACK")
    return [problem for problem in found if not problem.endswith("is gone")]  # of tables not asked about


@pytest.mark.parametrize(("count", "named"), [(1, True), (200, False), (201, False)])
def test_sums_follow_changes_of_few_rows_and_many(ledger: Ledger, count: int, named: bool) -> None:
    note(ledger, count + 1)
    places, last = ("$to", "$id") if named else ("?", "?")
    with ledger.writing() as w:
        sql = f"UPDATE notes SET content = {places} WHERE note_id <> {last}"
        w.execute(sql, {"to": "read", "id": "n0"} if named else ["read", "n0"])
        w.execute("UPDATE notes SET content = 'never' WHERE note_id = 'nobody'")
    assert ledger.read("SELECT content, count(*) AS n FROM notes GROUP BY ALL ORDER BY n, content") == sorted(
        [{"content": "read", "n": count}, {"content": "seen", "n": 1}],
        key=lambda row: (row["n"], row["content"]),
    )
    assert problems(ledger) == []
    with ledger.writing() as w:
        w.execute("DELETE FROM notes WHERE content = ?", ["read"])
    assert problems(ledger) == []
    assert chain.verify(ledger).ok


def test_sums_follow_rows_that_come_as_arrow_and_columns_left_to_their_defaults(ledger: Ledger) -> None:
    few = pa.table({name: [value] * 2 for name, value in {**NOTE, "at": AT.replace(tzinfo=None)}.items()})
    with ledger.writing() as w:
        w.append_arrow("notes", few.append_column("note_id", pa.array(["a", "b"])))
        w.insert("notes", [{**NOTE, "note_id": f"n{number}"} for number in range(1001)])
        put = {"case_id": ["c"], "transaction_seq": [1], "added_at": [AT.replace(tzinfo=None)]}
        w.append_arrow("case_transactions", pa.table(put))
    assert ledger.read("SELECT count(*) AS n FROM notes") == [{"n": 1003}]
    assert ledger.read("SELECT verdict, reason FROM case_transactions") == [{"verdict": "", "reason": ""}]
    assert problems(ledger) == []


def test_a_checkpoint_keeps_the_last_line_of_sums_and_no_other(
    ledger: Ledger, made: tuple[Path, Keyring]
) -> None:
    note(ledger, 1)
    note(ledger, 2)
    assert ledger.read("SELECT count(*) AS n FROM state_seals")[0]["n"] > 1
    ledger.checkpoint()
    assert ledger.read("SELECT event_seq FROM state_seals") == [{"event_seq": ledger.last_event.seq}]
    ledger.close()
    with Ledger.open(ledger.path, keyring=made[1]) as again:
        assert chain.verify(again).ok


def test_what_is_found_says_whether_rows_are_missing_or_were_changed(ledger: Ledger) -> None:
    note(ledger, 3)
    assert problems(ledger, "DELETE FROM notes WHERE note_id = 'n1'") == [
        "the table notes holds 2 rows where the program left 3"
    ]
    assert problems(ledger, "UPDATE notes SET content = 'x' WHERE note_id = 'n1'") == [
        "rows of the table notes were changed by something other than the program"
    ]
    assert problems(ledger, "DELETE FROM state_seals") == ["no sums of the tables are stored"]
    unsealed = "the sums of the tables do not carry this ledger's seal as of its last event"
    for change in ("event_seq = event_seq - 1", "tables = tables || ' '", "mac = 'another'::BLOB"):
        assert problems(ledger, f"UPDATE state_seals SET {change}") == [unsealed]


def test_a_table_that_is_gone_is_named(ledger: Ledger) -> None:
    note(ledger, 1)
    assert ledger.sealer is not None
    head, shapes = ledger.last_event, {t: s for t, s in ledger.shapes.items() if t != "notes"}
    with ledger._connection.cursor() as cursor:
        found = list(found_problems(View(cursor), ledger.sealer, shapes, head.seq, head.hash))
    assert found == ["the table notes is gone"]


def test_what_only_events_may_change_is_changed_by_no_statement(ledger: Ledger) -> None:
    for table in ("events", "transactions", "state_seals"):
        with pytest.raises(LedgerError, match="changed by nothing but events"), ledger.writing() as w:
            w.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("UPDATE t SET a = ?", ("t", False, "", 1)),
        ("UPDATE t SET a = ?, b = (?) WHERE c = ? AND d = ?", ("t", False, "WHERE c = ? AND d = ?", 2)),
        ("UPDATE \"t\" SET \"a ? WHERE\" = 'it''s ?' where c = ?", ("t", False, "where c = ?", 0)),
        ("DELETE FROM t WHERE a IN (SELECT b WHERE c = ?)", ("t", True, "WHERE a IN (SELECT b WHERE c = ?)", 0)),
    ],
)  # fmt: skip
def test_the_condition_of_a_statement_is_told_from_those_inside_it(
    sql: str, part: tuple[str, bool, str, int]
) -> None:
    assert changed_part(sql) == part
