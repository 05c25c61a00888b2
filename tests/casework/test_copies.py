"""Does a benchmark on a copy of a workspace leave the record of the original as it was?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.copies import copied
from casework.app import App
from casework.serving import jobs
from casework.workspace import Workspace
from data.integrity import chain
from data.integrity.keyring import VARIABLE, Keyring
from tests.http.institution import add_people, make_workspace


def test_a_copy_that_is_worked_in_leaves_the_record_of_its_source_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_keys = Keyring.default().folder
    monkeypatch.setenv(VARIABLE, str(own_keys))  # so that it is put back afterwards
    source = make_workspace(tmp_path / "bank")
    root = tmp_path / "trial" / "bank"
    root.parent.mkdir()
    copied(source.root, root)
    app = App.open(Workspace(root))
    try:
        add_people(app)
        jobs.anchor(app)
    finally:
        app.close()
    shutil.rmtree(root)  # heads noted for a place that is gone count for the ledger that is left
    monkeypatch.setenv(VARIABLE, str(own_keys))
    app = App.open(source)
    try:
        assert chain.verify(app.ledger).ok
    finally:
        app.close()
