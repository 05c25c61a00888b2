"""Does a write see its own rows, and is each change of rows followed, however few statements that takes?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from data.events import EventDraft
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.integrity.table_sums import changed_part
from data.ledger import Ledger
from data.storage.assignments import assigned
from data.writer import Head
from tests.data.builders import AT, mapping, new_ledger

CHANGES = (
    (
        "UPDATE notes SET content = ?, author = 'it is ours', transaction_seq = 12 WHERE note_id = ?",
        ["x", "n0"],
        True,
    ),
    ('update notes set "at" = ? where note_id = ?', [AT + timedelta(days=1), "n1"], True),
    ("UPDATE notes SET content = ?", ["all of them"], True),
    ("UPDATE notes SET content = '' WHERE note_id = 'n0' AND \"at\" = ?", [AT], True),
    ("UPDATE notes SET content = nullif(?, '') WHERE note_id = ?", ["x", "n0"], False),
    ("UPDATE notes SET content = ? || 'x' WHERE note_id = ?", ["x", "n0"], False),
    ("UPDATE notes SET content = 'it''s' WHERE note_id = ?", ["n0"], False),
    ("UPDATE notes SET content = author WHERE note_id = ?", ["n0"], False),
    ("UPDATE notes SET transaction_seq = 1.6 WHERE note_id = ?", ["n0"], False),
    ("UPDATE notes SET transaction_seq = ? WHERE note_id = ?", [1.6, "n0"], False),
    ("UPDATE notes SET content = ? WHERE note_id = ?", [5, "n0"], False),
    ("UPDATE notes SET content = upper(?) WHERE note_id = ?", ["x", "n0"], False),
)
"""Statements with their parameters, and whether the text tells what becomes of the rows."""


def note(number: int) -> dict[str, object]:
    row = {"note_id": f"n{number}", "case_id": "", "transaction_seq": 1, "author": "analyst-1"}
    return {**row, "content": "seen before", "at": AT}


def test_a_change_is_followed_whether_its_text_tells_the_new_rows_or_not(tmp_path: Path) -> None:
    said = EventDraft("lead-1", "note.written", "note:n0", {})
    with Ledger.create(
        tmp_path / "secondlook.duckdb", mapping(), at=AT, keyring=Keyring(tmp_path / "keys")
    ) as ledger:
        with ledger.writing() as w:
            w.insert("notes", [note(0), note(1)])
            w.event(said, AT)
        for sql, values, told in CHANGES:
            table, found = changed_part(sql)[0], assigned(sql)
            row = list(ledger.read(f"SELECT * FROM {table}")[0].values())
            after = found and found.after(ledger.shapes[table], [row], values)
            assert (sql, bool(after)) == (sql, told)
            with ledger.writing() as w:
                w.execute(sql, values)
                w.event(said, AT)
            assert (sql, chain.verify(ledger).problem) == (sql, "")


def test_a_query_sees_what_its_own_write_added_to_any_table_it_names(tmp_path: Path) -> None:
    draft_row = {"task_id": "t", "reviewer": "analyst-1", "content": "{}", "saved_at": AT}
    with new_ledger(tmp_path) as ledger, ledger.writing() as w:
        first = w.event(EventDraft("lead-1", "note.written", "note:n0", {}), AT)
        w.insert("drafts", [draft_row])
        assert w.read("SELECT reviewer FROM Drafts") == [{"reviewer": "analyst-1"}]
        w.insert("drafts", [draft_row | {"task_id": "u"}])
        both = "SELECT (SELECT count(*) FROM drafts) AS drafts, max(seq) AS seq FROM events"
        assert w.read(both) == [{"drafts": 2, "seq": first}]
        w.insert("drafts", [draft_row | {"task_id": "v"}])
        w.execute('DELETE FROM "drafts" WHERE task_id <> ?', ["u"])
        assert w.read_arrow("SELECT task_id FROM drafts").to_pylist() == [{"task_id": "u"}]


def test_a_write_knows_what_it_has_recorded_itself_and_nothing_of_others(tmp_path: Path) -> None:
    said = EventDraft("lead-1", "note.written", "note:n0", {})
    with new_ledger(tmp_path) as ledger:
        with ledger.writing() as w:
            earlier = w.head
            w.event(said, AT)
            between = w.head
        with ledger.writing() as w:
            begun = w.head
            assert w.events_after(begun) == []
            first = w.event(said, AT)
            middle = w.head
            w.read("SELECT count(*) FROM events")  # they are DuckDB's by then
            second = w.event(said, AT)
            known = {head.seq: w.events_after(head) for head in (begun, middle, w.head)}
            assert [[row["seq"] for row in rows or ()] for rows in known.values()] == [
                [first, second],
                [second],
                [],
            ]
            assert begun == between and w.events_after(earlier) is None
            assert w.events_after(Head(middle.seq, b"of a write that came to nothing")) is None
