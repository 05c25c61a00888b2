"""One served institution for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.outbox import rounds
from tests.http.institution import Institution, make_workspace, served


@pytest.fixture(autouse=True)
def patient_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round of the outbox hears every answer, however busy the machine is."""
    monkeypatch.setattr(rounds, "PATIENCE_SECONDS", 60.0)


@pytest.fixture(scope="module")
def institution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("http") / "bank"
    with served(make_workspace(root)) as running:
        yield running
