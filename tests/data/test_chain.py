"""Does walking the record find every change, deletion, insertion and swap?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.events import EventDraft, event_hash
from data.incoming.ingest import import_file
from data.integrity import chain
from data.ledger import Ledger
from tests.data.builders import AT, csv_file, mapping, new_ledger, row, tamper, transaction

EVENTS = 9


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A closed ledger with an import, live transactions and case events."""
    folder = tmp_path_factory.mktemp("chain")
    with new_ledger(folder) as ledger:
        import_file(ledger, mapping(), csv_file(folder, row("i1"), row("i2")), at=AT, actor="admin-1")
        for number in range(2):
            with ledger.writing() as w:
                w.insert_transactions([transaction(f"l{number}", personal={"email": "a@b.c"})], AT, "api")
                w.event(EventDraft("analyst-1", "case.noted", f"case:{number}", {}, {"note": "n"}), AT)
        with ledger.writing() as w:
            w.events([EventDraft("analyst-1", "task.claimed", f"task:{n}", {"n": n}) for n in range(2)], AT)
        assert ledger.last_event.seq == EVENTS
    yield folder / "secondlook.duckdb"


def verify_after(recorded: Path, folder: Path, *statements: str) -> chain.ChainReport:
    copy = folder / "secondlook.duckdb"
    shutil.copyfile(recorded, copy)
    tamper(copy, *statements)
    with Ledger.open(copy) as ledger:
        return chain.verify(ledger)


def test_an_untouched_record_is_whole(recorded: Path, tmp_path: Path) -> None:
    report = verify_after(recorded, tmp_path)
    assert (report.ok, report.events, report.transactions, report.problem) == (True, EVENTS, 4, "")


CHANGES = {
    "UPDATE events SET payload = '{\"n\":7}'::BLOB WHERE seq = 8": (8, "event 8 was changed after it was recorded"),
    "UPDATE events SET actor = 'someone' WHERE seq = 4": (4, "event 4 was changed after it was recorded"),
    "UPDATE events SET recorded_at = recorded_at + INTERVAL 1 MICROSECOND WHERE seq = 9":
        (9, "event 9 was changed after it was recorded"),
    "UPDATE events SET commitments = '{}'::BLOB WHERE seq = 5": (5, "event 5 was changed after it was recorded"),
    "UPDATE events SET hash = prev_hash WHERE seq = 9": (9, "event 9 was changed after it was recorded"),
    "DELETE FROM events WHERE seq = 5": (5, "event 5 is missing, or stored twice"),
    "DELETE FROM events WHERE seq = 1": (1, "event 1 is missing, or stored twice"),
    "INSERT INTO events SELECT * FROM events WHERE seq = 3": (4, "event 4 is missing, or stored twice"),
    "INSERT INTO events SELECT * REPLACE (10 AS seq) FROM events WHERE seq = 9":
        (10, "event 10 does not follow from the event before it"),
    "UPDATE events SET seq = CASE seq WHEN 8 THEN 9 ELSE 8 END WHERE seq >= 8":
        (8, "event 8 does not follow from the event before it"),
    "UPDATE transactions SET amount_minor = 1 WHERE seq = 1": (2, "transaction 1 was changed after it was recorded"),
    "UPDATE transactions SET country = 'SE' WHERE seq = 4": (6, "transaction 4 was changed after it was recorded"),
    "UPDATE transactions SET device = NULL WHERE seq = 3": (4, "transaction 3 was changed after it was recorded"),
    "UPDATE transactions SET content_sha256 = '0' WHERE seq = 1":
        (2, "transactions 1 to 2 no longer have the digest that was recorded"),
    "UPDATE transactions SET commitments = '{}' WHERE seq = 3":
        (4, "transactions 3 to 3 no longer have the digest that was recorded"),
    "UPDATE transactions SET recorded_at = recorded_at - INTERVAL 1 MICROSECOND WHERE seq = 2":
        (2, "1 of transactions 1 to 2 say another source or time of recording than their event"),
    "UPDATE transactions SET source = 'imp_other' WHERE seq <= 2":
        (2, "2 of transactions 1 to 2 say another source or time of recording than their event"),
    "INSERT INTO schema_migrations SELECT * FROM schema_migrations WHERE number = 1":
        (9, "schema_migrations does not list this program's migrations, each once"),
    "DELETE FROM transactions WHERE seq = 2": (2, "1 of transactions 1 to 2 are stored where 2 were recorded"),
    "INSERT INTO transactions SELECT * REPLACE (5 AS seq) FROM transactions WHERE seq = 4":
        (9, "5 transactions are stored, but the events vouch for 4"),
    "UPDATE outcomes SET is_fraud = true WHERE transaction_seq = 1":
        (2, "the labels imported with transactions 1 to 2 were changed"),
    "UPDATE personal_values SET value = 'x' WHERE owner = 'transaction:3'":
        (4, "a personal value of transaction 3 does not match its commitment"),
    "UPDATE personal_values SET value = 'x' WHERE owner = 'event:5'":
        (5, "a personal value of event 5 does not match its commitment"),
}  # fmt: skip


@pytest.mark.parametrize("statement", CHANGES)
def test_a_change_is_found_and_named(recorded: Path, tmp_path: Path, statement: str) -> None:
    report = verify_after(recorded, tmp_path, statement)
    assert not report.ok
    assert (report.first_bad_seq, report.problem) == CHANGES[statement]


def test_swapped_transactions_are_found(recorded: Path, tmp_path: Path) -> None:
    report = verify_after(
        recorded, tmp_path, "UPDATE transactions SET seq = CASE seq WHEN 1 THEN 2 ELSE 1 END WHERE seq <= 2"
    )
    assert report.problem == "transactions 1 to 2 no longer have the digest that was recorded"


def test_erasing_personal_values_leaves_the_chain_whole(recorded: Path, tmp_path: Path) -> None:
    report = verify_after(recorded, tmp_path, "DELETE FROM personal_values")
    assert report.ok


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, EVENTS), st.sampled_from(["payload", "commitments", "prev_hash", "hash"]), st.data())
def test_any_changed_byte_of_any_event_is_found(
    recorded: Path, tmp_path: Path, seq: int, column: str, data: st.DataObject
) -> None:
    with Ledger.open(shutil.copyfile(recorded, tmp_path / "read.duckdb")) as ledger:
        content = ledger.read(f"SELECT {column} AS content FROM events WHERE seq = ?", [seq])[0]["content"]
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = content[place] ^ data.draw(st.integers(1, 255))
    changed = content[:place] + bytes([flipped]) + content[place + 1 :]
    statement = f"UPDATE events SET {column} = unhex('{changed.hex()}') WHERE seq = {seq}"
    report = verify_after(recorded, tmp_path, statement)
    assert not report.ok
    assert report.first_bad_seq == seq


texts = st.tuples(*[st.binary(max_size=6)] * 5)


@settings(deadline=None)
@given(texts, texts)
def test_no_two_contents_share_a_hash_by_moving_bytes_between_fields(one: tuple, other: tuple) -> None:
    same = event_hash(bytes(32), 1, 0, one) == event_hash(bytes(32), 1, 0, other)
    assert same == (one == other)
