"""Are the heads noted outside still held against the ledger after a note was cut short?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data.errors import LedgerError
from data.integrity import chain, seal_checks
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, mapping
from tests.data.test_faults import no_file_may_grow_beyond


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring):
    file = tmp_path_factory.mktemp("bank") / "secondlook.duckdb"
    with Ledger.create(file, mapping(), at=AT, keyring=keyring) as made:
        yield made


@pytest.fixture
def notes(ledger: Ledger, keyring: Keyring):
    """The file of notes, with two heads in it."""
    assert ledger.sealer is not None
    file = keyring.anchor_file(ledger.sealer.key.key_id)
    for _ in range(2):
        seal_checks.note_head(ledger, AT)
    yield file
    file.unlink()


def test_a_note_that_found_no_room_leaves_the_file_as_it_was(ledger: Ledger, notes: Path) -> None:
    before = notes.read_bytes()
    with no_file_may_grow_beyond(len(before) + 40), pytest.raises(LedgerError, match="cannot be noted"):
        seal_checks.note_head(ledger, AT)
    assert notes.read_bytes() == before
    seal_checks.note_head(ledger, AT)
    report = chain.verify(ledger)
    assert (report.ok, report.anchors, report.warnings) == (True, 3, ())


def test_a_note_that_could_not_be_forced_to_disk_is_taken_back(
    ledger: Ledger, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = notes.read_bytes()

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(LedgerError, match="Input/output error"):
        seal_checks.note_head(ledger, AT)
    assert notes.read_bytes() == before


@pytest.mark.parametrize("left", [5, 60, 210])
def test_the_note_after_one_cut_short_begins_a_line_and_verification_warns(
    ledger: Ledger, notes: Path, left: int
) -> None:
    whole = notes.read_bytes()
    notes.write_bytes(whole + whole[:left])
    seal_checks.note_head(ledger, AT)
    report = chain.verify(ledger)
    assert (report.ok, report.anchors) == (True, 3)
    assert report.warnings == (f"1 note in {notes.name} was cut short and passed over",)


def test_a_note_that_went_on_in_a_line_cut_short_counts(ledger: Ledger, notes: Path) -> None:
    whole = notes.read_bytes()
    notes.write_bytes(whole + whole[:60] + whole)
    report = chain.verify(ledger)
    assert (report.ok, report.anchors, len(report.warnings)) == (True, 4, 1)


@pytest.mark.parametrize(
    ("was", "is_now", "said"),
    [
        (b'"seq":1', b'"seq":9', "does not carry the key's seal"),
        (b'"seq":1', b'"sex":1', "this is no anchor"),
        (b'"seq":1', b'"seq":,', "this is no anchor"),
        (b'"seal":"', b'"seal":"zz', "this is no anchor"),
        (b'{"anchor"', b"x", "this is no anchor"),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_line_that_is_more_than_cut_short_fails_verification_wherever_it_is(
    ledger: Ledger, notes: Path, was: bytes, is_now: bytes, said: str, which: int
) -> None:
    lines = notes.read_bytes().splitlines()
    assert was in lines[which]
    lines[which] = lines[which].replace(was, is_now)
    notes.write_bytes(b"\n".join(lines))
    report = chain.verify(ledger)
    assert not report.ok and said in report.problem
