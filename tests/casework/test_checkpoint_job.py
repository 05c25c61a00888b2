"""When does the server's checkpoint put small groups of rows together, which holds decisions up?"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from casework.app import App
from casework.serving import jobs
from tests.http.institution import make_workspace


def test_small_groups_are_put_together_once_it_has_been_quiet_for_longer_than_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App.open(make_workspace(tmp_path / "workspace"))
    try:
        for quiet, left in ((0.0, 101), (30.0, 101), (60.0, 0)):
            monkeypatch.setattr(app.ledger, "_left", 100)
            monkeypatch.setattr(app.measures, "_last_decision", perf_counter() - quiet)
            jobs.checkpoint(app)
            assert app.ledger.left_small == left
    finally:
        app.close()
