"""Is what runs exactly what was approved, and does every difference show as a draft?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from data import approved
from data.approved import Draft
from data.errors import InputError, NotFoundError
from data.integrity import chain
from data.ledger import Ledger
from tests.data.builders import AT, new_ledger

FILES = {"policy.yaml": b"version: 1\n", "catalogue/a.yaml": b"id: a\n"}


def approve(ledger: Ledger, files: dict[str, bytes], hours: int = 0) -> str:
    with ledger.writing() as w:
        return approved.approve(w, files, "risk-1", "first", AT + timedelta(hours=hours))


def test_the_set_approved_last_is_in_force_and_earlier_ones_can_be_loaded(tmp_path: Path) -> None:
    changed = FILES | {"policy.yaml": b"version: 1\n# changed\n"}
    with new_ledger(tmp_path) as ledger:
        first, second = approve(ledger, FILES), approve(ledger, changed, 1)
        assert approved.current(ledger).set_id == second
        assert approved.current(ledger).files == changed
        found = approved.load(ledger, first)
        assert (found.files, found.approved_by, found.approved_at) == (FILES, "risk-1", AT)
        assert approve(ledger, FILES, 2) == first
        assert approved.current(ledger).set_id == first
        assert [row["set_id"] for row in approved.history(ledger)] == [first, second, first]
        assert ledger.read("SELECT count(*) AS n FROM artefacts") == [{"n": 3}]
        assert [e.kind for e in chain.events(ledger)][1:] == ["set.approved"] * 3


def test_the_id_depends_on_paths_and_contents_only() -> None:
    assert approved.set_id_of(FILES) == approved.set_id_of(dict(reversed(FILES.items())))
    assert approved.set_id_of(FILES) != approved.set_id_of(
        {"policy.yaml": b"id: a\n", "catalogue/a.yaml": b"version: 1\n"}
    )
    assert approved.set_id_of(FILES).startswith("set_")
    assert len(approved.set_id_of(FILES)) == 20


def test_two_files_with_the_same_content_are_both_there(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        approve(ledger, {"a.yaml": b"same", "b.yaml": b"same"})
        assert approved.current(ledger).files == {"a.yaml": b"same", "b.yaml": b"same"}


def test_files_that_differ_are_drafts(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    (rules / "catalogue").mkdir(parents=True)
    (rules / "policy.yaml").write_bytes(b"version: 1\n# changed\n")
    (rules / "catalogue" / "b.yaml").write_bytes(b"id: b\n")
    (rules / "notes.txt").write_text("not a rule")
    with new_ledger(tmp_path) as ledger:
        approve(ledger, FILES)
        assert approved.drafts(ledger, rules) == [
            Draft("catalogue/a.yaml", "removed"),
            Draft("catalogue/b.yaml", "added"),
            Draft("policy.yaml", "changed"),
        ]
        approve(ledger, approved.read_folder(rules))
        assert approved.drafts(ledger, rules) == []


def test_an_empty_set_an_unknown_set_and_no_set_are_refused(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        with pytest.raises(NotFoundError, match="nothing has been approved yet"):
            approved.current(ledger)
        with pytest.raises(NotFoundError, match="set_x: there is no approved set of that id"):
            approved.load(ledger, "set_x")
        with pytest.raises(InputError, match="needs at least one file"):
            approve(ledger, {})
