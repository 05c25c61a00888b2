"""Is a ledger that was put in another's place by a link held to what is known of that place?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data.errors import LedgerError
from data.integrity import seal_checks
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, mapping, tamper
from tests.data.test_sealing import FILE, fill, report_of


def test_a_link_to_an_altered_copy_is_held_to_the_heads_noted_at_its_place(
    tmp_path: Path, keyring: Keyring
) -> None:
    place, elsewhere = tmp_path / "bank", tmp_path / "elsewhere"
    place.mkdir()
    with Ledger.create(place / FILE, mapping(), at=AT, keyring=keyring):
        pass
    shutil.copytree(place, elsewhere)
    with Ledger.open(place / FILE, keyring=keyring) as ledger:
        fill(ledger)
        seal_checks.note_head(ledger, AT)
    place.rename(tmp_path / "hidden")
    place.symlink_to(elsewhere)
    assert "is missing: the tail was cut" in report_of(place / FILE, keyring).problem


def test_a_link_that_leads_to_another_copy_now_is_held_to_the_heads_noted_through_it(
    tmp_path: Path, keyring: Keyring
) -> None:
    first, second, link = tmp_path / "first", tmp_path / "second", tmp_path / "bank"
    first.mkdir()
    link.symlink_to(first)
    with Ledger.create(link / FILE, mapping(), at=AT, keyring=keyring):
        pass
    shutil.copytree(first, second)
    with Ledger.open(link / FILE, keyring=keyring) as ledger:
        fill(ledger)
        seal_checks.note_head(ledger, AT)
    link.unlink()
    link.symlink_to(second)
    assert "is missing: the tail was cut" in report_of(link / FILE, keyring).problem
    assert report_of(first / FILE, keyring).ok


@pytest.mark.parametrize("made_through_a_link", [False, True])
def test_a_link_to_a_stripped_ledger_is_not_given_another_key(
    tmp_path: Path, keyring: Keyring, made_through_a_link: bool
) -> None:
    place, stripped, first = tmp_path / "bank", tmp_path / "stripped", tmp_path / "first"
    first.mkdir()
    if made_through_a_link:
        place.symlink_to(first)
    else:
        place.mkdir()
    with Ledger.create(place / FILE, mapping(), at=AT, keyring=keyring):
        pass
    shutil.copytree(place, stripped)
    tamper(
        stripped / FILE,
        "DELETE FROM about WHERE name = 'key_id'",
        "UPDATE events SET seal = NULL",
        "DELETE FROM state_seals",
    )
    place.rename(tmp_path / "hidden")
    place.symlink_to(stripped)
    with (
        Ledger.open(place / FILE, keyring=keyring) as ledger,
        pytest.raises(LedgerError, match="a key was made for the ledger at this place"),
    ):
        ledger.seal(AT, "system")
